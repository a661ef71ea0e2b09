// For tests that look at what happens within one turn of the event loop.

import { currentScopeNode, type Director } from "meanwhile/lowlevel";

/** No call gives way by itself: what it does at once is done when it returns. */
const UNHURRIED: Director = {
  checkpoint: () => undefined,
  turnIsOver: () => false,
  random: Math.random,
  resume(scope, go) {
    // A new task starts in a microtask: its creator must have it before.
    if (scope.task?.state.kind === "new") queueMicrotask(go);
    else go();
  },
};

/**
 * Lets no call in the current run, or outside of runs, give way until it is disposed, however long a turn lasts. On a busy
 * machine five milliseconds pass anywhere.
 */
export function unhurried(): Disposable {
  const { runner } = currentScopeNode();
  const before = runner.director;
  runner.director = UNHURRIED;
  return {
    [Symbol.dispose](): void {
      runner.director = before;
    },
  };
}
