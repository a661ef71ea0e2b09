// Runs a test under many schedules: what depends on the order in which things happen shows.

import { TestError } from "../errors.ts";
import { badArgument } from "../util/arguments.ts";
import type { TestEvent } from "./event-log.ts";
import { MockClock } from "./mock-clock.ts";
import { runSeeded } from "./run-test.ts";
import { seedsToUse, withSeed } from "./seeds.ts";
import { TestDirector } from "./test-director.ts";
import { type Call, checkCount, checkTestOptions, type TestOptions } from "./test-options.ts";

const CALL: Call = {
  name: "exploreSchedules",
  act: "explore schedules",
  options: ["schedules", "seed", "checkDeterminism"],
};

/** Options of {@link exploreSchedules}. */
export interface ExploreOptions extends TestOptions {
  /** How many schedules are tried; an integer >= 1. Default: 100. */
  readonly schedules?: number | undefined;
  /** The seed of the first schedule; each one after it takes the next integer. Default: 1. */
  readonly seed?: number | undefined;
  /**
   * Whether each schedule is run twice, and fails unless the same happens in both. A test that passes depends on nothing but
   * its seed, so each of its failures can be run again. Default: false.
   */
  readonly checkDeterminism?: boolean | undefined;
}

/**
 * Runs a test as {@link runTest} does, once under each of many seeds, and returns what it returned under each. Stops at the
 * first failure, which names its seed and carries the properties `seed` and `replay`. With the variable `MEANWHILE_SEED` set, only that one
 * schedule is run.
 *
 * Foreign promises, real time and `Math.random` are not decided by the seed; `checkDeterminism` finds a test that depends on
 * them.
 *
 * Cancellation: reaches the test, if a scope around it is cancelled; the call ends when the test has ended.
 *
 * @param test - called for each schedule with its seed; has to make everything it uses anew
 * @throws whatever the test throws, and what `runTest` throws
 * @throws {@link TestError} `MW_ERR_NOT_DETERMINISTIC` with the first event that differs
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 * @see {@link https://docs.rs/shuttle/latest/shuttle/fn.check_random.html}
 *
 * @example An update that is lost in some schedules
 * ```ts
 * import { checkpoint, gather } from "meanwhile";
 * import { exploreSchedules } from "meanwhile/testing";
 *
 * const totals = await exploreSchedules(async () => {
 *   let total = 0;
 *   const add = async () => {
 *     await checkpoint();
 *     const before = total;
 *     await checkpoint();
 *     total = before + 1;
 *   };
 *   await gather([add, add]);
 *   return total;
 * });
 * console.log(Math.max(...totals), Math.min(...totals)); //> 2 1
 * ```
 */
export async function exploreSchedules<T>(
  test: (seed: number) => T | PromiseLike<T>,
  options: ExploreOptions = {},
): Promise<T[]> {
  return explore(test, options, false);
}

/** {@link exploreSchedules}, of tests that may have to leave waits behind which nothing can end. */
export async function explore<T>(test: Test<T>, options: ExploreOptions, mayLeaveWaits: boolean): Promise<T[]> {
  checkTestOptions(CALL, options);
  if (typeof test !== "function") throw badArgument(CALL.act, "test", test, "a function that can be called again");
  const { schedules = 100, seed: first = 1, checkDeterminism = false } = options;
  checkCount(CALL.act, "schedules", schedules);
  if (typeof checkDeterminism !== "boolean") {
    throw badArgument(CALL.act, "checkDeterminism", checkDeterminism, "a boolean");
  }
  const values: T[] = [];
  for (const seed of seedsToUse(CALL.act, first, schedules)) {
    const given = { test, options, seed, mayLeaveWaits };
    values.push(await (checkDeterminism ? exploreTwice(given) : exploreOnce(given, null)));
  }
  return values;
}

type Test<T> = (seed: number) => T | PromiseLike<T>;

interface Exploration<T> {
  readonly test: Test<T>;
  readonly options: TestOptions;
  readonly seed: number;
  readonly mayLeaveWaits: boolean;
}

function exploreOnce<T>(
  { test, options, seed, mayLeaveWaits }: Exploration<T>,
  onEvent: ((event: TestEvent) => void) | null,
): Promise<T> {
  return runSeeded(
    () => test(seed),
    options,
    { clock: new MockClock(), director: new TestDirector(seed), onEvent, mayLeaveWaits },
    seed,
  );
}

async function exploreTwice<T>(given: Exploration<T>): Promise<T> {
  const { seed } = given;
  const [first, second]: [string[], string[]] = [[], []];
  const value = await exploreOnce(given, (event) => void first.push(String(event)));
  let failure: { readonly error: unknown } | null = null;
  try {
    await exploreOnce(given, (event) => void second.push(String(event)));
  } catch (error) {
    failure = { error };
  }
  // First: a failure that comes only the second time is explained by what differs.
  const at = firstDifference(first, second);
  if (at !== -1) throw withSeed(notDeterministic(first, second, at, seed, failure), seed);
  if (failure !== null) throw failure.error;
  return value;
}

function firstDifference(first: readonly string[], second: readonly string[]): number {
  const longer = first.length > second.length ? first : second;
  return longer.findIndex((_, i) => first[i] !== second[i]);
}

/** How many of the events before the first difference are shown. */
const EVENTS_BEFORE = 5;

function notDeterministic(
  first: readonly string[],
  second: readonly string[],
  at: number,
  seed: number,
  failure: { readonly error: unknown } | null,
): TestError {
  const before = first.slice(Math.max(0, at - EVENTS_BEFORE), at).map((line) => `  ${line}`);
  return new TestError(
    "MW_ERR_NOT_DETERMINISTIC",
    [
      `Cannot repeat the schedule of seed ${seed}: event ${at + 1} differs between two runs; something decides that is not meanwhile's: real time, Math.random, a foreign promise, or state kept from one run to the next`,
      ...before,
      `first run:  ${first[at] ?? "has ended"}`,
      `second run: ${second[at] ?? "has ended"}`,
    ].join("\n"),
    failure === null ? {} : { cause: failure.error },
  );
}
