// What a test decides in place of chance: who resumes next, when a turn of the event loop is over, which checkpoint fails.
// Outside of tests a run has none, and each question costs one comparison with null.

import type { Scope } from "./scope.ts";

/** Decides for the run whose `runner.director` it is, and for the runs inside it. */
export interface Director {
  /**
   * A checkpoint begins in `scope`, before any effect of the call. It may cancel scopes. What it returns is thrown by the
   * call; `undefined` lets the call go on.
   */
  checkpoint(scope: Scope): Error | undefined;
  /** Whether the turn of the event loop is over, so that a checkpoint gives way; in place of a look at the clock. */
  turnIsOver(): boolean;
  /** A number in [0, 1), in place of `Math.random`. */
  random(): number;
  /** Code in `scope` can go on: its wait has ended, or its task was started. It does when `go` is called, once. */
  resume(scope: Scope, go: () => void): void;
}
