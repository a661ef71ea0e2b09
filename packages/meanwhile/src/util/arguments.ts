// Checks of what public functions are given, made before anything is started or lost.

import { UsageError } from "../errors.ts";
import { show } from "./show.ts";

/** The error for an argument that cannot be used: cannot do what, what it is, what to pass. */
export function badArgument(what: string, parameter: string, value: unknown, wanted: string): UsageError {
  return new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot ${what}: '${parameter}' is ${show(value)}; pass ${wanted}`);
}

/**
 * Rejects what is no object of options: it would be read as if nothing had been given.
 *
 * @param call - the function that was called
 * @param like - what could have been meant
 */
export function checkOptions(call: string, options: unknown, like = "{ signal }"): void {
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options);
  if (isObject && Object.prototype.toString.call(options) !== "[object AbortSignal]") return;
  const what = isObject ? "an AbortSignal" : show(options);
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot use ${what} as the options of ${call}; pass an object, like ${like}`,
  );
}

/** Whether `value` is a number of milliseconds, or a time; `Infinity` and what has passed are. */
export function isTime(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(value);
}

/** Whether `value` is an integer that is `least` or more. */
export function isCount(value: unknown, least: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least;
}
