// What every check of an argument uses. Nothing has been sent yet when one of these throws.

import { PostgresError } from "./errors.ts";

/** The error for an argument that cannot be used. */
export function badArgument(name: string, value: unknown, wanted: string): PostgresError {
  return new PostgresError("MW_ERR_PG_INVALID_ARGUMENT", `Cannot use '${name}': it is ${show(value)}; pass ${wanted}`);
}

/** Milliseconds above 0; `Infinity` means no limit. */
export function checkMs(name: string, value: number | undefined): void {
  if (value === undefined || (typeof value === "number" && value > 0)) return;
  throw badArgument(name, value, "milliseconds > 0, or Infinity for no limit");
}

/** A whole number, or `Infinity`. */
export function checkCount(name: string, value: number | undefined, least: number): void {
  if (value === undefined || value === Infinity || (Number.isInteger(value) && value >= least)) return;
  throw badArgument(name, value, `an integer >= ${least}, or Infinity for no limit`);
}

/** True, false, or nothing. */
export function checkFlag(name: string, value: unknown): void {
  if (value === undefined || typeof value === "boolean") return;
  throw badArgument(name, value, "true or false");
}

/** A text, or nothing. */
export function checkText(name: string, value: unknown): void {
  if (value === undefined || (typeof value === "string" && value !== "" && !value.includes("\0"))) return;
  throw badArgument(name, value, "a text that is not empty");
}

/** One of several words, or nothing. */
export function checkWord(name: string, value: unknown, words: ReadonlyArray<string>): void {
  if (value === undefined || (typeof value === "string" && words.includes(value))) return;
  throw badArgument(name, value, `one of ${words.join(", ")}`);
}

/** A function, or nothing. */
export function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw badArgument(name, value, "a function");
}

/** Names the kind of a value, and never its content, which may be secret. */
function show(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
