// What every call that runs tests can be told, and the refusal of anything else.

import { UsageError } from "../errors.ts";
import { badArgument, checkOptions, isCount } from "../util/arguments.ts";
import { show } from "../util/show.ts";

/** What every call that runs tests can be told. */
export interface TestOptions {
  /** Real milliseconds after which a test fails with a dump of its tasks. Default: 60 000. */
  readonly timeoutMs?: number | undefined;
  /** Codes (or names) of process warnings that the test provokes on purpose; any other one fails it. Default: none. */
  readonly expectWarnings?: readonly string[] | undefined;
}

/** A function of this package, as errors name it: `runTest`, which cannot `run a test`. */
export interface Call {
  readonly name: string;
  readonly act: string;
  /** The options it has beside those of {@link TestOptions}. */
  readonly options: readonly string[];
}

/** The error for what no sentence of {@link badArgument} says. */
export function cannot(act: string, why: string): UsageError {
  return new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot ${act}: ${why}`);
}

/** Refuses what is no object of options, options that there are not, and bad ones that all calls share. */
export function checkTestOptions({ name, act, options: own }: Call, options: TestOptions): void {
  checkOptions(name, options, "{ timeoutMs: 1_000 }");
  const known = ["timeoutMs", "expectWarnings", ...own];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw cannot(act, `${name} has no option ${show(unknown)}; it has ${known.join(", ")}`);
  }
  const { timeoutMs, expectWarnings } = options;
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs > 0)) {
    throw badArgument(act, "timeoutMs", timeoutMs, "a number of milliseconds > 0");
  }
  if (expectWarnings !== undefined && !isListOfStrings(expectWarnings)) {
    throw badArgument(act, "expectWarnings", expectWarnings, 'an array of codes, like ["MW_WARN_SUPPRESSED"]');
  }
}

function isListOfStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** Refuses what is given for a function, unless it is one or nothing. */
export function checkFunction(act: string, parameter: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") throw badArgument(act, parameter, value, "a function");
}

/** Refuses a number of runs, tasks or the like that is none. */
export function checkCount(act: string, parameter: string, value: unknown, least = 1): void {
  if (!isCount(value, least)) throw badArgument(act, parameter, value, `an integer >= ${least}`);
}
