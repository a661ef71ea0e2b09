// The two ends of a test that does not end by itself: after too much real time, and when nothing can happen any more.

import { TestError } from "../errors.ts";
import { activeRunners, renderTaskTree, type Runner } from "../lowlevel.ts";
import { isIdle } from "./idle.ts";
import { activeResources, resourcesBeyond } from "./resources.ts";

const { setTimeout, clearTimeout } = globalThis;

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

/** Declares a deadlock when the runs of the test are idle, no deadline is left and nothing real is under way. */
export class DeadlockLookout implements Disposable {
  readonly #usual = activeResources();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The runs are idle, and no deadline is left. */
  look(runners: readonly Runner[]): void {
    clearTimeout(this.#timer);
    const resources = activeResources();
    if (resources === null || this.#usual === null)
      this.#timer = setTimeout(() => this.#lookAgain(runners), PATIENCE_MS);
    else if (resourcesBeyond(resources, this.#usual).length === 0) this.#declare(runners);
  }

  #lookAgain(runners: readonly Runner[]): void {
    if (runners.every((runner) => isIdle(runner))) this.#declare(runners);
  }

  #declare(runners: readonly Runner[]): void {
    for (const runner of runners) runner.declareDeadlock?.();
    // That has cancelled everything. Where it has moved nobody, nobody else calls here; and a second time ends the runs.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const left = runners.filter((runner) => activeRunners.has(runner));
      if (left.length > 0) this.#lookAgain(left);
    }, 0);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
