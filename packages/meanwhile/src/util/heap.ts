// A binary heap of numbers, smallest first. Holds the distinct deadlines of a clock.

/** Min-heap of numbers. */
export class NumberHeap {
  // Invariant: #items[(i - 1) >> 1] <= #items[i] for every i > 0.
  readonly #items: number[] = [];

  /** How many numbers are in the heap. */
  get size(): number {
    return this.#items.length;
  }

  /** The smallest number, or undefined if the heap is empty. */
  peek(): number | undefined {
    return this.#items[0];
  }

  /** Adds a number in O(log n). */
  push(item: number): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = items[parent] as number;
      if (above <= item) break;
      items[index] = above;
      index = parent;
    }
    items[index] = item;
  }

  /** Removes and returns the smallest number in O(log n). */
  pop(): number | undefined {
    const items = this.#items;
    const smallest = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return smallest;
    this.#sink(last);
    return smallest;
  }

  /** Removes everything. */
  clear(): void {
    this.#items.length = 0;
  }

  #sink(item: number): void {
    const items = this.#items;
    const size = items.length;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && (items[right] as number) < (items[child] as number)) child = right;
      const below = items[child] as number;
      if (below >= item) break;
      items[index] = below;
      index = child;
    }
    items[index] = item;
  }
}
