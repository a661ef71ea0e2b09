// Reads the shared memory of the program as it was at one moment.

import { bytesFor, type Capacities, NUMBER, type SharedMemory, viewMemory, WORD } from "../shared-memory.ts";

/** A copy of the tables, as far as they are used; the ring of events is not in it. */
export interface Cut {
  readonly memory: SharedMemory;
  /** Whether all of it is of one moment; else each row is true by itself. */
  readonly cut: "exact" | "rows";
  /** The moment it is of. */
  readonly at: number;
}

/** How often the whole is tried before rows are read one by one. */
const TRIES = 6;

/** How many rows are read at once then: that takes less than a microsecond. */
const ROWS_AT_ONCE = 32;

/** How often one read waits for changes to end. They take microseconds; one that takes longer was stopped in the middle. */
const SPINS = 100_000;

/** Copies the tables. */
export class SharedReader {
  readonly #memory: SharedMemory;
  readonly #clock: () => number;
  /** Large enough for all tables; what is not used of it takes no memory. */
  readonly #scratch: ArrayBuffer;
  #spinsLeft = 0;

  /** @param clock - the time of the program */
  constructor(memory: SharedMemory, clock: () => number) {
    this.#memory = memory;
    this.#clock = clock;
    this.#scratch = new ArrayBuffer(bytesFor({ ...memory.capacities, events: 0 }));
  }

  /** The state now. It is good until the next call. */
  read(): Cut {
    return this.#readInto((_bytes) => this.#scratch);
  }

  /** The state now, in a copy that nobody writes to later. */
  readOwn(): Cut {
    return this.#readInto((bytes) => new ArrayBuffer(bytes));
  }

  #readInto(bufferOf: (bytes: number) => ArrayBuffer): Cut {
    this.#spinsLeft = SPINS;
    for (let i = 0; i < TRIES; i++) {
      const before = this.#stableSequence();
      // Before it is read: nothing that is in it has happened later.
      const at = this.#clock();
      const copy = this.#emptyCopy(bufferOf);
      this.#copyRows(copy, 0, Infinity);
      if (this.#isStill(before)) return { memory: copy, cut: "exact", at };
    }
    const at = this.#clock();
    const copy = this.#emptyCopy(bufferOf);
    const { tasks, ended, targets, names } = copy.capacities;
    const most = Math.max(1, tasks, ended, targets, names);
    for (let row = 0; row < most; row += ROWS_AT_ONCE) this.#copySurely(copy, row, row + ROWS_AT_ONCE);
    return { memory: copy, cut: "rows", at };
  }

  #emptyCopy(bufferOf: (bytes: number) => ArrayBuffer): SharedMemory {
    const used = usedOf(this.#memory);
    return viewMemory(bufferOf(bytesFor(used)), used);
  }

  #copySurely(copy: SharedMemory, from: number, to: number): void {
    for (let i = 0; i < 1_000; i++) {
      const before = this.#stableSequence();
      this.#copyRows(copy, from, to);
      if (this.#isStill(before) || this.#spinsLeft <= 0) return;
    }
  }

  /** These rows of each table, and with the first ones the header. */
  #copyRows(copy: SharedMemory, from: number, to: number): void {
    const { header, numbers, taskWords, endedWords, targets, nameWords } = this.#memory;
    const { capacities } = copy;
    if (from === 0) {
      copy.numbers.set(numbers);
      copy.header.set(header);
    }
    copyTable(taskWords, copy.taskWords, capacities.tasks, from, to);
    copyTable(endedWords, copy.endedWords, capacities.ended, from, to);
    copyTable(targets, copy.targets, capacities.targets, from, to);
    copyTable(nameWords, copy.nameWords, capacities.names, from, to);
  }

  #isStill(sequence: number): boolean {
    return (sequence & 1) === 0 && sequence === Atomics.load(this.#memory.header, WORD.seq);
  }

  #stableSequence(): number {
    let sequence = Atomics.load(this.#memory.header, WORD.seq);
    while ((sequence & 1) === 1 && this.#spinsLeft-- > 0) sequence = Atomics.load(this.#memory.header, WORD.seq);
    return sequence;
  }
}

function copyTable(source: Int32Array, copy: Int32Array, rows: number, from: number, to: number): void {
  if (from >= rows) return;
  const words = copy.length / rows;
  copy.set(source.subarray(from * words, Math.min(rows, to) * words), from * words);
}

/** How much of each table was ever used: what lies behind is empty. */
function usedOf({ header, numbers, capacities }: SharedMemory): Capacities {
  return {
    tasks: header[WORD.rowCount] as number,
    ended: Math.min(capacities.ended, numbers[NUMBER.ended] as number),
    targets: header[WORD.targetCount] as number,
    names: header[WORD.nameCount] as number,
    events: 0,
  };
}
