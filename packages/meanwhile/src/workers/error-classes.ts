// The classes of errors that both sides of a message have.

import * as ours from "../errors.ts";
import * as workers from "./errors.ts";

/** A class of errors. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Those of the language, and the one of the web. */
export const BUILT_IN: readonly ErrorClass[] = [
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

/** Those and ours, by name. */
export const CLASSES: Map<string, ErrorClass> = new Map(BUILT_IN.map((known) => [known.name, known]));

for (const exported of [...Object.values(ours), ...Object.values(workers)]) {
  if (typeof exported === "function" && exported.prototype instanceof Error)
    CLASSES.set(exported.name, exported as ErrorClass);
}
// A realm without explicit resource management has no such class.
if (typeof SuppressedError === "function") CLASSES.set("SuppressedError", SuppressedError);
