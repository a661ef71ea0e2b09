// Names are the program's, and may come from anywhere: on a terminal they are shown, and do nothing.

// C0, DEL, C1, the line separators, and what turns the direction of text around or hides in it.
const UNSAFE = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** Shows every control character as `\\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
