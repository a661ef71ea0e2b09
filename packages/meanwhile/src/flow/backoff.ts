// How long to wait before the next attempt: pure functions of the attempt's number.

import { UsageError } from "../errors.ts";
import { currentScopeNode } from "../lowlevel.ts";
import { badArgument, checkOptions } from "../util/arguments.ts";

/** Milliseconds to wait after the failed attempt number `attempt` (1 for the first), which threw `error`. */
export type Backoff = (attempt: number, error: unknown) => number;

/** Options of {@link exponential}. */
export interface ExponentialOptions {
  /** The longest first wait in milliseconds. Default: 100. */
  readonly baseMs?: number | undefined;
  /** By how much each wait is longer than the one before. Default: 2. */
  readonly factor?: number | undefined;
  /** The longest wait in milliseconds. Default: 30 000. */
  readonly maxMs?: number | undefined;
  /**
   * `"full"` waits a random time between 0 and the computed one, so that many clients do not come back together;
   * `"equal"` between half of it and all of it, so that none comes back at once; `"none"` the computed time.
   * Default: `"full"`.
   */
  readonly jitter?: "full" | "equal" | "none" | undefined;
  /** The source of randomness, in [0, 1). Default: `Math.random`, or the seed of a test that has one. */
  readonly random?: (() => number) | undefined;
}

/**
 * Waits longer each time: `baseMs`, `baseMs * factor`, … up to `maxMs`, by default each times a random number.
 *
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a negative time, a factor below 1, or another bad option
 * @see {@link https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/}
 *
 * @example
 * ```ts
 * import { exponential } from "meanwhile";
 *
 * const backoff = exponential({ baseMs: 100, jitter: "none" });
 * console.log([1, 2, 3].map((attempt) => backoff(attempt, undefined))); //> [ 100, 200, 400 ]
 * ```
 */
export function exponential(options: ExponentialOptions = {}): Backoff {
  checkOptions("exponential", options, "{ baseMs: 100 }");
  const { baseMs = 100, factor = 2, maxMs = 30_000, jitter = "full", random = chance } = options;
  checkDelay("exponential", "baseMs", baseMs);
  checkDelay("exponential", "maxMs", maxMs);
  if (!(typeof factor === "number" && factor >= 1)) throw badBackoff("exponential", "factor", factor, "a number >= 1");
  if (!Object.hasOwn(PART_BY_CHANCE, jitter)) {
    throw badBackoff("exponential", "jitter", jitter, 'one of "full", "equal" and "none"');
  }
  if (typeof random !== "function") throw badBackoff("exponential", "random", random, "a function like Math.random");
  const byChance = PART_BY_CHANCE[jitter];
  return (attempt) => {
    // The power overflows to Infinity after a thousand attempts, and 0 * Infinity is NaN.
    const longest = baseMs === 0 ? 0 : Math.min(maxMs, baseMs * factor ** (attempt - 1));
    return byChance === 0 ? longest : longest * (1 - byChance + byChance * random());
  };
}

function chance(): number {
  return currentScopeNode().runner.director?.random() ?? Math.random();
}

/** Which part of the wait is left to chance. */
const PART_BY_CHANCE = { full: 1, equal: 0.5, none: 0 } as const;

/**
 * Waits `delayMs` each time.
 *
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a negative time
 */
export function fixed(delayMs: number): Backoff {
  checkDelay("fixed", "delayMs", delayMs);
  return () => delayMs;
}

/**
 * Waits the given milliseconds in turn; after the last one, that one again.
 *
 * @throws {@link UsageError} `MW_ERR_EMPTY` for no times, `MW_ERR_INVALID_ARGUMENT` for a negative one
 */
export function chain(...delaysMs: readonly number[]): Backoff {
  const last = delaysMs.at(-1);
  if (last === undefined) {
    throw new UsageError("MW_ERR_EMPTY", "Cannot make a chain of no waits; pass at least one time in milliseconds");
  }
  delaysMs.forEach((delayMs) => checkDelay("chain", "delaysMs", delayMs));
  return (attempt) => delaysMs[attempt - 1] ?? last;
}

function checkDelay(call: string, parameter: string, value: unknown): void {
  if (!(typeof value === "number" && value >= 0)) throw badBackoff(call, parameter, value, "milliseconds >= 0");
}

function badBackoff(call: string, parameter: string, value: unknown, wanted: string): UsageError {
  return badArgument(`make a backoff with ${call}`, parameter, value, wanted);
}
