// Checks of options, the same in every package; each refuses with an error of its own.

/** Makes the error for an option that cannot be used. */
export type RefuseOption = (name: string, value: unknown, wanted: string) => Error;

/**
 * Checks of options: each method returns if the option may be left out or used, and throws otherwise, saying what to pass.
 *
 * @example
 * ```ts
 * import { OptionChecks, showKind } from "meanwhile/lowlevel";
 *
 * const checks = new OptionChecks(
 *   (name, value, wanted) => new TypeError(`'${name}' is ${showKind(value)}; pass ${wanted}`),
 * );
 * checks.ms("timeoutMs", 5_000);
 * try {
 *   checks.flag("isFast", "yes");
 * } catch (error) {
 *   console.log((error as Error).message); //> 'isFast' is a string; pass true or false
 * }
 * ```
 */
export class OptionChecks {
  readonly #refuse: RefuseOption;

  /** @param refuse - makes the error that is thrown */
  constructor(refuse: RefuseOption) {
    this.#refuse = refuse;
  }

  /** Milliseconds above 0; `Infinity` means no limit. */
  ms(name: string, value: number | undefined): void {
    if (value === undefined || (typeof value === "number" && value > 0)) return;
    throw this.#refuse(name, value, "milliseconds > 0, or Infinity for no limit");
  }

  /** A whole number, or `Infinity`. */
  count(name: string, value: number | undefined, least: number): void {
    if (value === undefined || value === Infinity || (Number.isInteger(value) && value >= least)) return;
    throw this.#refuse(name, value, `an integer >= ${least}, or Infinity for no limit`);
  }

  /** True or false. */
  flag(name: string, value: unknown): void {
    if (value === undefined || typeof value === "boolean") return;
    throw this.#refuse(name, value, "true or false");
  }

  /** A text with something in it, and no NUL. */
  text(name: string, value: unknown): void {
    if (value === undefined || (typeof value === "string" && value !== "" && !value.includes("\0"))) return;
    throw this.#refuse(name, value, "a text that is not empty");
  }

  /** One of several words. */
  word(name: string, value: unknown, words: ReadonlyArray<string>): void {
    if (value === undefined || (typeof value === "string" && words.includes(value))) return;
    throw this.#refuse(name, value, `one of ${words.join(", ")}`);
  }

  /** A function. */
  function(name: string, value: unknown): void {
    if (value === undefined || typeof value === "function") return;
    throw this.#refuse(name, value, "a function");
  }
}

/** Names the kind of a value, and its content only if that is a number or a flag: texts and objects may be secret. */
export function showKind(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
