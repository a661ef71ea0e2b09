// How wide text is on a terminal, which is not how long it is. The text has no control characters.

// What takes no column: combining marks, joiners, selectors of variants, and the halves of letters of Hangul.
const NARROWEST = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;
// What takes two: East Asian wide and full-width characters, and pictures.
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;
const ASCII = /^[\u0020-\u007e]*$/;

/** How many columns the text takes. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** The start of the text, with `…` behind it, if it is wider than there is room. */
export function clipTo(width: number, text: string): string {
  if (widthOf(text) <= width) return text;
  let clipped = "";
  let used = 0;
  for (const character of text) {
    used += widthOfCharacter(character);
    if (used > width - 1) break;
    clipped += character;
  }
  return width < 1 ? "" : `${clipped}…`;
}

/** The text and blanks behind it, or before it. */
export function padTo(width: number, text: string, side: "start" | "end" = "end"): string {
  const blanks = " ".repeat(Math.max(0, width - widthOf(text)));
  return side === "end" ? text + blanks : blanks + text;
}

function widthOfCharacter(character: string): number {
  if (NARROWEST.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
