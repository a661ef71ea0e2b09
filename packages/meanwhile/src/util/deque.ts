// First in, first out in O(1): a ring in an array whose size is a power of two.

const SMALLEST = 8;

/** A queue of items with cheap ends. */
export class Deque<T> {
  // Invariant: the items are at #ring[(#head + i) & (#ring.length - 1)] for 0 <= i < #size; the rest is undefined.
  #ring: Array<T | undefined> = Array.from({ length: SMALLEST });
  #head = 0;
  #size = 0;

  /** How many items are queued. */
  get size(): number {
    return this.#size;
  }

  /** The oldest item. The deque must not be empty. */
  get first(): T {
    return this.#ring[this.#head] as T;
  }

  /** Appends an item. */
  push(item: T): void {
    if (this.#size === this.#ring.length) this.#resize(this.#size * 2);
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item;
    this.#size += 1;
  }

  /** Removes and returns the oldest item. The deque must not be empty. */
  shift(): T {
    const item = this.#ring[this.#head] as T;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size -= 1;
    if (this.#ring.length > SMALLEST && this.#size * 4 < this.#ring.length) this.#resize(this.#ring.length / 2);
    return item;
  }

  #resize(capacity: number): void {
    const ring = Array.from<T | undefined>({ length: capacity });
    for (let i = 0; i < this.#size; i++) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    this.#ring = ring;
    this.#head = 0;
  }
}
