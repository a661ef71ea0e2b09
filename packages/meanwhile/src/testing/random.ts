// Randomness that repeats: the same seed gives the same numbers on every host.

/** A generator of integers, after mulberry32. */
export class Random {
  #state: number;

  /** @param seed - an integer; neighbouring seeds give unrelated numbers */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit);
  }
}
