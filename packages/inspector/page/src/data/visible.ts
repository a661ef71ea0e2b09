// What a program calls things may turn the direction of writing around, over whatever stands beside it: that is shown, not
// done. Joiners stay as they are: pictures of several characters need them.

const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** As JSON may write them. */
const ESCAPED = /\\u(?:061c|200[ef]|202[a-e]|206[6-9])/iu;

/** The message of a line, as it can be shown; `line` is what it was read from. */
export function withVisibleTexts<Message>(message: Message, line: string): Message {
  // Nearly all lines have none, and there are very many.
  if (line.search(TURNING) === -1 && !ESCAPED.test(line)) return message;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only texts in it change
  return visible(message) as Message;
}

function visible(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(TURNING, codeOf);
  if (Array.isArray(value)) return value.map(visible);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, visible(part)]));
}

function codeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
