// What of an error may be shown: a server quotes values where it cannot use them.
//
// @see https://www.postgresql.org/docs/current/errcodes-appendix.html

const CONDITIONS: Readonly<Record<string, string>> = {
  "22000": "a value cannot be used",
  "22001": "a value is too long for its type",
  "22003": "a number is out of range",
  "22004": "a value must not be null",
  "22007": "a value is no date or time",
  "22008": "a date or time is out of range",
  "22012": "division by zero",
  "22021": "a text has a byte sequence that the encoding does not know",
  "22023": "a parameter has a value that it cannot have",
  "22025": "a pattern has an escape that cannot be",
  "22030": "a JSON object has the same key twice",
  "22032": "a value is no JSON",
  "2201B": "a regular expression cannot be read",
  "2202E": "an array has other dimensions than it must have",
  "22P02": "a value cannot be read as its type",
  "22P03": "a value in binary form cannot be read as its type",
  "22P04": "the data of a COPY cannot be read",
  "22P05": "a text has a character that the encoding does not have",
  P0001: "an exception was raised; what it says is in 'serverMessage'",
  P0002: "a function found no row where one must be",
  P0003: "a function found more rows than one",
  P0004: "an assertion of a function does not hold",
};

/** Whether what the server says of an error is likely to hold a value: of bad data, and of exceptions that functions raise. */
export function mayQuoteValues(sqlstate: string): boolean {
  return sqlstate.startsWith("22") || sqlstate.startsWith("P0");
}

/** What is wrong, without any value. */
export function conditionOf(sqlstate: string): string {
  if (Object.hasOwn(CONDITIONS, sqlstate)) return CONDITIONS[sqlstate] ?? "";
  return "the server refused it; what it says is in 'serverMessage'";
}

const PASSWORD = /\bpassword(\s+)(?:(?:e|u&)?'(?:[^'\\]|\\.|'')*(?:'|$)|\$(\w*)\$.*?(?:\$\2\$|$))/gis;
const PAIR = /\bpassword(\s*=\s*)(?:\\'.*?\\'|''.*?''|[^\s']+)/gis;

/** A statement with each password in it masked: that of `alter role … password '…'`, and of a text to connect with. */
export function withoutPasswords(text: string): string {
  if (!/password/i.test(text)) return text;
  return text.replaceAll(PASSWORD, "password$1'***'").replaceAll(PAIR, "password$1***");
}

/** As many as an array of the server has at most. */
const MOST_DIMENSIONS = 6;

/** Names the kind of a value, never its content. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return typeof value;
  if (Array.isArray(value)) return "array";
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "object";
}

/** What a statement was, and what it was given. */
interface Asked {
  readonly text: string;
  readonly args: ReadonlyArray<unknown>;
}

/**
 * What a server says, which may quote an argument that it cannot use, or part of one: the table in a name, a word of a
 * query. It folds the case of names. What stands in the statement as well is shown.
 */
export function withoutArguments(message: string, { text, args }: Asked): string {
  const texts = textsIn(args);
  if (texts.length === 0) return message;
  const statement = text.toLowerCase();
  return message.replaceAll(/"((?:[^"]|"")+)"/g, (found, quoted: string) => {
    const word = quoted.toLowerCase();
    const isGiven = texts.some((one) => one === word || (one.includes(word) && !statement.includes(word)));
    return isGiven ? '"***"' : found;
  });
}

/** Whether a statement that a function of the server made holds an argument: what is said of it may hold any part of that. */
export function holdsArgument(inner: string | undefined, { text, args }: Asked): boolean {
  if (inner === undefined || inner === text) return false;
  const shown = inner.toLowerCase();
  return textsIn(args).some((one) => shown.includes(one));
}

/** The arguments that are texts or numbers, and those in arrays, in small letters. */
function textsIn(args: ReadonlyArray<unknown>): string[] {
  return args
    .flat(MOST_DIMENSIONS)
    .filter((value) => typeof value === "string" || typeof value === "number" || typeof value === "bigint")
    .map((value) => String(value).toLowerCase())
    .filter((value) => value !== "");
}

/** An error of a function that was given a value: what it says may quote the value, as JSON.parse does, and is left out. */
class WithheldError extends Error {
  override readonly name: string;

  /** @param frames - the lines of the stack */
  constructor(name: string, frames: readonly string[]) {
    super("What it says is left out: it may quote a value");
    this.name = name;
    this.stack = [`${name}: ${this.message}`, ...frames].join("\n");
  }
}

/** What is shown of an error of a function that was given a value: what kind it is, and where it was thrown. */
export function withoutMessage(error: unknown): Error {
  if (!(error instanceof Error)) return new WithheldError("Error", []);
  const frames = (error.stack ?? "").replaceAll(error.message, "").match(/^ {4}at .*$/gm) ?? [];
  return new WithheldError(error.name, frames);
}
