// Where tasks were created: the stacks of some of them, each different one once.

import type { TaskNode } from "../lowlevel.ts";

const FRAMES = 8;

/** The most different stacks that are kept; later ones are not. */
const MOST = 4_096;

/** Takes the stack of one task in so many, and of each that was given a name. */
export class CreationStacks {
  readonly #sampling: number;
  readonly #onStack: (id: number, stack: string) => void;
  readonly #ids = new Map<string, number>();

  constructor(sampling: number, onStack: (id: number, stack: string) => void) {
    this.#sampling = sampling;
    this.#onStack = onStack;
  }

  /** The id of the stack of the code that creates the task; 0 if this one is not taken. */
  take(task: TaskNode): number {
    if (this.#sampling > 1 && task.id % this.#sampling !== 0) return 0;
    const holder = { stack: "" };
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = FRAMES + OWN_FRAMES;
    Error.captureStackTrace(holder);
    Error.stackTraceLimit = limit;
    const known = this.#ids.get(holder.stack);
    if (known !== undefined) return known;
    if (this.#ids.size >= MOST) return 0;
    const id = this.#ids.size + 1;
    this.#ids.set(holder.stack, id);
    this.#onStack(id, holder.stack);
    return id;
  }
}

/** The frames of ours that stand above the program's. */
const OWN_FRAMES = 8;
