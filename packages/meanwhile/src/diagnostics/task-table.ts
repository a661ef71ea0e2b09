// The rows of live tasks in the shared memory, found by the id of the task: the writer's side.
//
// A row that is free again is used next, so that the rows of a program with few tasks are few, and stay near.

import { type SharedMemory, TASK, WORD } from "./shared-memory.ts";

/** How many entries are looked at before a table counts as full. */
const PROBES = 48;

/** What stands in the index where a row was. */
const REMOVED = -1;

/** Finds and makes rows. All results are indices of rows; -1 for none. */
export class TaskTable {
  readonly #header: Int32Array;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  /** By id: a row, plus one; 0 where none ever was. */
  readonly #index: Int32Array;
  readonly #mask: number;
  readonly #free: Int32Array;
  #freeCount = 0;
  #count = 0;

  constructor({ header, taskWords, taskNumbers, capacities }: SharedMemory) {
    this.#header = header;
    this.#words = taskWords;
    this.#numbers = taskNumbers;
    this.#index = new Int32Array(capacities.tasks * 2);
    this.#mask = this.#index.length - 1;
    this.#free = new Int32Array(capacities.tasks);
  }

  /** The row of a task. */
  find(id: number): number {
    // Ids count up, so most tasks are where their id says.
    const row = (this.#index[id & this.#mask] as number) - 1;
    if (row >= 0 && this.#words[row * TASK.words + TASK.id] === id) return row;
    const at = this.#placeOf(id);
    return at === -1 ? -1 : (this.#index[at] as number) - 1;
  }

  // Where the index has it.
  #placeOf(id: number): number {
    const step = stepOf(id);
    let at = id & this.#mask;
    for (let i = 0; i < PROBES; i++) {
      const row = (this.#index[at] as number) - 1;
      if (row === -1) return -1;
      if (row >= 0 && this.#words[row * TASK.words + TASK.id] === id) return at;
      at = (at + step) & this.#mask;
    }
    return -1;
  }

  /** A row for a task that has none. */
  insert(id: number): number {
    const step = stepOf(id);
    let at = id & this.#mask;
    for (let i = 0; i < PROBES; i++) {
      if ((this.#index[at] as number) <= 0) {
        const row = this.#take();
        if (row === -1) return -1;
        this.#index[at] = row + 1;
        this.#clear(row, id);
        return row;
      }
      at = (at + step) & this.#mask;
    }
    return -1;
  }

  #take(): number {
    if (this.#freeCount > 0) return this.#free[(this.#freeCount -= 1)] as number;
    if (this.#count === this.#free.length) return -1;
    this.#header[WORD.rowCount] = this.#count + 1;
    return this.#count++;
  }

  #clear(row: number, id: number): void {
    const at = row * TASK.words;
    // One by one: for a few words fill() takes longer. The times, all but two, are set by the caller.
    for (let word: number = TASK.openWaits; word <= TASK.children; word++) this.#words[at + word] = 0;
    this.#numbers[row * TASK.numbers + TASK.cancelledAt] = 0;
    this.#numbers[row * TASK.numbers + TASK.waited] = 0;
    this.#words[at + TASK.id] = id;
  }

  /** The row is free again. */
  remove(row: number): void {
    const at = row * TASK.words + TASK.id;
    const place = this.#placeOf(this.#words[at] as number);
    if (place !== -1) this.#index[place] = REMOVED;
    this.#words[at] = -1;
    this.#free[this.#freeCount] = row;
    this.#freeCount += 1;
  }
}

/** Odd, so that every entry is met; different for neighbours, so that long-lived ones do not pile up. */
function stepOf(id: number): number {
  return (Math.imul(id, 0x9e3779b1) >>> 8) | 1;
}
