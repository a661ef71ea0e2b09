// What jobs of each function have taken, and how much of them is worth sending ahead.

import type { PoolJob } from "./pool-job.ts";
import { SLOTS } from "./wire.ts";

/** How much work a worker is sent ahead. */
const TARGET_MS = 2;
/** How much the newest jobs count. */
const WEIGHT = 0.3;

/** Knows how long jobs take. */
export class Costs {
  readonly #ms = new Map<string, number>();

  /** `count` calls of a function have taken so many milliseconds in all. */
  learn(name: string, count: number, ms: number): void {
    const newest = ms / count;
    const known = this.#ms.get(name);
    // What turns out to take longer than thought is believed at once: too much sent ahead waits behind it.
    this.#ms.set(name, known === undefined || newest > known ? newest : known + (newest - known) * WEIGHT);
  }

  /** What one call of the function is expected to take, in milliseconds; undefined if nothing is known. */
  of(name: string): number | undefined {
    return this.#ms.get(name);
  }

  /** How many jobs like this one a worker may have that runs `concurrency` at once: never fewer than one more. */
  windowOf({ name, terms }: PoolJob, concurrency: number): number {
    const ms = this.#ms.get(name);
    const least = concurrency + 1;
    return terms.isEach || ms === undefined
      ? least
      : Math.min(SLOTS, Math.max(least, Math.ceil((TARGET_MS * concurrency) / ms)));
  }
}
