// The states of a task and the moves between them.
//
//   new ──start──▶ running ──▶ succeeded | failed | cancelled      (final)
//
// A cancelled task that was not started yet is started all the same: its `finally` blocks run. A running task with a
// pending cancellation is still running until its cleanup has ended.

import { invariant } from "../util/invariant.ts";

export type TaskState =
  | { readonly kind: "new" }
  | { readonly kind: "running" }
  | { readonly kind: "succeeded"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "cancelled"; readonly error: unknown };

const NEXT: Record<TaskState["kind"], ReadonlyArray<TaskState["kind"]>> = {
  new: ["running"],
  running: ["succeeded", "failed", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
};

export const NEW: TaskState = { kind: "new" };
export const RUNNING: TaskState = { kind: "running" };

/** Checks a move and returns the new state. */
export function transition(from: TaskState, to: TaskState): TaskState {
  invariant(NEXT[from.kind].includes(to.kind), `task went from ${from.kind} to ${to.kind}`);
  return to;
}

/** Whether nothing can change any more. */
export function isFinal(state: TaskState): boolean {
  return state.kind !== "new" && state.kind !== "running";
}
