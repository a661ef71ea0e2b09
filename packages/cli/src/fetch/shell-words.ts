// Words of a POSIX shell, and of bash where control characters are among them.

const PLAIN = /^[\w@%+=:,./-]+$/;
const CONTROLS = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const PLACES = /(\{\{\w+\}\})/;
/** As a URL may have them. */
const URL_PLACES = /(\{\{\w+\}\}|%7B%7B\w+%7D%7D)/i;

/** Says whether there is a secret of that name. */
export type IsSecret = (name: string) => boolean;

/** One word: in single quotes, with `{{NAME}}` of a secret as "$NAME" between them. */
export function quoteWord(word: string, isSecret: IsSecret): string {
  return quotePieces(word, PLACES, (piece) => {
    const name = piece.slice(2, -2);
    return piece.startsWith("{{") && isSecret(name) ? `"$${name}"` : undefined;
  });
}

/** The same for a URL, where a secret stands percent-encoded. */
export function quoteUrl(url: string, isSecret: IsSecret): string {
  return quotePieces(url, URL_PLACES, (piece) => {
    const [, name] = /^(?:\{\{|%7B%7B)(\w+)(?:\}\}|%7D%7D)$/i.exec(piece) ?? [];
    return name !== undefined && isSecret(name) ? `"$(printf %s "$${name}" | jq -sRr @uri)"` : undefined;
  });
}

/** A command that prints the bytes. */
export function printfCommand(bytes: Uint8Array): string {
  const octal = Array.from(bytes, (byte) =>
    /[A-Za-z0-9]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, "0")}`,
  );
  return `printf '${octal.join("")}'`;
}

function quotePieces(word: string, places: RegExp, variableOf: (piece: string) => string | undefined): string {
  if (word === "") return "''";
  const pieces = word.split(places).filter((piece) => piece !== "");
  return pieces.map((piece) => variableOf(piece) ?? (PLAIN.test(piece) ? piece : quoteText(piece))).join("");
}

/** With control characters as escapes: the line is one line, and does nothing to a terminal. */
function quoteText(text: string): string {
  if (text.search(CONTROLS) === -1) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const escaped = text.replaceAll(/[\\']/g, String.raw`\$&`);
  return `$'${escaped.replaceAll(CONTROLS, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)}'`;
}
