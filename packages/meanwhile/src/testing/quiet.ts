// When does nothing move any more among the callers of a primitive that is being checked? Their waits may be plain promises,
// of which nobody can tell whether they will ever end.

import { addInstrument, currentScopeNode, type TaskNode } from "../lowlevel.ts";
import { hasReady, isBlocked, isIdle, nextTurn } from "./idle.ts";
import { activeResources, resourcesBeyond } from "./resources.ts";

const { performance } = globalThis;

/** For so many turns of the event loop in a row nothing may have happened. */
const QUIET_TURNS = 5;

/** How long something real, a timer or a request to the system, may take to end, in real time. */
const REAL_MS = 200;

/** Tells when the callers of a primitive have come to rest. */
export class QuietWatch implements Disposable {
  // What was there before the first primitive was made, and still is: not its own.
  #usual: readonly string[];
  readonly #listening: Disposable;
  // Who looks does not count as moving.
  #looking: TaskNode | null = null;
  #lastEvent = performance.now();
  #quietTurns = 0;

  /** @param usual - what kept the process alive before the first primitive was made, as far as the host tells */
  constructor(usual: readonly string[] | null) {
    this.#usual = usual ?? [];
    const moved = (task: TaskNode | null | undefined): void => {
      if (task === this.#looking) return;
      this.#lastEvent = performance.now();
      this.#quietTurns = 0;
    };
    this.#listening = addInstrument({
      taskCreated: moved,
      taskEnded: moved,
      suspended: ({ scope }) => moved(scope?.task),
      resumed: ({ scope }) => moved(scope?.task),
      checkpoint: ({ task }) => moved(task),
    });
  }

  /**
   * Waits until every other task of the run waits for meanwhile, or nothing has happened for a few turns of the event loop
   * and nothing real is under way, as far as the host tells: then those who wait for a plain promise will not go on by themselves.
   */
  async settle(): Promise<void> {
    const { runner, task } = currentScopeNode();
    this.#looking = task;
    this.#usual = this.#usualStillThere();
    this.#lastEvent = performance.now();
    this.#quietTurns = 0;
    for (;;) {
      await nextTurn(true);
      if (isIdle(runner, task)) return;
      this.#quietTurns += 1;
      if (this.#quietTurns < QUIET_TURNS || hasReady(runner)) continue;
      if (!this.#isSomethingReal || performance.now() - this.#lastEvent > REAL_MS) return;
    }
  }

  #usualStillThere(): readonly string[] {
    const gone = resourcesBeyond(this.#usual, activeResources() ?? []);
    return resourcesBeyond(this.#usual, gone);
  }

  get #isSomethingReal(): boolean {
    return resourcesBeyond(activeResources() ?? [], this.#usual).some((kind) => kind === "Timeout" || /Req/.test(kind));
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}

/** Whether a task that was cancelled, and has come to rest, waits for a plain promise: nothing will end it. */
export function isStuck(task: TaskNode | null): boolean {
  return task !== null && !task.done && !isBlocked(task);
}

/** Says what is wrong with a call that is stuck. */
export const STUCK =
  "it goes on waiting when its scope is cancelled; wait for a promise with cancellable(), and give back what comes too late";
