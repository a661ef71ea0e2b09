// Shows where in a statement something is wrong: its line, and a caret below.

const LONGEST_LINE = 120;
/** How much of a long line is shown before the place. */
const BEFORE = 60;

/**
 * The line of a place, to be added to a message.
 *
 * @param position - in characters from 1, as servers count them: not in the units of JavaScript
 * @returns lines that begin with a line feed; empty if the place is not known
 */
export function pointAt(text: string, position: number | undefined): string {
  if (position === undefined || !(position >= 1)) return "";
  // oxlint-disable-next-line typescript/no-misused-spread -- servers count code points too
  const before = [...text].slice(0, position - 1).join("");
  if (before.length > text.length) return "";
  const start = before.lastIndexOf("\n") + 1;
  const end = text.indexOf("\n", before.length);
  const number = before.split("\n").length;
  const line = (end === -1 ? text.slice(start) : text.slice(start, end)).replaceAll("\t", " ").trimEnd();
  const column = before.length - start;
  const cut = line.length > LONGEST_LINE && column > BEFORE ? column - BEFORE : 0;
  const shown = line.slice(cut, cut + LONGEST_LINE);
  const label = `  ${number} | `;
  const margin = `${" ".repeat(label.length - 2)}| `;
  return `\n${label}${shown}\n${margin}${" ".repeat(column - cut)}^`;
}
