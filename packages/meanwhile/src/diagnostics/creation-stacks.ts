// Where tasks were created: the stacks of some of them, each different one once.

import { TaskNode } from "../lowlevel.ts";

/** The code that makes tasks is in it, which is not the program's. */
const FRAMES = 10;

/** The most different stacks that are kept; later ones are not. */
const MOST = 4_096;

/** A stack takes longer than the task that it is of may run. So there are not more than so many in so many milliseconds. */
const MOST_AT_ONCE = 4;
const AT_ONCE_MS = 5;

/** Takes the stack of one task in so many. */
export class CreationStacks {
  readonly #sampling: number;
  readonly #onStack: (id: number, stack: string) => void;
  readonly #ids = new Map<string, number>();
  #since = 0;
  #taken = 0;

  /** @param sampling - with 1 it takes all of them, whatever that costs */
  constructor(sampling: number, onStack: (id: number, stack: string) => void) {
    this.#sampling = sampling;
    this.#onStack = onStack;
  }

  /** The id of the stack of the code that creates the task now; 0 if this one is not taken. */
  take(task: number, now: number): number {
    if (this.#sampling > 1 && (task % this.#sampling !== 0 || !this.#hasTime(now))) return 0;
    const holder = { stack: "" };
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = FRAMES;
    // What stands above the constructor of the task are the hooks.
    Error.captureStackTrace(holder, TaskNode);
    Error.stackTraceLimit = limit;
    const known = this.#ids.get(holder.stack);
    if (known !== undefined) return known;
    if (this.#ids.size >= MOST) return 0;
    const id = this.#ids.size + 1;
    this.#ids.set(holder.stack, id);
    this.#onStack(id, holder.stack);
    return id;
  }

  #hasTime(now: number): boolean {
    if (now - this.#since >= AT_ONCE_MS) {
      this.#since = now;
      this.#taken = 0;
    }
    return this.#taken++ < MOST_AT_ONCE;
  }
}
