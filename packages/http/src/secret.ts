// A value that must not be seen: in no log, no error, no dump.

import { badArgument } from "./checks.ts";

const SHOWN = "Secret(***)";

/**
 * Holds a password, a token or a key, and shows it to nobody who does not ask for it: not as text, JSON or in the console.
 * As the value of a header field it is sent to the origin that was asked for, and never along a redirect to another one.
 *
 * @example
 * ```ts
 * import { Secret } from "@meanwhile/http";
 *
 * const key = new Secret("s3cr3t");
 * console.log(`${key}`, JSON.stringify({ key }), key.reveal().length); //> Secret(***) {"key":"Secret(***)"} 6
 * ```
 */
export class Secret {
  readonly #value: string;

  /**
   * @param value - what is kept from sight
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` if it is not a string
   */
  constructor(value: string) {
    if (typeof value !== "string") {
      throw badArgument({ method: "make a", url: "Secret" }, "value", value, "a string; is a variable not set?");
    }
    this.#value = value;
  }

  /** The value itself. */
  reveal(): string {
    return this.#value;
  }

  /** `Secret(***)`. */
  toString(): string {
    return SHOWN;
  }

  /** `Secret(***)`. */
  toJSON(): string {
    return SHOWN;
  }
}

// Not a method of the class: it would be in its published type.
Object.defineProperty(Secret.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: () => SHOWN });
