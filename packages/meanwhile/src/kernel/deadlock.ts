// A process with nothing left that could wake any task: Node emits beforeExit while a run is still going.
//
//   running ──beforeExit──▶ cancelled (finally blocks run) ──beforeExit──▶ given up

import { DeadlockError } from "../errors.ts";
import type { Runner } from "./runner.ts";
import type { Scope } from "./scope.ts";
import { suspend, type Waiter, type WaitTarget } from "./suspend.ts";
import { findWaitCycle, renderTaskTree, tasksIn, whereTaskWaits } from "./task-tree.ts";

const { setImmediate } = globalThis;

/** A run that may be deadlocked. */
export interface DeadlockListener {
  /**
   * Called at each beforeExit: first cancel everything, then end without waiting. False if it is no deadlock: somebody has
   * waited for this moment.
   */
  deadlocked(): boolean;
}

const watched = new Set<DeadlockListener>();

/** Watches for the deadlock of a run until the result is disposed. All runs share one process listener. */
export function joinDeadlockWatch(listener: DeadlockListener): Disposable {
  if (watched.size === 0) process.on("beforeExit", onBeforeExit);
  watched.add(listener);
  return {
    [Symbol.dispose](): void {
      watched.delete(listener);
      if (watched.size === 0) process.off("beforeExit", onBeforeExit);
    },
  };
}

function onBeforeExit(): void {
  let isDeadlock = false;
  for (const listener of watched) isDeadlock = listener.deadlocked() || isDeadlock;
  // One more turn of the loop, so that what was woken runs before the process looks at its exit code. Not at the regular end:
  // beforeExit would come twice.
  if (isDeadlock) setImmediate(() => {});
}

const UNTIL_IDLE: WaitTarget = { describe: () => "the end of everything else in the process" };
const idlers = new Set<Waiter<void>>();

/**
 * Waits until nothing is left in the process that could make it do anything: where Node would exit. For the one who
 * holds a whole program in a run; while other tasks of the run wait it is their deadlock, not the end.
 *
 * Cancellation: safe. Waiting changes nothing.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
 */
export function untilIdle(): Promise<void> {
  return suspend<void>((waiter) => {
    idlers.add(waiter);
    return () => void idlers.delete(waiter);
  }, UNTIL_IDLE);
}

/** Wakes who waits for the end of everything else in the run, if there is nothing else. */
export function wakeIdler({ root }: Runner): boolean {
  const tasks = tasksIn(root);
  for (const idler of idlers) {
    if (tasks.length !== 1 || idler.scope?.task !== tasks[0]) continue;
    idlers.delete(idler);
    return idler.wake();
  }
  return false;
}

/** Describes why nothing in the tree can go on. */
export function deadlockError(root: Scope): DeadlockError {
  const cycle = findWaitCycle(root);
  const circle =
    cycle === null
      ? ""
      : `\nThey wait in a circle:\n${cycle.map((task) => `  task ${task.id} "${task.name}" waits for ${whereTaskWaits(task)}`).join("\n")}`;
  return new DeadlockError(
    `Cannot go on: nothing in the process is left that could wake any task${circle}\nAll tasks:\n${renderTaskTree(root)}\nHint: timers and handles that were unref'd do not count`,
  );
}
