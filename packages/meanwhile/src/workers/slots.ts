// The places a worker has for jobs, from the sending to the reply.

import type { PoolJob } from "./pool-job.ts";
import { SLOTS } from "./wire.ts";

/**
 * Which jobs a worker has.
 *
 * Invariant: each slot is either free or counted in `load`; only the worker's reply frees one, whatever became of its job.
 */
export class Slots {
  /** How many are taken, those included whose job is none of the worker's any more though it has not replied yet. */
  load = 0;
  // By slot; null if the slot is free, or the job was given up.
  readonly #jobs: Array<PoolJob | null> = Array.from({ length: SLOTS }, () => null);
  readonly #free: number[] = Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index);

  /** Every job, without those that were given up. */
  get jobs(): PoolJob[] {
    return this.#jobs.filter((job) => job !== null);
  }

  /** The job in the slot, unless it was given up. */
  at(slot: number): PoolJob | null {
    return this.#jobs[slot] ?? null;
  }

  /** Gives the job a slot; there must be one. */
  take(job: PoolJob): number {
    const slot = this.#free.pop() as number;
    this.#jobs[slot] = job;
    this.load += 1;
    return slot;
  }

  /** What comes of the job is of no interest any more; the slot stays taken until the worker has replied. */
  giveUp(slot: number): void {
    this.#jobs[slot] = null;
  }

  /** The worker has replied: the slot is free. Returns its job, unless that was given up. */
  close(slot: number): PoolJob | null {
    const job = this.at(slot);
    this.#jobs[slot] = null;
    this.load -= 1;
    this.#free.push(slot);
    return job;
  }
}
