// Measures when things started and ended, for the bars.

/** One thing that took a while. Times in milliseconds since the measuring began. */
export interface Lap {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export class Laps {
  readonly #all: Lap[] = [];
  readonly #began = performance.now();

  /** All that ended, in the order they started. */
  get all(): readonly Lap[] {
    return this.#all.toSorted((one, other) => one.from - other.from);
  }

  /** From the beginning to the end of the last one. */
  get totalMs(): number {
    return Math.max(0, ...this.#all.map(({ to }) => to));
  }

  /** Measures until the result is disposed. */
  start(name: string): Disposable {
    const from = performance.now() - this.#began;
    return {
      [Symbol.dispose]: () => void this.#all.push({ name, from, to: performance.now() - this.#began }),
    };
  }
}
