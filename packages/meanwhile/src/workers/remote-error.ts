// Errors on their way between threads: taken apart where they were thrown (encode-error.ts), put together where the call was made.
// What arrives is an error of the same class if that is a built-in one or one of ours; else of the nearest such class it
// extends, under its own name, or that of its class. `code`, `cause`, the errors of an AggregateError and all own properties
// that can be sent come with it.

import * as ours from "../errors.ts";
import type { EncodedError, EncodedValue } from "./encode-error.ts";
import { CLASSES } from "./error-classes.ts";

/**
 * Puts an error together again. Its stack is that of the place where it was thrown, then that of the call.
 *
 * A cancellation of the other side is nobody's here: it arrives as `TaskCancelledError`.
 *
 * @param callSite - made where the call was made; its stack is what is shown below
 * @returns the error, or the value that was thrown if it was none
 */
export function decodeError(encoded: EncodedError, callSite: Error): unknown {
  return new Decoder(callSite).decode(encoded);
}

class Decoder {
  readonly #done = new Map<EncodedError, Error>();
  readonly #calledFrom: string;

  constructor(callSite: Error) {
    this.#calledFrom = framesOf(callSite.stack ?? "");
  }

  decode(encoded: EncodedError): unknown {
    if (encoded.type !== "") {
      const error = this.#error(encoded);
      if (encoded.type !== "CancelledError") return this.#withCall(error);
      return new ours.TaskCancelledError("a call in another thread", this.#withCall(error));
    }
    const [thrown] = encoded.properties;
    if (thrown !== undefined) return this.#value(thrown.value);
    return this.#withCall(bare("Error", encoded.message));
  }

  #error(encoded: EncodedError): Error {
    const known = this.#done.get(encoded);
    if (known !== undefined) return known;
    const error = bare(encoded.type, encoded.message, encoded.name);
    this.#done.set(encoded, error);
    for (const { key, value, enumerable } of encoded.properties) {
      define(error, key, this.#value(value), enumerable);
    }
    if (error.name !== encoded.name) define(error, "name", encoded.name, false);
    define(error, "stack", withoutOurEnd(encoded.stack), false);
    return error;
  }

  #value(value: EncodedValue): unknown {
    if (value.kind === "error") return this.#error(value.error);
    return value.kind === "list" ? value.list.map((item) => this.#value(item)) : value.value;
  }

  /** Only for the error itself: those behind it were thrown in the same call. */
  #withCall(error: Error): Error {
    const frames = this.#calledFrom;
    if (frames !== "") define(error, "stack", `${error.stack}\n${CALLED_FROM}\n${frames}`, false);
    return error;
  }
}

/** Stands between the two stacks; whoever reads stacks line by line passes over it. */
const CALLED_FROM = "  called from";

/** An error of the class with nothing but a message: no constructor of ours could be given what it needs. */
function bare(type: string, message: string, name = "Error"): Error {
  if (type === "DOMException") return Reflect.construct(DOMException, [message, name]) as Error;
  const known = CLASSES.get(type) ?? Error;
  const error = new Error();
  define(error, "stack", `Error: ${message}`, false);
  define(error, "message", message, false);
  // A cancellation is only that with a scope of this thread.
  const prototype: object = type === "CancelledError" ? Error.prototype : known.prototype;
  return Object.setPrototypeOf(error, prototype) as Error;
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Reflect.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}

/** The frames of a stack, from the first that is not ours. */
function framesOf(stack: string): string {
  const lines = stack.split("\n");
  const first = lines.findIndex((line) => FRAME.test(line) && !isOurs(line));
  return first === -1 ? "" : lines.slice(first).join("\n");
}

const FRAME = /^ +at /;

// Everything of this package lies below.
const HOME = new URL("..", import.meta.url).href;

/** Without the frames of ours at its end: how the call came to the function is no news. */
function withoutOurEnd(stack: string): string {
  const lines = stack.split("\n");
  while (isOurs(lines.at(-1) ?? "")) lines.pop();
  return lines.join("\n");
}

function isOurs(line: string): boolean {
  return FRAME.test(line) && (line.includes(HOME) || /[ (]node:/.test(line));
}
