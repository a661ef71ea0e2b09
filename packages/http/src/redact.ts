// What of a URL may be shown. Linear in its length, and never throws: it is called while an error is made.

const SECRET_KEY = /token|key|sig|passw|passphrase|pwd|secret|credential|auth|jwt|session|sessid/i;
/** Short ones, which are parts of other words as well. */
const SECRET_WORD = /(?:^|[^a-z])(?:pw|sid)(?:[^a-z]|$)|pass(?:[^a-z]|$)/i;
const MASK = "***";
const LONGEST = 2_000;

/** The URL without userinfo and fragment, and with the values of secret query keys masked. */
export function redactUrl(url: string): string {
  const [beforeFragment = ""] = url.split("#", 1);
  const query = beforeFragment.indexOf("?");
  const base = query === -1 ? beforeFragment : beforeFragment.slice(0, query);
  const shown = withoutUserinfo(base) + (query === -1 ? "" : `?${redactQuery(beforeFragment.slice(query + 1))}`);
  return printable(shown.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown);
}

// A text that is no URL may have its "@" anywhere: everything between the slashes and the last one could be a password.
function withoutUserinfo(base: string): string {
  const at = base.lastIndexOf("@");
  if (at === -1) return base;
  const [start = ""] = /^[a-z][a-z0-9+.-]*:[/\\]{2,}/i.exec(base) ?? [];
  const length = base.slice(start.length).search(/[/\\]/);
  const path = start === "" || length === -1 ? base.length : start.length + length;
  if (path > at || !URL.canParse(base)) return `${start}${MASK}${base.slice(at)}`;
  return withoutUserinfo(base.slice(0, path)) + base.slice(path);
}

function redactQuery(query: string): string {
  return query
    .split("&")
    .map((pair) => {
      const end = pair.indexOf("=");
      const key = end === -1 ? "" : pair.slice(0, end + 1);
      return isSecretKey(decoded(key)) || hasUserinfo(decoded(pair.slice(key.length))) ? `${key}${MASK}` : pair;
    })
    .join("&");
}

function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) || SECRET_WORD.test(key);
}

/** Whether a value is a URL with somebody's name in it. */
function hasUserinfo(value: string): boolean {
  return value.includes("//") && withoutUserinfo(value) !== value;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Control characters and those that reorder text would let a server draw on the reader's terminal. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
