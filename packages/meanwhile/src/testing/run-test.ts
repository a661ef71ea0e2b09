// Runs one test on virtual time and fails it for whatever it leaves behind.

import { TestError } from "../errors.ts";
import {
  checkJob,
  currentScopeNode,
  disown,
  type Job,
  renderTaskTree,
  run,
  type Runner,
  type TaskNode,
  tasksIn,
} from "../lowlevel.ts";
import { badArgument } from "../util/arguments.ts";
import { EventLog, type TestEvent } from "./event-log.ts";
import { Before, TimerWatch } from "./leftovers.ts";
import { DeadlockLookout, TimeLimit } from "./limits.ts";
import { MockClock } from "./mock-clock.ts";
import { nextTurn, ProcessWatch } from "./process-watch.ts";
import { seedToUse, withSeed } from "./seeds.ts";
import { TestDirector } from "./test-director.ts";
import { type Call, checkFunction, checkTestOptions, type TestOptions } from "./test-options.ts";

const CALL: Call = { name: "runTest", act: "run a test", options: ["clock", "seed", "onEvent"] };

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
 * running, a wait that nobody awaits, a deadline or a timer of the host, if a promise rejects unhandled or the process emits
 * a warning meanwhile, if its tasks wait for each other, and after `timeoutMs` of real time, with a dump of its tasks.
 *
 * Timers are told by their number: there may not be more that keep the process alive at the end than at the start. They are
 * not looked at on hosts that do not tell (Bun), and while another test runs in the process. Warnings, rejections and timers
 * belong to the process, so run one test after the other: two at the same time are blamed for each other.
 *
 * With a `seed` everything that meanwhile wakes or starts goes on in an order that the seed decides, one at a time. A
 * failure then says the seed at the end of its message, and carries the properties `seed` and `replay`.
 *
 * Cancellation: reaches the test, if a scope around it is cancelled; the call ends when the test has ended.
 *
 * @throws whatever the test throws; under a seed wrapped in `MW_ERR_THROWN_UNDER_SEED` if it can carry no property
 * @throws {@link TestError} `MW_ERR_LEFT_RUNNING`, `MW_ERR_LEFT_BEHIND`, `MW_ERR_TEST_TIMEOUT` or `MW_ERR_UNEXPECTED_WARNING`
 * @throws {@link DeadlockError} `MW_ERR_DEADLOCK` as soon as nothing can wake any task
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a test that is no job, or a bad or unknown option
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
  const seed = checkArguments(test, options);
  const { clock = new MockClock(), onEvent = null } = options;
  if (seed === null) return await runTidily(test, options, { clock, director: null, onEvent });
  return await runSeeded(test, options, { clock, director: new TestDirector(seed), onEvent }, seed);
}

/** Returns the seed to use, if there is one. */
function checkArguments(test: unknown, options: RunTestOptions): number | null {
  checkJob(test, CALL.name);
  try {
    checkTestOptions(CALL, options);
    const { clock, seed, onEvent } = options;
    if (clock !== undefined && !(clock instanceof MockClock))
      throw badArgument(CALL.act, "clock", clock, "a MockClock");
    checkFunction(CALL.act, "onEvent", onEvent);
    return seed === undefined ? null : seedToUse(CALL.act, seed);
  } catch (error) {
    disown(test); // a coroutine is not forgotten: it was refused
    throw error;
  }
}

/** How one run of a test is carried out. */
export interface Direction {
  readonly clock: MockClock;
  /** Null leaves everything to chance. */
  readonly director: TestDirector | null;
  readonly onEvent: ((event: TestEvent) => void) | null;
  /** Whether waits that nothing can end are left behind on purpose. Default: false. */
  readonly mayLeaveWaits?: boolean;
}

/** Runs one test that may leave no timer behind, with options that were checked; its failures say the seed. */
export async function runSeeded<T>(test: Job<T>, options: TestOptions, direction: Direction, seed: number): Promise<T> {
  try {
    return await runTidily(test, options, direction);
  } catch (error) {
    throw withSeed(error, seed);
  }
}

async function runTidily<T>(test: Job<T>, options: TestOptions, direction: Direction): Promise<T> {
  using timers = new TimerWatch();
  const value = await runDirected(test, options, direction);
  timers.refuseLeftovers();
  return value;
}

/** Runs one test, with options that were checked. What it leaves to the host, timers and handles, is not looked at. */
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
    return runAndLookAround(test, direction);
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

async function runAndLookAround<T>(test: Job<T>, { mayLeaveWaits = false }: Direction): Promise<T> {
  const { runner, task } = currentScopeNode();
  const before = new Before("test", []);
  const value = await (typeof test === "function" ? test() : test);
  const left = tasksIn(runner.root).filter((other) => other !== task);
  if (left.length > 0) {
    throw new TestError(
      "MW_ERR_LEFT_RUNNING",
      `Cannot end the test: it leaves ${left.length} of its tasks running; await or cancel them first\n${renderTaskTree(runner.root)}`,
    );
  }
  if (!mayLeaveWaits) before.refuseLeftovers();
  return value;
}
