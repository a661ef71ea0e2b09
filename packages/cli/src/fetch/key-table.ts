// A set of keys that takes little memory: open addressing over typed arrays.

import { hash } from "node:crypto";

/** How many characters a key has. */
export const KEY_LENGTH = 22;

/** The key of a text: 128 bits of its SHA-256, as 22 characters of base64url. Two texts never share one in practice. */
export function keyOf(text: string): string {
  return hash("sha256", text, "base64url").slice(0, KEY_LENGTH);
}

/** What each character of base64url stands for; -1 for any other byte. */
const SEXTETS: Int8Array = sextets();

function sextets(): Int8Array {
  const table = new Int8Array(256).fill(-1);
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (let sextet = 0; sextet < letters.length; sextet++) table[letters.charCodeAt(sextet)] = sextet;
  return table;
}

/** Whether there are only letters, digits, `-` and `_` from one place to another. */
export function isWord(text: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (sextetAt(text, at) < 0) return false;
  return true;
}

function sextetAt(text: Uint8Array, at: number): number {
  return SEXTETS[text[at] ?? 0] ?? -1;
}

const WORDS = 4;
const KEY_BYTES: number = WORDS * Uint32Array.BYTES_PER_ELEMENT;
const FIRST_CAPACITY = 1_024;
const MAX_LOAD = 0.7;

/**
 * A small number for each of many keys. Memory: 17 bytes per slot, which is 25 to 50 bytes per key, and half as much
 * again while it grows: a million keys take 36 MB.
 */
export class KeyTable {
  // Invariant: a slot whose used bit is 0 is free; #size of them are not, at most MAX_LOAD of all.
  #keys: Uint32Array<ArrayBuffer>;
  /** 0 for a free slot, else the value + 1. */
  #values: Uint8Array<ArrayBuffer>;
  #size = 0;
  // A key on its way in or out: the same bytes, twice.
  readonly #words = new Uint32Array(WORDS);
  readonly #bytes = Buffer.from(this.#words.buffer);

  /** @param expected - how many keys there will be, about: to grow takes longer than to be large from the start */
  constructor(expected: number = 0) {
    let capacity = FIRST_CAPACITY;
    while (capacity * MAX_LOAD < expected) capacity *= 2;
    this.#keys = new Uint32Array(capacity * WORDS);
    this.#values = new Uint8Array(capacity);
  }

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
    this.#store(this.#slotOf(this.#read(key)), value);
  }

  /**
   * Gives a new value to the key that stands at this place of a text; false if there is none.
   *
   * @param change - is told the value until now, and returns the new one, from 0 to 254
   */
  updateAt(text: Uint8Array, at: number, change: (value: number | undefined) => number): boolean {
    if (!isWord(text, at, at + KEY_LENGTH)) return false;
    this.#decode(text, at);
    const slot = this.#slotOf(this.#words);
    const stored = this.#values[slot] ?? 0;
    this.#store(slot, change(stored === 0 ? undefined : stored - 1));
    return true;
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

  /** As {@link #read}, from bytes. Of the last character only two bits count. */
  #decode(text: Uint8Array, start: number): void {
    const bytes = this.#bytes;
    for (let from = start, to = 0; to < KEY_BYTES; from += 4, to += 3) {
      const four =
        (sextetAt(text, from) << 18) |
        (sextetAt(text, from + 1) << 12) |
        (to + 1 < KEY_BYTES ? (sextetAt(text, from + 2) << 6) | sextetAt(text, from + 3) : 0);
      bytes[to] = four >> 16;
      bytes[to + 1] = four >> 8; // beyond the end it is nothing
      bytes[to + 2] = four;
    }
  }

  /** Gives the slot of the key in #words a value. */
  #store(slot: number, value: number): void {
    if (this.#values[slot] === 0) {
      this.#keys.set(this.#words, slot * WORDS);
      this.#size += 1;
    }
    this.#values[slot] = value + 1;
    if (this.#size > this.#values.length * MAX_LOAD) this.#grow();
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
    this.#size = 0;
    for (let slot = 0; slot < values.length; slot++) {
      const value = values[slot] ?? 0;
      if (value === 0) continue;
      // Not a part of the array: that would be a new object for each key.
      for (let word = 0; word < WORDS; word++) this.#words[word] = keys[slot * WORDS + word] ?? 0;
      this.#store(this.#slotOf(this.#words), value - 1);
    }
    // Now, and not when somebody collects garbage: together they are as large as the new ones.
    keys.buffer.transfer(0);
    values.buffer.transfer(0);
  }
}
