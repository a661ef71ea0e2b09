// Errors on their way between threads: taken apart where they were thrown, put together where the call was made.
// What arrives is an error of the same class if that is a built-in one or one of ours; else of the nearest such class it
// extends, under its own name. `code`, `cause`, the errors of an AggregateError and all own properties that can be cloned
// come with it.

import * as ours from "../errors.ts";
import { show } from "../util/show.ts";
import * as workers from "./errors.ts";

/** An error as a message carries it. Structured clone keeps circles, so an error that is its own cause stays one. */
export interface EncodedError {
  /** The class: a built-in one, one of ours, or "" for a value that was thrown and is no error. */
  readonly type: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly properties: EncodedProperty[];
}

interface EncodedProperty {
  readonly key: string;
  readonly value: EncodedValue;
  readonly enumerable: boolean;
}

type EncodedValue =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: EncodedError }
  | { readonly kind: "list"; readonly list: ReadonlyArray<EncodedValue> };

type ErrorClass = abstract new (...args: never[]) => Error;

const BUILT_IN: readonly ErrorClass[] = [
  Error,
  AggregateError,
  DOMException,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

const CLASSES: Map<string, ErrorClass> = new Map(BUILT_IN.map((known) => [known.name, known]));

for (const exported of [...Object.values(ours), ...Object.values(workers)]) {
  if (typeof exported === "function" && exported.prototype instanceof Error)
    CLASSES.set(exported.name, exported as ErrorClass);
}
// A realm without explicit resource management has no such class.
if (typeof SuppressedError === "function") CLASSES.set("SuppressedError", SuppressedError);

/** Takes an error apart, or whatever else was thrown. Never throws; what cannot be cloned is left out. */
export function encodeError(error: unknown): EncodedError {
  try {
    return encode(error, new Map());
  } catch {
    const message = "The error that was thrown cannot be read";
    return { type: "Error", name: "Error", message, stack: `Error: ${message}`, properties: [] };
  }
}

function encode(error: unknown, done: Map<unknown, EncodedError>): EncodedError {
  const known = done.get(error);
  if (known !== undefined) return known;
  if (!isError(error)) return encodeThrown(error);
  const type = typeOf(error);
  const properties: EncodedProperty[] = [];
  const encoded: EncodedError = {
    type,
    name: textOf(error.name),
    message: textOf(error.message),
    stack: textOf(error.stack),
    properties,
  };
  done.set(error, encoded); // before its causes: one of them may be this error
  for (const key of Object.getOwnPropertyNames(error)) {
    if (key === "stack" || key === "message") continue;
    const property = encodeProperty(error, key, done);
    if (property !== null) properties.push(property);
  }
  return encoded;
}

/** The types say that it is a text; whoever made the error may have seen it otherwise. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : show(value ?? "");
}

/** Whether it is a real error, of this realm or another, or a DOMException. */
function isError(value: unknown): value is Error {
  return Error.isError(value);
}

function encodeThrown(value: unknown): EncodedError {
  const message = `What was thrown cannot be cloned: it is ${show(value)}`;
  const inside = encodeValue(value, new Map());
  const properties = inside === null ? [] : [{ key: "value", value: inside, enumerable: true }];
  return { type: "", name: "Error", message, stack: "", properties };
}

/** The name of the nearest class in the chain of prototypes that the other side has too. */
function typeOf(error: Error): string {
  for (let prototype: unknown = Object.getPrototypeOf(error); prototype !== null;) {
    const name: unknown = (prototype as Error).constructor?.name;
    // By prototype: a class of the user's may have the name of one of ours.
    if (typeof name === "string" && CLASSES.get(name)?.prototype === prototype) return name;
    prototype = Object.getPrototypeOf(prototype);
  }
  return "Error";
}

function encodeProperty(error: Error, key: string, done: Map<unknown, EncodedError>): EncodedProperty | null {
  const descriptor = Object.getOwnPropertyDescriptor(error, key);
  // A getter of one's own would run code of the user's here.
  if (descriptor === undefined || !("value" in descriptor)) return null;
  const value = encodeValue(descriptor.value, done);
  return value === null ? null : { key, value, enumerable: descriptor.enumerable === true };
}

/** Null for what cannot be cloned. */
function encodeValue(value: unknown, done: Map<unknown, EncodedError>): EncodedValue | null {
  if (isError(value)) return { kind: "error", error: encode(value, done) };
  if (Array.isArray(value) && value.some(isError)) {
    const list = value.map((item) => encodeValue(item, done) ?? NOTHING);
    return { kind: "list", list };
  }
  return isCloneable(value) ? { kind: "value", value } : null;
}

const NOTHING: EncodedValue = { kind: "value", value: undefined };

function isCloneable(value: unknown): boolean {
  if (typeof value === "function" || typeof value === "symbol") return false;
  if (typeof value !== "object" || value === null) return true;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

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
