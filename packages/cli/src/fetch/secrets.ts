// Secrets of the environment: `--secret NAME` puts one where {{NAME}} stands, and takes it out of everything that is shown.

import { usageError } from "../errors.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;
const PLACE = /\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}/g;
// What a URL makes of the braces.
const ENCODED_PLACE = /%7B%7B([A-Za-z_][A-Za-z0-9_]*)%7D%7D/gi;

export class Secrets {
  readonly #values: ReadonlyMap<string, string>;
  // Longer values first: one may be a part of another.
  readonly #shown: ReadonlyArray<readonly [forms: RegExp, place: string]>;

  /** @throws {@link CommandError} with exit code 2 for what is no name, or a variable that is not set */
  constructor(names: readonly string[], env: NodeJS.ProcessEnv) {
    this.#values = new Map(names.map((name) => [name, valueOf(name, env)]));
    const longestFirst = [...this.#values].toSorted(([, one], [, other]) => other.length - one.length);
    this.#shown = longestFirst.map(([name, value]) => [formsOf(value), `{{${name}}}`]);
  }

  /** Whether there are none: then texts are passed through as they are. */
  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  /** Whether there is one of that name. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Whether the text has a place for one. */
  isIn(text: string): boolean {
    return this.fill(text) !== text;
  }

  /** The text with the secrets in their places. */
  fill(text: string): string {
    if (this.isEmpty) return text;
    return text.replaceAll(PLACE, (place, name: string) => this.#values.get(name) ?? place);
  }

  /** The URL with the secrets, percent-encoded, in their places: none can lead to another host. */
  fillUrl(url: string): string {
    if (this.isEmpty) return url;
    const encoded = (place: string, name: string): string => {
      const value = this.#values.get(name);
      return value === undefined ? place : encodeURIComponent(value);
    };
    return url.replaceAll(PLACE, encoded).replaceAll(ENCODED_PLACE, encoded);
  }

  /** The text with their places instead of the secrets. */
  hide(text: string): string {
    return this.#shown.reduce((hidden, [forms, place]) => hidden.replaceAll(forms, () => place), text);
  }
}

/** Every character as it is, or as a URL may have it; a space also as forms have it. */
function formsOf(value: string): RegExp {
  const characters = Array.from(value, (character) => {
    const bytes = Array.from(Buffer.from(character), (byte) => hexOf(byte)).join("");
    return `(?:${RegExp.escape(character)}|${bytes}${character === " " ? String.raw`|\+` : ""})`;
  });
  return new RegExp(characters.join(""), "g");
}

/** A byte percent-encoded, in capitals or not. */
function hexOf(byte: number): string {
  const digits = byte.toString(16).padStart(2, "0");
  return `%${digits.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)}`;
}

function valueOf(name: string, env: NodeJS.ProcessEnv): string {
  if (!NAME.test(name)) throw usageError("--secret needs the name of an environment variable, not a value");
  const value = env[name] ?? "";
  if (value === "") throw usageError(`--secret ${name}: the environment variable is not set`);
  return value;
}
