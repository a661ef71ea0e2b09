// When is a run idle? When every task waits for something that only meanwhile can bring about.

import {
  type Runner,
  suspend,
  type TaskNode,
  tasksIn,
  type WaitTarget,
  waitsOf,
  currentScopeNode,
} from "../lowlevel.ts";
import { TestDirector } from "./test-director.ts";

// Taken at load time, so that test tools that replace the globals do not reach in here.
const { setImmediate, clearImmediate, setTimeout, clearTimeout } = globalThis;

/**
 * Whether every task of the run waits, and only for meanwhile: for time, a primitive, another task. A task that waits
 * for a foreign promise may go on by itself at any moment, so it is not idle.
 */
export function isIdle(runner: Runner, except: TaskNode | null = null): boolean {
  if (hasReady(runner)) return false;
  return tasksIn(runner.root).every((task) => task === except || isBlocked(task));
}

/** Whether code of the run can go on and only has not been picked yet. */
export function hasReady({ director }: Runner): boolean {
  return director instanceof TestDirector && director.hasReady;
}

/** Whether a task waits, and only for meanwhile. */
export function isBlocked(task: TaskNode): boolean {
  const waits = waitsOf(task);
  return waits.length > 0 && waits.every((waiter) => waiter.target.foreign !== true);
}

/** How many turns of the event loop are looked at one after another before the looking becomes less eager. */
const EAGER_TURNS = 20;

const IDLE: WaitTarget = { describe: () => "waitUntilIdle", foreign: true };

/**
 * Waits until every other task of the current run is suspended in a wait of meanwhile's, so that nothing will happen
 * by itself but the passing of time. A mock clock does not jump meanwhile.
 *
 * Cancellation: safe. Nothing can be lost.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
 * @see {@link https://trio.readthedocs.io/en/stable/reference-testing.html#trio.testing.wait_all_tasks_blocked}
 *
 * @example
 * ```ts
 * import { createTask, Lock } from "meanwhile";
 * import { runTest, waitUntilIdle } from "meanwhile/testing";
 *
 * await runTest(async () => {
 *   const lock = new Lock();
 *   using held = await lock.acquire();
 *   await using waiter = createTask(() => lock.acquire());
 *   await waitUntilIdle();
 *   console.log(lock.statistics().tasksWaiting); //> 1
 * });
 * ```
 */
export async function waitUntilIdle(): Promise<void> {
  const { runner, task } = currentScopeNode();
  for (let turns = 0; ; turns++) {
    await nextTurn(turns < EAGER_TURNS);
    if (isIdle(runner, task)) return;
  }
}

/** Waits for a turn of the event loop, or, if not eager, for a millisecond. */
export function nextTurn(eager: boolean): Promise<void> {
  return suspend<void>((waiter) => {
    const wake = (): void => void waiter.wake();
    if (eager) {
      const immediate = setImmediate(wake);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(wake, 1);
    return () => clearTimeout(timer);
  }, IDLE);
}
