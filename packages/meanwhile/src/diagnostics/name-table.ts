// Names and other short texts in the shared memory. Each is written once; one that no task uses any more makes room.

import { NAME, type SharedMemory, WORD } from "./shared-memory.ts";

// A reference is the index and the generation of an entry, so one to a name that was replaced is found out.
const INDEX_BITS = 17;
const INDEX_MASK = (1 << INDEX_BITS) - 1;
const GENERATION_MASK = (1 << (31 - INDEX_BITS)) - 1;

/** The most names a table can have. */
export const MOST_NAMES: number = 1 << INDEX_BITS;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The writer's side. */
export class NameTable {
  readonly #memory: SharedMemory;
  readonly #references = new Map<string, number>();
  readonly #names: Array<string | undefined>;
  // How many rows refer to each.
  readonly #uses: Uint32Array;
  // Entries that were used, in the order in which they became free: the text of one stays until its place is needed. Each
  // stands in there once, and may be in use again. Entry 0 stands for "no name".
  readonly #free: Uint32Array;
  readonly #isFree: Uint8Array;
  #freeFrom = 0;
  #freeCount = 0;
  #count = 1;
  // Most programs make many tasks of one name in a row.
  #newest = "";
  #newestReference = 0;

  constructor(memory: SharedMemory) {
    this.#memory = memory;
    this.#names = Array.from({ length: memory.capacities.names });
    this.#uses = new Uint32Array(memory.capacities.names);
    this.#free = new Uint32Array(memory.capacities.names);
    this.#isFree = new Uint8Array(memory.capacities.names);
  }

  /** A reference to the name, counted as one use; 0 for an empty one, and if there is no room. */
  use(name: string): number {
    if (name === "") return 0;
    const reference = name === this.#newest ? this.#newestReference : this.#find(name);
    if (reference !== 0) (this.#uses[reference & INDEX_MASK] as number)++;
    return reference;
  }

  /** The reference is no longer used there. */
  release(reference: number): void {
    if (reference === 0) return;
    const index = reference & INDEX_MASK;
    if (--(this.#uses[index] as number) > 0 || this.#isFree[index] === 1) return;
    this.#isFree[index] = 1;
    this.#free[(this.#freeFrom + this.#freeCount) % this.#free.length] = index;
    this.#freeCount += 1;
  }

  #find(name: string): number {
    const reference = this.#references.get(name) ?? this.#write(name);
    if (reference !== 0) {
      this.#newest = name;
      this.#newestReference = reference;
    }
    return reference;
  }

  #write(name: string): number {
    const index = this.#freeIndex();
    if (index === 0) return 0;
    const old = this.#names[index];
    if (old !== undefined) this.#references.delete(old);
    // The remembered one may be the one that goes.
    this.#newest = "";
    this.#newestReference = 0;
    const { nameWords, nameBytes } = this.#memory;
    const at = index * NAME.words;
    const generation = ((nameWords[at + NAME.generation] as number) + 1) & GENERATION_MASK;
    const start = index * NAME.bytes + NAME.text;
    // Not into shared memory at once: the encoder does not take it everywhere.
    const { written } = encoder.encodeInto(name, scratch);
    nameBytes.set(scratch.subarray(0, written), start);
    nameWords[at + NAME.length] = written;
    nameWords[at + NAME.generation] = generation;
    const reference = (generation << INDEX_BITS) | index;
    this.#names[index] = name;
    this.#references.set(name, reference);
    return reference;
  }

  #freeIndex(): number {
    if (this.#count < this.#names.length) {
      this.#memory.header[WORD.nameCount] = this.#count + 1;
      return this.#count++;
    }
    while (this.#freeCount > 0) {
      const index = this.#free[this.#freeFrom] as number;
      this.#freeFrom = (this.#freeFrom + 1) % this.#free.length;
      this.#freeCount -= 1;
      this.#isFree[index] = 0;
      if (this.#uses[index] === 0) return index;
    }
    return 0;
  }
}

const scratch = new Uint8Array(NAME.capacity);

/** What a reference stands for; null if the name was replaced, or there is none. */
export function readName({ nameWords, nameBytes }: SharedMemory, reference: number): string | null {
  if (reference === 0) return null;
  const index = reference & INDEX_MASK;
  const at = index * NAME.words;
  if (nameWords[at + NAME.generation] !== reference >>> INDEX_BITS) return null;
  const start = index * NAME.bytes + NAME.text;
  // A copy: text is not decoded out of shared memory everywhere.
  const text = decoder.decode(nameBytes.slice(start, start + (nameWords[at + NAME.length] as number)));
  // Nobody else may have replaced it meanwhile.
  return nameWords[at + NAME.generation] === reference >>> INDEX_BITS ? text : null;
}
