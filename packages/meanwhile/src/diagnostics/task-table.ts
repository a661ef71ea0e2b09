// The rows of live tasks in the shared memory, found by the id of the task: the writer's side.

import { type SharedMemory, TASK } from "./shared-memory.ts";

/** How many rows are looked at before a table counts as full. */
const PROBES = 48;

/** Finds and makes rows. All results are indices of rows; -1 for none. */
export class TaskTable {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #mask: number;

  constructor({ taskWords, taskNumbers, capacities }: SharedMemory) {
    this.#words = taskWords;
    this.#numbers = taskNumbers;
    this.#mask = capacities.tasks - 1;
  }

  /** The row of a task. */
  find(id: number): number {
    // Ids count up, so most tasks are in the row of their id.
    let row = id & this.#mask;
    if (this.#words[row * TASK.words + TASK.id] === id) return row;
    const step = stepOf(id);
    for (let i = 1; i < PROBES; i++) {
      row = (row + step) & this.#mask;
      const found = this.#words[row * TASK.words + TASK.id];
      if (found === id) return row;
      if (found === 0) return -1;
    }
    return -1;
  }

  /** A row for a task that has none. */
  insert(id: number): number {
    let row = id & this.#mask;
    const step = stepOf(id);
    for (let i = 0; i < PROBES; i++) {
      const at = row * TASK.words;
      if ((this.#words[at + TASK.id] as number) <= 0) {
        // One by one: for a few words fill() takes longer. The times, all but two, are set by the caller.
        for (let word: number = TASK.openWaits; word <= TASK.children; word++) this.#words[at + word] = 0;
        this.#numbers[row * TASK.numbers + TASK.cancelledAt] = 0;
        this.#numbers[row * TASK.numbers + TASK.waited] = 0;
        this.#words[at + TASK.id] = id;
        return row;
      }
      row = (row + step) & this.#mask;
    }
    return -1;
  }

  /** The row is free again. */
  remove(row: number): void {
    this.#words[row * TASK.words + TASK.id] = -1;
  }
}

/** Odd, so that every row is met; different for neighbours, so that long-lived ones do not pile up. */
function stepOf(id: number): number {
  return (Math.imul(id, 0x9e3779b1) >>> 8) | 1;
}
