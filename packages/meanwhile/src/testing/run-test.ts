// Runs one test on virtual time and fails it for whatever it leaves behind.

import { TestError, UsageError } from "../errors.ts";
import { currentScopeNode, type Job, renderTaskTree, run, type Runner, tasksIn } from "../lowlevel.ts";
import { show } from "../util/show.ts";
import { isIdle } from "./idle.ts";
import { MockClock } from "./mock-clock.ts";

const { setImmediate, setTimeout, clearTimeout } = globalThis;

/** Options of {@link runTest}. */
export interface RunTestOptions {
  /** The clock of the test. Default: a new `MockClock` that jumps by itself. */
  readonly clock?: MockClock | undefined;
  /** Real milliseconds after which the test fails with a dump of its tasks. Default: 60 000. */
  readonly timeoutMs?: number | undefined;
  /** Codes (or names) of process warnings that the test provokes on purpose; any other one fails it. Default: none. */
  readonly expectWarnings?: readonly string[] | undefined;
}

/**
 * Runs a test as the main task of a run on virtual time, and returns its value. The test fails if it leaves a task
 * running, if a promise rejects unhandled or the process emits a warning meanwhile, if its tasks wait for each other,
 * and after `timeoutMs` of real time, with a dump of its tasks.
 *
 * Cancellation: of a scope around it cancels the test.
 *
 * @throws whatever the test throws
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
 */
export async function runTest<T>(test: Job<T>, options: RunTestOptions = {}): Promise<T> {
  const { clock = new MockClock(), timeoutMs = 60_000, expectWarnings = [] } = options;
  if (!(typeof timeoutMs === "number" && timeoutMs > 0)) {
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot run a test: 'timeoutMs' is ${show(timeoutMs)}; pass a number of milliseconds > 0`,
    );
  }
  // A fresh turn of the event loop: what ran before must not have used up the test's budget, or it gives way elsewhere.
  await nextTurn();
  using watch = new ProcessWatch(expectWarnings);
  using limit = new TimeLimit(timeoutMs);
  using held = new DisposableStack();
  const lookout = held.use(new DeadlockLookout());
  clock.watchAlways((runners) => lookout.look(runners));
  held.defer(() => clock.unwatch());
  const ended = run(() => runAndLookAround(test, limit), { clock, handleSignals: false });
  const value = await Promise.race([ended, limit.exceeded]);
  await watch.settle();
  return value;
}

async function runAndLookAround<T>(test: Job<T>, limit: TimeLimit): Promise<T> {
  const { runner, task } = currentScopeNode();
  limit.runner = runner;
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

// Fails the test for what happens in the process while it runs.
class ProcessWatch implements Disposable {
  readonly #expected: readonly string[];
  #failure: { readonly error: unknown } | null = null;
  readonly #onWarning = (warning: Error & { code?: string }): void => {
    if (this.#expected.includes(warning.code ?? warning.name) || this.#expected.includes(warning.name)) return;
    this.#failure ??= {
      error: new TestError(
        "MW_ERR_UNEXPECTED_WARNING",
        `Cannot accept the process warning ${warning.code ?? warning.name}: ${warning.message}; mend its cause, or name it in 'expectWarnings'`,
        { cause: warning },
      ),
    };
  };
  readonly #onRejection = (reason: unknown): void => {
    this.#failure ??= { error: reason };
  };

  constructor(expected: readonly string[]) {
    this.#expected = expected;
    process.on("warning", this.#onWarning);
    process.on("unhandledRejection", this.#onRejection);
  }

  /** Waits until everything that happened has been reported, and throws the first failure. */
  async settle(): Promise<void> {
    await nextTurn();
    if (this.#failure !== null) throw this.#failure.error;
  }

  [Symbol.dispose](): void {
    process.off("warning", this.#onWarning);
    process.off("unhandledRejection", this.#onRejection);
  }
}

// Ends the test after real time, with a dump.
class TimeLimit implements Disposable {
  readonly exceeded: Promise<never>;
  runner: Runner | null = null;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(timeoutMs: number) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.exceeded = promise;
    this.#timer = setTimeout(() => reject(this.#expire(timeoutMs)), timeoutMs);
    // Does not keep the process alive: with nothing else left, the run itself reports the deadlock, where it can see it.
    if (SEES_THE_END_OF_THE_LOOP) this.#timer.unref();
  }

  #expire(timeoutMs: number): TestError {
    const root = this.runner?.root;
    const tree = root === undefined ? "" : `\n${renderTaskTree(root)}`;
    const error = new TestError(
      "MW_ERR_TEST_TIMEOUT",
      `Cannot finish the test: it still runs after ${timeoutMs} ms of real time; see what its tasks wait for${tree}`,
    );
    root?.cancel(error);
    return error;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Whether the host tells when nothing is left that could happen: Bun and Deno do not while a test waits. */
const SEES_THE_END_OF_THE_LOOP = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/** What keeps the process alive, by kind; null on hosts that cannot tell. Bun has the function, which lists nothing. */
function activeResources(): readonly string[] | null {
  if (process.versions["bun"] !== undefined) return null;
  return process.getActiveResourcesInfo();
}

/** How long nothing may happen in an idle run before it counts as deadlocked where the host cannot tell. */
const PATIENCE_MS = 1_000;

// Declares a deadlock when the runs of the test are idle, no deadline is left and nothing real is under way.
class DeadlockLookout implements Disposable {
  readonly #usual = activeResources();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The runs are idle, and no deadline is left. */
  look(runners: readonly Runner[]): void {
    clearTimeout(this.#timer);
    const resources = activeResources();
    if (resources === null || this.#usual === null)
      this.#timer = setTimeout(() => this.#lookAgain(runners), PATIENCE_MS);
    else if (isSubset(resources, this.#usual)) declare(runners);
  }

  #lookAgain(runners: readonly Runner[]): void {
    if (runners.every((runner) => isIdle(runner))) declare(runners);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

function declare(runners: readonly Runner[]): void {
  for (const runner of runners) runner.declareDeadlock?.();
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  const left = [...all];
  return some.every((kind) => {
    const index = left.indexOf(kind);
    if (index !== -1) left.splice(index, 1);
    return index !== -1;
  });
}
