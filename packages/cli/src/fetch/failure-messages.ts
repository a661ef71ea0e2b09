// What errors of the session say, in the words of the command: its options are not those of the library.

import type { HttpError } from "@meanwhile/http";

const WORDS: ReadonlyArray<readonly [RegExp, string]> = [
  [/ or read it with stream\(\)/, ""],
  [/; raise maxRedirects if that is expected|; pass allow\w+: true[\w ]*/, ""],
  [/(?:timeouts\.)?totalMs/, "--timeout"],
  [/(?:timeouts\.)?connectMs/, "--connect-timeout"],
  [/(?:timeouts\.)?idleMs/, "--idle-timeout"],
  [/(?:timeouts\.)?minBytesPerSecond/, "--min-speed"],
  [/limit or timeouts\.poolMs/, "--concurrency"],
  [/\bmax(?:Body)?Bytes\b/, "--max-size"],
  [/maxHeaderBytes or maxHeaderCount/, "what is possible"],
  [/'publicOnly' or 'privateRedirects' does not allow/, "--public-only, or no --allow-private-redirects, forbids"],
  [/'publicOnly'/, "--public-only"],
];

/** Without the URL, which the record has already. */
export function messageOf({ message, method, url }: HttpError): string {
  const start = `Cannot ${method} ${url}: `;
  const what = message.startsWith(start) ? message.slice(start.length) : message;
  return WORDS.reduce((text, [theirs, ours]) => text.replace(theirs, () => ours), what);
}
