// Checks of what the constructors in sync/ are given.

import { UsageError } from "../errors.ts";
import { show } from "../util/show.ts";

/** The error for an argument that cannot be used: cannot do what, what it is, what to pass. */
export function badArgument(what: string, parameter: string, value: unknown, wanted: string): UsageError {
  return new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot ${what}: '${parameter}' is ${show(value)}; pass ${wanted}`);
}

/** Whether `value` is an integer that is `least` or more. */
export function isCount(value: unknown, least: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least;
}
