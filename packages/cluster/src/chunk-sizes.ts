// How many items of a map go in one job: more, as long as they take little time and are not too large together.

/** How many items may be under way, if nothing is said. */
export const WINDOW = 1_024;
/** How much work a chunk is, if it can be: what the way costs is little beside it. */
const TARGET_MS = 20;
/** How many chunks there are at least, so that many workers have something. */
const CHUNKS = 64;
/** How long a chunk is at most where the window is endless. */
const LONGEST = 4_096;
/** How much the newest chunk counts. */
const WEIGHT = 0.3;
/** How many times longer than the others a chunk may seem to have taken: the machine may be busy for a moment. */
const MOST_LATE = 4;

/** What is known of the items of one map. */
export class Sizes {
  /** How many chunks may be under way. */
  readonly concurrency: number;
  readonly #mostBytes: number;
  readonly #isFixed: boolean;
  #largest: number;
  #size: number;
  /** What an item seems to take, with its part of what a job does beside. */
  #msEach: number = Infinity;
  #learned = 0;

  /** @param chunk - how long all chunks are; undefined if that is to be learned */
  constructor(maxResultBytes: number, window: number, chunk: number | undefined) {
    // Others may be larger than those there were.
    this.#mostBytes = maxResultBytes / 2;
    this.#isFixed = chunk !== undefined;
    const part = window === Infinity ? LONGEST : Math.floor(window / CHUNKS);
    this.#largest = Math.max(1, Math.min(chunk ?? Infinity, part));
    this.#size = chunk === undefined ? 1 : Math.min(chunk, window);
    const largest = this.#isFixed ? this.#size : this.#largest;
    this.concurrency = window === Infinity ? WINDOW : Math.max(1, Math.floor(window / largest));
  }

  /** How long the next chunk is. */
  get next(): number {
    return this.#size;
  }

  /** There was too much in a job. */
  limit(size: number): void {
    if (this.#isFixed) return;
    this.#largest = Math.min(this.#largest, size);
    this.#size = Math.min(this.#size, size);
  }

  /** A chunk of so many items has taken so long, and its results were so large. */
  learn(count: number, ms: number, bytes: number): void {
    // It is what a worker has said.
    if (this.#isFixed || !Number.isFinite(ms)) return;
    this.limit(Math.max(1, Math.floor((this.#mostBytes * count) / bytes)));
    this.#learned += count;
    const newest = Math.max(ms / count, 0.001);
    if (this.#msEach === Infinity) this.#msEach = newest;
    else this.#msEach += (Math.min(newest, this.#msEach * MOST_LATE) - this.#msEach) * WEIGHT;
    const wanted = Math.max(1, Math.floor(TARGET_MS / this.#msEach));
    // No more at once than have ended: a few quick items say little about the rest.
    this.#size = Math.min(this.#largest, wanted, this.#learned);
  }
}
