// Text as markup. What a program calls its tasks is text, whatever it looks like.

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text for the inside of an element or of a quoted attribute, in HTML, SVG and XML. */
export function escapeMarkup(text: string): string {
  // What XML does not allow at all would make the whole file unreadable.
  const allowed = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029\uFFFE\uFFFF]/gu, (character) =>
      character === "\n" || character === "\t" ? character : "\uFFFD",
    );
  // Marks that turn the direction of writing would let a name write over what stands beside it.
  const turned = allowed.replaceAll(/[\u202A-\u202E\u2066-\u2069\u200E\u200F]/gu, "");
  return turned.replaceAll(/[&<>"']/gu, (character) => ESCAPES[character] ?? "");
}

/** A number with at most two digits after the point. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}
