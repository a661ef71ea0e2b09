// Text that came from a server or a list must not speak to the terminal: control characters are shown, not sent.

// C0, DEL, C1, the line separators, and what turns the direction of text around or hides in it.
const UNSAFE = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
// As above, without what JSON.stringify escapes already.
const UNSAFE_IN_JSON = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** Shows every control character as `\u001b`, so that the text is safe to print on a terminal. */
export function escapeControls(text: string): string {
  return text.replaceAll(UNSAFE, escapeOne);
}

/** One line of JSON that is safe to print on a terminal, and means the same to a parser. */
export function toSafeJson(value: unknown): string {
  const json = JSON.stringify(value);
  return UNSAFE_IN_JSON.test(json) ? escapeControls(json) : json;
}

function escapeOne(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
