// Runs one test on virtual time and fails it for whatever it leaves behind.

import { TestError, UsageError } from "../errors.ts";
import { currentScopeNode, type Job, renderTaskTree, run, type Runner, type TaskNode, tasksIn } from "../lowlevel.ts";
import { show } from "../util/show.ts";
import { EventLog, type TestEvent } from "./event-log.ts";
import { DeadlockLookout, TimeLimit } from "./limits.ts";
import { MockClock } from "./mock-clock.ts";
import { nextTurn, ProcessWatch } from "./process-watch.ts";
import { seedToUse, withSeed } from "./seeds.ts";
import { TestDirector } from "./test-director.ts";

/** What every call that runs tests can be told. */
export interface TestOptions {
  /** Real milliseconds after which a test fails with a dump of its tasks. Default: 60 000. */
  readonly timeoutMs?: number | undefined;
  /** Codes (or names) of process warnings that the test provokes on purpose; any other one fails it. Default: none. */
  readonly expectWarnings?: readonly string[] | undefined;
}

/** Options of {@link runTest}. */
export interface RunTestOptions extends TestOptions {
  /** The clock of the test. Default: a new `MockClock` that jumps by itself. */
  readonly clock?: MockClock | undefined;
  /**
   * Decides who goes on when several can, in place of the order in which they were woken: the same seed gives the same
   * schedule. An integer from 0 to 2 ** 32 - 1; the variable `MEANWHILE_SEED` overrides it. Default: no seed.
   */
  readonly seed?: number | undefined;
  /** Told what happens in the test: see {@link TestEvent}. Must not throw. Default: nobody. */
  readonly onEvent?: ((event: TestEvent) => void) | undefined;
}

/**
 * Runs a test as the main task of a run on virtual time, and returns its value. The test fails if it leaves a task
 * running, if a promise rejects unhandled or the process emits a warning meanwhile, if its tasks wait for each other,
 * and after `timeoutMs` of real time, with a dump of its tasks.
 *
 * With a `seed` everything that meanwhile wakes or starts goes on in an order that the seed decides, one at a time. A
 * failure then says the seed at the end of its message, and carries the properties `seed` and `replay`.
 *
 * Cancellation: reaches the test, if a scope around it is cancelled; the call ends when the test has ended.
 *
 * @throws whatever the test throws; under a seed wrapped in `MW_ERR_THROWN_UNDER_SEED` if it can carry no property
 * @throws {@link TestError} `MW_ERR_LEFT_RUNNING`, `MW_ERR_TEST_TIMEOUT` or `MW_ERR_UNEXPECTED_WARNING`
 * @throws {@link DeadlockError} `MW_ERR_DEADLOCK` as soon as nothing can wake any task
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 * @see {@link https://kotlinlang.org/api/kotlinx.coroutines/kotlinx-coroutines-test/}
 *
 * @example
 * ```ts
 * import { gather, now, sleep } from "meanwhile";
 * import { runTest } from "meanwhile/testing";
 *
 * const took = await runTest(async () => {
 *   await gather([() => sleep(1_000), () => sleep(3_000)]);
 *   return now();
 * });
 * console.log(took); //> 3000
 * ```
 *
 * @example Another order of events for each seed
 * ```ts
 * import { Event, gather } from "meanwhile";
 * import { runTest } from "meanwhile/testing";
 *
 * async function race(): Promise<string> {
 *   const start = new Event();
 *   let order = "";
 *   const runner = (name: string) => async () => {
 *     await start.wait();
 *     order += name;
 *   };
 *   await gather([runner("a"), runner("b"), runner("c"), async () => start.set()]);
 *   return order;
 * }
 * console.log(await runTest(race)); //> abc
 * console.log(await runTest(race, { seed: 1 }), await runTest(race, { seed: 1 })); //> …
 * ```
 */
export async function runTest<T>(test: Job<T>, options: RunTestOptions = {}): Promise<T> {
  const { clock = new MockClock(), seed: given, onEvent = null } = options;
  checkTestOptions("run a test", options);
  if (given === undefined) return await runDirected(test, options, { clock, director: null, onEvent });
  const seed = seedToUse("run a test", given);
  return await runSeeded(test, options, { clock, director: new TestDirector(seed), onEvent }, seed);
}

/** Refuses bad options that all calls share. */
export function checkTestOptions(call: string, { timeoutMs }: TestOptions): void {
  if (timeoutMs === undefined || (typeof timeoutMs === "number" && timeoutMs > 0)) return;
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot ${call}: 'timeoutMs' is ${show(timeoutMs)}; pass a number of milliseconds > 0`,
  );
}

/** How one run of a test is carried out. */
export interface Direction {
  readonly clock: MockClock;
  /** Null leaves everything to chance. */
  readonly director: TestDirector | null;
  readonly onEvent: ((event: TestEvent) => void) | null;
}

/** Like {@link runDirected}; its failures say the seed. */
export async function runSeeded<T>(test: Job<T>, options: TestOptions, direction: Direction, seed: number): Promise<T> {
  try {
    return await runDirected(test, options, direction);
  } catch (error) {
    throw withSeed(error, seed);
  }
}

/** Runs one test, with options that were checked. */
export async function runDirected<T>(test: Job<T>, options: TestOptions, direction: Direction): Promise<T> {
  const { timeoutMs = 60_000, expectWarnings = [] } = options;
  const { clock, director } = direction;
  // A fresh turn of the event loop: what ran before must not have used up the test's budget, or it gives way elsewhere.
  await nextTurn();
  using watch = new ProcessWatch(expectWarnings);
  using limit = new TimeLimit(timeoutMs);
  using held = new DisposableStack();
  const lookout = held.use(new DeadlockLookout());
  clock.watchAlways((runners) => lookout.look(runners));
  held.defer(() => clock.unwatch());
  if (director !== null) director.onRest = () => clock.lookNow();
  const main = (): Promise<T> => {
    const { runner, task } = currentScopeNode();
    limit.runner = runner;
    runner.director = director ?? runner.director;
    if (direction.onEvent !== null) listen(held, runner, task, direction.onEvent);
    return runAndLookAround(test);
  };
  const ended = run(main, { clock, handleSignals: false });
  const value = await Promise.race([ended, limit.exceeded]);
  await watch.settle();
  return value;
}

function listen(
  held: DisposableStack,
  runner: Runner,
  main: TaskNode | null,
  onEvent: (event: TestEvent) => void,
): void {
  const log = held.use(new EventLog(runner, main, onEvent));
  const { director } = runner;
  if (director instanceof TestDirector) director.onResume = (scope) => log.resumed(scope);
}

async function runAndLookAround<T>(test: Job<T>): Promise<T> {
  const { runner, task } = currentScopeNode();
  const value = await (typeof test === "function" ? test() : test);
  const left = tasksIn(runner.root).filter((other) => other !== task);
  if (left.length > 0) {
    throw new TestError(
      "MW_ERR_LEFT_RUNNING",
      `Cannot end the test: it leaves ${left.length} of its tasks running; await or cancel them first\n${renderTaskTree(runner.root)}`,
    );
  }
  return value;
}
