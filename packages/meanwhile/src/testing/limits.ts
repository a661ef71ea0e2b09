// The two ends of a test that does not end by itself: after too much real time, and when nothing can happen any more.

import { TestError } from "../errors.ts";
import { activeRunners, renderTaskTree, type Runner } from "../lowlevel.ts";
import { isIdle } from "./idle.ts";
import { activeResources, resourcesBeyond } from "./resources.ts";

const { setImmediate, setTimeout, clearTimeout } = globalThis;

/** Whether the host tells when nothing is left that could happen: Bun and Deno do not while a test waits. */
const SEES_THE_END_OF_THE_LOOP = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/** Ends the test after real time, with a dump. */
export class TimeLimit implements Disposable {
  /** Rejects when the time is over. */
  readonly exceeded: Promise<never>;
  /** The run of the test, once there is one. */
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

/** How long nothing may happen in an idle run before it counts as deadlocked where the host cannot tell. */
const PATIENCE_MS = 1_000;

/** How often a run that was declared deadlocked, and goes on, is looked at. */
const AGAIN_MS = 5;

/** Declares a deadlock when the runs of the test are idle, no deadline is left and nothing real is under way. */
export class DeadlockLookout implements Disposable {
  readonly #usual = activeResources();
  #patience: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** The runs are idle, and no deadline is left. */
  look(runners: readonly Runner[]): void {
    clearTimeout(this.#patience);
    if (this.#usual === null) this.#patience = setTimeout(() => this.#declareIfStuck(runners), PATIENCE_MS);
    else this.#declareIfStuck(runners);
  }

  #declareIfStuck(runners: readonly Runner[]): void {
    const resources = resourcesBeyond(activeResources() ?? [], this.#usual ?? []);
    if (!runners.every(isStuck)) return;
    // Something real is under way. It may end without waking anybody, and then nobody tells us.
    if (resources.length > 0) {
      this.#lookAgain(runners);
      return;
    }
    for (const runner of runners) runner.declareDeadlock?.();
    this.#lookAgain(runners);
  }

  // What was declared has cancelled everything. If that has moved nobody, nobody tells us; a second time ends the runs.
  #lookAgain(runners: readonly Runner[]): void {
    clearTimeout(this.#again);
    const waitMs = this.#usual === null ? PATIENCE_MS : AGAIN_MS;
    // A timer counts as active until the turn after it has fired.
    this.#again = setTimeout(() => setImmediate(() => this.#lookAtLeft(runners)), waitMs);
  }

  #lookAtLeft(runners: readonly Runner[]): void {
    const left = runners.filter((runner) => activeRunners.has(runner));
    if (left.length === 0 || this.#isOver) return;
    this.#declareIfStuck(left);
    this.#lookAgain(left);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#patience);
    clearTimeout(this.#again);
  }
}

/** Whether nothing in the run will happen by itself, not even by the passing of time. */
function isStuck(runner: Runner): boolean {
  return isIdle(runner) && runner.deadlines.earliest === undefined;
}
