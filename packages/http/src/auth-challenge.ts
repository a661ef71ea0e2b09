// Reads WWW-Authenticate and its relatives, in which the same comma stands between challenges and between parameters.
// One pass: each character is looked at three times at most.

/** One way to log in that a server offers. */
export interface Challenge {
  /** Lower case, like `digest`. */
  readonly scheme: string;
  /** Lower-case names; of two with the same name the first counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const LONGEST = 65_536;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;
const TOKEN68 = /^[-._~+/0-9A-Za-z]$/;

/**
 * The challenges of a field, which may hold several. What is not well-formed ends the reading: what came before it counts.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1}
 */
export function parseChallenges(field: string): Challenge[] {
  const challenges: Challenge[] = [];
  const reader = new Reader(field);
  for (;;) {
    reader.skip(" \t,");
    const scheme = reader.run(TOKEN).toLowerCase();
    if (scheme === "") return challenges;
    const hasMore = reader.skip(" \t") && !reader.skipToken68();
    const parameters = hasMore ? readParameters(reader) : new Map<string, string>();
    challenges.push({ scheme, parameters });
  }
}

/** The parameters of a field that has nothing else, like `Authentication-Info`. */
export function parseParameters(field: string): ReadonlyMap<string, string> {
  return readParameters(new Reader(field));
}

/** Reads parameters, and stops before what is none: the next scheme, or something wrong. */
function readParameters(reader: Reader): Map<string, string> {
  const parameters = new Map<string, string>();
  for (;;) {
    reader.skip(" \t,");
    const start = reader.at;
    const name = reader.run(TOKEN).toLowerCase();
    reader.skip(" \t");
    if (name === "" || !reader.take("=")) {
      reader.at = start;
      return parameters;
    }
    reader.skip(" \t");
    const value = reader.take('"') ? reader.restOfQuoted() : reader.run(TOKEN);
    if (!parameters.has(name)) parameters.set(name, value);
  }
}

class Reader {
  at = 0;
  readonly #text: string;

  constructor(field: string) {
    this.#text = field.slice(0, LONGEST);
  }

  /** Steps over any of `characters`; whether there was one. */
  skip(characters: string): boolean {
    const start = this.at;
    while (this.at < this.#text.length && characters.includes(this.#here)) this.at += 1;
    return this.at > start;
  }

  /** Steps over `character` if it is the next one. */
  take(character: string): boolean {
    if (this.#here !== character) return false;
    this.at += 1;
    return true;
  }

  /** The longest text from here that has only such characters. */
  run(allowed: RegExp): string {
    const start = this.at;
    while (allowed.test(this.#here)) this.at += 1;
    return this.#text.slice(start, this.at);
  }

  /** Steps over the one value that a scheme like Negotiate has in place of parameters, if that is what follows. */
  skipToken68(): boolean {
    const start = this.at;
    const isThere = this.run(TOKEN68) !== "";
    this.skip("=");
    this.skip(" \t");
    if (isThere && (this.#here === "" || this.#here === ",")) return true;
    this.at = start;
    return false;
  }

  /** What is in quotes, from behind the first; to the end of the field if there is no other. */
  restOfQuoted(): string {
    const parts: string[] = [];
    for (let start = this.at; ; start = this.at) {
      while (this.#here !== "" && this.#here !== '"' && this.#here !== "\\") this.at += 1;
      parts.push(this.#text.slice(start, this.at));
      if (this.#here !== "\\") break;
      parts.push(this.#text.slice(this.at + 1, this.at + 2));
      this.at += 2;
    }
    this.at += 1;
    return parts.join("");
  }

  get #here(): string {
    return this.#text.charAt(this.at);
  }
}
