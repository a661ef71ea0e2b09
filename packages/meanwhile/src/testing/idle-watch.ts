// Follows the runs on one clock to know when they are idle. A look costs what has happened since the last one, not the
// size of the run: a test with 100 000 sleeping tasks jumps as quickly as one with ten.

import { activeRunners, addInstrument, type Clock, type Runner, type TaskNode, tasksIn } from "../lowlevel.ts";
import { hasReady, isBlocked } from "./idle.ts";

/** Tells whether all runs on a clock are idle. Listens until it is disposed. */
export class IdleWatch implements Disposable {
  readonly #clock: Clock;
  // Invariant: every live task that is not in here was blocked when last looked at, and nothing has happened in it since.
  readonly #suspects = new Set<TaskNode>();
  readonly #listening: Disposable;

  /** @param onEvent - called whenever something has happened, so that a look may be worth while */
  constructor(clock: Clock, onEvent: () => void) {
    this.#clock = clock;
    for (const runner of this.runners()) for (const task of tasksIn(runner.root)) this.#suspects.add(task);
    const suspect = (task: TaskNode | null | undefined): void => {
      if (task?.runner.clock !== clock) return;
      this.#suspects.add(task);
      onEvent();
    };
    this.#listening = addInstrument({
      taskCreated: suspect,
      taskEnded: suspect,
      suspended: (waiter) => suspect(waiter.scope?.task),
      resumed: (waiter) => suspect(waiter.scope?.task),
    });
  }

  /** The runs on the clock that have not ended. */
  runners(): Runner[] {
    return [...activeRunners].filter((runner) => runner.clock === this.#clock);
  }

  /** Whether every task of these runs waits, and only for meanwhile. */
  get isIdle(): boolean {
    if (this.runners().some(hasReady)) return false;
    for (const task of this.#suspects) {
      if (!task.done && !isBlocked(task)) return false;
      this.#suspects.delete(task);
    }
    return true;
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}
