// The classes of errors that both sides know. An error of any other class arrives as one of the nearest of these that it
// extends, under its own name.

import * as core from "meanwhile";
import * as workers from "meanwhile/workers";

import { ClusterError } from "./errors.ts";

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
  ClusterError,
];

const CLASSES: Map<string, ErrorClass> = new Map(BUILT_IN.map((known) => [known.name, known]));

for (const exported of [...Object.values(core), ...Object.values(workers)] as unknown[]) {
  if (typeof exported === "function" && exported.prototype instanceof Error)
    CLASSES.set(exported.name, exported as ErrorClass);
}
// A realm without explicit resource management has no such class.
if (typeof SuppressedError === "function") CLASSES.set("SuppressedError", SuppressedError);

/** The name of the nearest class in the chain of prototypes that the other side has too. */
export function classNameOf(error: Error): string {
  for (let prototype: unknown = Object.getPrototypeOf(error); prototype !== null;) {
    const name: unknown = (prototype as Error).constructor?.name;
    // By prototype: a class of the user's may have the name of one of ours.
    if (typeof name === "string" && CLASSES.get(name)?.prototype === prototype) return name;
    prototype = Object.getPrototypeOf(prototype);
  }
  return "Error";
}

/** An error of the class with nothing but a message: no constructor could be given what it needs. */
export function bareError(type: string, name: string, message: string): Error {
  if (type === "DOMException") return Reflect.construct(DOMException, [message, name]) as Error;
  const error = new Error();
  define(error, "message", message, false);
  // A cancellation is only that with a scope of this process.
  const known: ErrorClass = type === "CancelledError" ? Error : (CLASSES.get(type) ?? Error);
  Object.setPrototypeOf(error, known.prototype as object);
  if (error.name !== name) define(error, "name", name, false);
  return error;
}

/** Sets a property of an error, whatever its class says of it. */
export function define(error: object, key: string, value: unknown, enumerable: boolean): void {
  Reflect.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}
