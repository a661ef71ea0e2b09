// A process with nothing left that could wake any task: Node emits beforeExit while a run is still going.
//
//   running ──beforeExit──▶ cancelled (finally blocks run) ──beforeExit──▶ given up

import { DeadlockError } from "../errors.ts";
import type { Scope } from "./scope.ts";
import { findWaitCycle, renderTaskTree, whereTaskWaits } from "./task-tree.ts";

const { setImmediate } = globalThis;

/** A run that may be deadlocked. */
export interface DeadlockListener {
  /** Called at each beforeExit: first cancel everything, then end without waiting. */
  deadlocked(): void;
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
  for (const listener of watched) listener.deadlocked();
  // One more turn of the loop, so that what was woken runs before the process looks at its exit code.
  setImmediate(() => {});
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
