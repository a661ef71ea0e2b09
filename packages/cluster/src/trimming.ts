// Keeps no more ends than `keepJobs` where the server does not do so with each of them.
//
// On PostgreSQL BullMQ would compare each end with all that are kept: 10 ms a job for 2 000 of them, and more for more. How old
// they are has an index, how many they are has none; so their number is looked at from time to time.

import type { AnyQueue } from "./bull-server.ts";

const { clearTimeout, setTimeout } = globalThis;

const EVERY_MS = 30_000;

/** Sees to it that a queue keeps so many ends, now and then. */
export class Trimming {
  readonly #queue: AnyQueue;
  readonly #keepJobs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(queue: AnyQueue, keepJobs: number) {
    this.#queue = queue;
    this.#keepJobs = keepJobs;
    if (keepJobs !== Infinity) this.#wait();
  }

  // Not at the same moment as others: each would take out what is too much.
  #wait(): void {
    if (this.#isStopped) return;
    const again = (): void => {
      trim(this.#queue, this.#keepJobs).then(
        () => this.#wait(),
        () => this.#wait(),
      );
    };
    this.#timer = setTimeout(again, EVERY_MS * (0.5 + Math.random()));
    this.#timer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}

/** Takes out the oldest ends that are too many. */
export async function trim(queue: AnyQueue, keepJobs: number): Promise<void> {
  const counts = await queue.getJobCounts("completed", "failed");
  for (const how of ["completed", "failed"] as const) {
    const tooMany = (counts[how] ?? 0) - keepJobs;
    if (tooMany > 0) await queue.clean(0, tooMany, how);
  }
}
