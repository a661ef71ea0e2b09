// A set of keys that takes little memory: open addressing over typed arrays.

import { hash } from "node:crypto";

/** The key of a text: 128 bits of its SHA-256, as 22 characters of base64url. Two texts never share one in practice. */
export function keyOf(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 22);
}

const WORDS = 4;
const FIRST_CAPACITY = 1_024;
const MAX_LOAD = 0.7;

/**
 * A small number for each of many keys. Memory: 17 bytes per slot, which is 25 to 50 bytes per key, and half as much
 * again while it grows: a million keys take 36 MB.
 */
export class KeyTable {
  // Invariant: a slot whose used bit is 0 is free; #size of them are not, at most MAX_LOAD of all.
  #keys = new Uint32Array(FIRST_CAPACITY * WORDS);
  /** 0 for a free slot, else the value + 1. */
  #values = new Uint8Array(FIRST_CAPACITY);
  #size = 0;
  // A key on its way in or out: the same bytes, twice.
  readonly #words = new Uint32Array(WORDS);
  readonly #bytes = Buffer.from(this.#words.buffer);

  get size(): number {
    return this.#size;
  }

  /** The value of a key; undefined if it has none. */
  get(key: string): number | undefined {
    const value = this.#values[this.#slotOf(this.#read(key))] ?? 0;
    return value === 0 ? undefined : value - 1;
  }

  /** @param value - 0 to 254 */
  set(key: string, value: number): void {
    const words = this.#read(key);
    const slot = this.#slotOf(words);
    if (this.#values[slot] === 0) {
      this.#keys.set(words, slot * WORDS);
      this.#size += 1;
    }
    this.#values[slot] = value + 1;
    if (this.#size > this.#values.length * MAX_LOAD) this.#grow();
  }

  /** Adds a key, and says whether it is new. */
  add(key: string): boolean {
    const isNew = this.get(key) === undefined;
    if (isNew) this.set(key, 0);
    return isNew;
  }

  /** All keys and their values, in no order. */
  *entries(): Generator<readonly [key: string, value: number], void> {
    for (let slot = 0; slot < this.#values.length; slot++) {
      const value = this.#values[slot] ?? 0;
      if (value === 0) continue;
      const words = this.#keys.subarray(slot * WORDS, (slot + 1) * WORDS);
      const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
      yield [bytes.toString("base64url"), value - 1];
    }
  }

  #read(key: string): Uint32Array {
    this.#bytes.write(key, "base64url");
    return this.#words;
  }

  #slotOf(words: Uint32Array): number {
    const keys = this.#keys;
    const mask = this.#values.length - 1;
    let slot = (words[0] ?? 0) & mask;
    for (; this.#values[slot] !== 0; slot = (slot + 1) & mask) {
      const at = slot * WORDS;
      if (keys[at] === words[0] && keys[at + 1] === words[1] && keys[at + 2] === words[2] && keys[at + 3] === words[3])
        break;
    }
    return slot;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Uint32Array(keys.length * 2);
    this.#values = new Uint8Array(values.length * 2);
    for (let slot = 0; slot < values.length; slot++) {
      const value = values[slot] ?? 0;
      if (value === 0) continue;
      const words = keys.subarray(slot * WORDS, (slot + 1) * WORDS);
      const target = this.#slotOf(words);
      this.#keys.set(words, target * WORDS);
      this.#values[target] = value;
    }
  }
}
