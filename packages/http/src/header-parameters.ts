// The part many header fields share: `; name=value; name="quoted"`. By hand and in one pass: what servers send must not
// be able to make it slow.

/** Parameters by lower-case name; the first of a name counts. */
type Parameters = ReadonlyMap<string, string>;

/** What {@link readParameters} found. */
export interface FoundParameters {
  readonly parameters: Parameters;
  /** Where the list of them ends: at a comma, or the end of the text. */
  readonly end: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** Reads the parameters from `start` on, up to the first comma that is not in quotes. Never throws. */
export function readParameters(text: string, start: number): FoundParameters {
  const parameters = new Map<string, string>();
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== COMMA) {
    if (text.charCodeAt(at) === SEMICOLON) at += 1;
    const nameEnd = endOfToken(text, at, true);
    const name = text.slice(at, nameEnd).trim().toLowerCase();
    at = nameEnd;
    let value = "";
    if (text.charCodeAt(at) === EQUALS) [value, at] = readValue(text, at + 1);
    if (name !== "" && !parameters.has(name)) parameters.set(name, value);
  }
  return { parameters, end: at };
}

/** The value that begins at `start`, and where the rest does. */
function readValue(text: string, start: number): [string, number] {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at += 1;
  if (text.charCodeAt(at) !== QUOTE) {
    const end = endOfToken(text, at, false);
    return [text.slice(at, end).trim(), end];
  }
  const [value, end] = readQuoted(text, at + 1);
  // What stands between the closing quote and the next parameter belongs to nothing.
  return [value, endOfToken(text, end, false)];
}

function readQuoted(text: string, start: number): [string, number] {
  let value = "";
  let from = start;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return [value + text.slice(from, at), at + 1];
    if (code !== BACKSLASH) continue;
    value += text.slice(from, at);
    at += 1;
    from = at;
  }
  return [value + text.slice(from), text.length];
}

function endOfToken(text: string, start: number, isName: boolean): number {
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === SEMICOLON || code === COMMA || (isName && code === EQUALS)) return at;
  }
  return text.length;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
