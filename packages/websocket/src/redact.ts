// What of a URL, or of a text of the peer, may be shown. Never throws: it is called while an error is made.

const LONGEST = 500;

/** The URL without user name, password, query and fragment: each of them may hold a secret. */
export function redactUrl(input: string | URL): string {
  const url = input instanceof URL ? input : URL.parse(input);
  if (url === null) return "a text that is no URL";
  const query = url.search === "" ? "" : "?…";
  return printable(`${url.protocol}//${url.host}${url.pathname}${query}`);
}

/** Control characters and those that reorder text would let a peer draw on the reader's terminal. */
export function printable(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return shown.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
