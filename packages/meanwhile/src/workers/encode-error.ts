// Errors on their way between threads, taken apart where they were thrown; see remote-error.ts.

import { isMainThread } from "node:worker_threads";

import { show } from "../util/show.ts";
import { BUILT_IN, CLASSES, type ErrorClass } from "./error-classes.ts";
import { canLeaveProcess } from "./foreign-values.ts";
import { cloneOf } from "./gone-values.ts";

/** An error as a message carries it. Structured clone keeps circles, so an error that is its own cause stays one. */
export interface EncodedError {
  /** The class: a built-in one, one of ours, or "" for a value that was thrown and is no error. */
  readonly type: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly properties: EncodedProperty[];
}

/** A property of it. */
interface EncodedProperty {
  readonly key: string;
  readonly value: EncodedValue;
  readonly enumerable: boolean;
}

/** A value of a property; errors in it are taken apart too. */
export type EncodedValue =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: EncodedError }
  | { readonly kind: "list"; readonly list: ReadonlyArray<EncodedValue> };

/** How many errors may hang on each other: whoever reads them has a stack too. */
const LONGEST_CHAIN = 100;

/** Takes an error apart, or whatever else was thrown. Never throws; what cannot be sent is left out. */
export function encodeError(error: unknown): EncodedError {
  try {
    return new Encoder().encode(error);
  } catch {
    return plain("The error that was thrown cannot be read");
  }
}

function plain(message: string): EncodedError {
  return { type: "Error", name: "Error", message, stack: `Error: ${message}`, properties: [] };
}

class Encoder {
  readonly #done = new Map<unknown, EncodedError>();
  #depth = 0;

  encode(thrown: unknown): EncodedError {
    return isError(thrown) ? this.#error(thrown) : this.#otherValue(thrown);
  }

  #error(error: Error): EncodedError {
    const known = this.#done.get(error);
    if (known !== undefined) return known;
    if (this.#depth >= LONGEST_CHAIN) return plain(`More than ${LONGEST_CHAIN} causes: the rest is left out`);
    const type = typeOf(error);
    const properties: EncodedProperty[] = [];
    const { message, stack } = error;
    const encoded = { type, name: nameOf(error, type), message: textOf(message), stack: textOf(stack), properties };
    this.#done.set(error, encoded); // before its causes: one of them may be this error
    this.#depth += 1;
    for (const key of Object.getOwnPropertyNames(error)) {
      const property = key === "stack" || key === "message" ? null : this.#property(error, key);
      if (property !== null) properties.push(property);
    }
    this.#depth -= 1;
    properties.push(...detailsOf(error));
    return encoded;
  }

  #otherValue(value: unknown): EncodedError {
    const message = `What was thrown cannot be cloned: it is ${show(value)}`;
    const inside = this.#value(value);
    const properties = inside === null ? [] : [{ key: "value", value: inside, enumerable: true }];
    return { type: "", name: "Error", message, stack: "", properties };
  }

  #property(error: Error, key: string): EncodedProperty | null {
    const descriptor = Object.getOwnPropertyDescriptor(error, key);
    if (descriptor === undefined) return null;
    const value = this.#value("value" in descriptor ? descriptor.value : read(error, key));
    return value === null ? null : { key, value, enumerable: descriptor.enumerable === true };
  }

  /** Null for what cannot be sent. */
  #value(value: unknown): EncodedValue | null {
    if (isError(value)) return { kind: "error", error: this.#error(value) };
    if (Array.isArray(value) && value.some(isError)) {
      return { kind: "list", list: value.map((item) => this.#value(item) ?? NOTHING) };
    }
    return isCloneable(value) ? { kind: "value", value } : null;
  }
}

const NOTHING: EncodedValue = { kind: "value", value: undefined };

/** What tells errors apart, for those whose class has it as a getter. */
const DETAILS = ["code", "errno", "syscall", "path", "dest"];

function detailsOf(error: Error): EncodedProperty[] {
  if (error instanceof DOMException) return []; // its class has them over there too
  return DETAILS.flatMap((key) => {
    const value = Object.hasOwn(error, key) ? undefined : read(error, key);
    if (typeof value !== "string" && typeof value !== "number") return [];
    return [{ key, value: { kind: "value", value }, enumerable: false }];
  });
}

/** A property, through getters of the user's. */
function read(error: Error, key: string): unknown {
  try {
    return Reflect.get(error, key);
  } catch {
    return undefined;
  }
}

/** The name of its own, or of a class that is not known on the other side and gives it none. */
function nameOf(error: Error, type: string): string {
  const name = textOf(error.name);
  const ofClass: unknown = error.constructor?.name;
  if (name !== type || Object.hasOwn(error, "name") || typeof ofClass !== "string" || ofClass === "") return name;
  return ofClass;
}

/** The types say that it is a text; whoever made the error may have seen it otherwise. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : show(value ?? "");
}

/** Whether it is a real error, of this realm or another, or a DOMException. */
function isError(value: unknown): value is Error {
  return Error.isError(value) || value instanceof DOMException; // in Bun it is no error
}

/** The name of the nearest class in the chain of prototypes that the other side has too. */
function typeOf(error: Error): string {
  for (let prototype: unknown = Object.getPrototypeOf(error); prototype !== null;) {
    const { constructor } = prototype as Error;
    const name: unknown = constructor?.name;
    // By prototype: a class of the user's may have the name of one of ours.
    if (typeof name === "string" && CLASSES.get(name)?.prototype === prototype) return name;
    if (isOfOtherRealm(constructor, prototype)) return constructor.name;
    prototype = Object.getPrototypeOf(prototype);
  }
  return "Error";
}

/** Whether it is the built-in class of errors of another realm, like a context of `node:vm`. */
function isOfOtherRealm(constructor: unknown, prototype: unknown): constructor is ErrorClass {
  if (typeof constructor !== "function" || constructor.prototype !== prototype) return false;
  const isNative = /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(constructor));
  return isNative && BUILT_IN.some(({ name }) => name === constructor.name);
}

function isCloneable(value: unknown): boolean {
  if (typeof value === "function" || typeof value === "symbol") return false;
  if (typeof value !== "object" || value === null) return true;
  // Only workers take errors apart, and one on a main thread is a process.
  if (isMainThread) return canLeaveProcess(value);
  try {
    cloneOf(value);
    return true;
  } catch {
    return false;
  }
}
