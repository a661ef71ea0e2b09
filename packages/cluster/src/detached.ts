// What a cluster or a worker does for itself: it is nobody's task.
//
// The scope hangs below the one that is around all runs: it keeps no run going, and the end or the cancellation of none ends it.

import { type CancelScope, currentScopeNode, enterScope, type ScopeEnding } from "meanwhile/lowlevel";

/**
 * Runs `body` in a scope outside of all runs, which it is given: to cancel that is how it is ended.
 *
 * Cancellation: does not reach the body, but that of its own scope.
 */
export function detached<T>(
  body: (scope: CancelScope) => Promise<T>,
  deadline: number = Infinity,
): Promise<ScopeEnding<T>> {
  return enterScope(
    (scope) => {
      leaveTree();
      return body(scope);
    },
    { shielded: true, deadline },
  );
}

/**
 * Starts something that is nobody's task and that nobody waits for. Who happens to ask first may be cancelled; with
 * `@meanwhile/instrument` in this package, too, each `await` would throw then.
 *
 * @param work - never throws
 */
export function outside(work: () => Promise<unknown>): void {
  detached(work).catch(raise);
}

/** A defect: the process learns of it as of any that nobody has handled. */
function raise(error: unknown): never {
  throw error;
}

/** Hangs the scope of the running code below the one that is around all runs. */
function leaveTree(): void {
  const scope = currentScopeNode();
  let { parent } = scope;
  while (parent !== null && parent.parent !== null) ({ parent } = parent);
  if (parent !== null) scope.moveTo(parent);
}
