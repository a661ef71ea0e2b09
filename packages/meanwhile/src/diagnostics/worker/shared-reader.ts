// Reads the shared memory of the program as it was at one moment.

import { ENDED, HEADER_BYTES, NAME, type SharedMemory, TARGET, TASK, viewMemory, WORD } from "../shared-memory.ts";

/** A copy of the tables; the ring of events is not in it. */
export interface Cut {
  readonly memory: SharedMemory;
  /** Whether all of it is of one moment; else each row is true by itself. */
  readonly cut: "exact" | "rows";
  /** The moment it is of. */
  readonly at: number;
}

/** How often the whole is tried before rows are read one by one. */
const TRIES = 6;

/** How many bytes are read at once then: a few microseconds. */
const PIECE = 4_096;

/** How often one read waits for changes to end. They take microseconds; one that takes longer was stopped in the middle. */
const SPINS = 100_000;

/** Copies the tables. */
export class SharedReader {
  readonly #memory: SharedMemory;
  readonly #source: Uint8Array;
  readonly #copy: Uint8Array;
  readonly #view: SharedMemory;
  readonly #clock: () => number;
  #spinsLeft = 0;

  /** @param clock - the time of the program */
  constructor(memory: SharedMemory, clock: () => number) {
    this.#clock = clock;
    this.#memory = memory;
    const bytes = memory.eventWords.byteOffset;
    this.#source = new Uint8Array(memory.buffer, 0, bytes);
    // As large as the original, so that the views fit; what stands for the events is never touched, so it takes no memory.
    const buffer = new ArrayBuffer(memory.buffer.byteLength);
    this.#copy = new Uint8Array(buffer, 0, bytes);
    this.#view = viewMemory(buffer, memory.capacities);
  }

  /** The state now. It is good until the next call. */
  read(): Cut {
    this.#spinsLeft = SPINS;
    for (let i = 0; i < TRIES; i++) {
      // Before it is read: nothing that is in it has happened later.
      const at = this.#clock();
      if (this.#readPiece(0, bytesWith(this.#memory, usedNames(this.#memory))))
        return { memory: this.#view, cut: "exact", at };
    }
    const at = this.#clock();
    this.#readRows();
    return { memory: this.#view, cut: "rows", at };
  }

  /** The state now, in a copy that nobody writes to later. */
  readOwn(): Cut {
    const { memory, cut, at } = this.read();
    const names = usedNames(memory);
    const own = this.#copy.slice(0, bytesWith(memory, names));
    return { memory: viewMemory(own.buffer, { ...memory.capacities, names, events: 0 }), cut, at };
  }

  #readRows(): void {
    const { taskWords, endedWords, targets, nameWords } = this.#memory;
    this.#readSurely(0, HEADER_BYTES);
    const tables = [
      { table: taskWords, bytes: TASK.bytes },
      { table: endedWords, bytes: ENDED.bytes },
      { table: targets, bytes: TARGET.bytes },
      { table: nameWords.subarray(0, usedNames(this.#memory) * NAME.words), bytes: NAME.bytes },
    ];
    for (const { table, bytes } of tables) {
      // Whole rows, and not so many that the program changes something meanwhile.
      const piece = Math.floor(PIECE / bytes) * bytes;
      const end = table.byteOffset + table.byteLength;
      for (let at = table.byteOffset; at < end; at += piece) this.#readSurely(at, Math.min(end, at + piece));
    }
  }

  #readSurely(from: number, to: number): void {
    for (let i = 0; i < 1_000; i++) if (this.#readPiece(from, to) || this.#spinsLeft <= 0) return;
  }

  #readPiece(from: number, to: number): boolean {
    const before = this.#stableSequence();
    this.#copy.set(this.#source.subarray(from, to), from);
    return before === Atomics.load(this.#memory.header, WORD.seq) && (before & 1) === 0;
  }

  #stableSequence(): number {
    let sequence = Atomics.load(this.#memory.header, WORD.seq);
    while ((sequence & 1) === 1 && this.#spinsLeft-- > 0) sequence = Atomics.load(this.#memory.header, WORD.seq);
    return sequence;
  }
}

/** The names stand last: what was never used of them need not be read. */
function usedNames({ header }: SharedMemory): number {
  return header[WORD.nameCount] as number;
}

function bytesWith({ nameWords }: SharedMemory, names: number): number {
  return nameWords.byteOffset + names * NAME.bytes;
}
