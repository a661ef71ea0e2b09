// The jobs of a pool that wait for a worker.

import { LinkedList } from "../util/linked-list.ts";
import type { PoolJob } from "./pool-job.ts";

/** First in, first out; but those that were sent to a worker and come back go first. */
export class JobQueue {
  readonly #returned = new LinkedList<PoolJob>();
  readonly #fresh = new LinkedList<PoolJob>();

  /** How many jobs wait. */
  get size(): number {
    return this.#returned.size + this.#fresh.size;
  }

  /** The job that is next; null if none waits. */
  get first(): PoolJob | null {
    return this.#returned.first ?? this.#fresh.first;
  }

  /** Adds a new job. */
  push(job: PoolJob): void {
    this.#fresh.push(job);
  }

  /** Adds a job that was sent and has not begun. */
  giveBack(job: PoolJob): void {
    this.#returned.push(job);
  }

  /** Takes a job out, wherever it is. */
  remove(job: PoolJob): void {
    if (!this.#returned.remove(job)) this.#fresh.remove(job);
  }

  /** Takes all jobs out. */
  drain(): PoolJob[] {
    const jobs = this.list();
    for (const job of jobs) this.remove(job);
    return jobs;
  }

  /** All jobs, in order. */
  list(): PoolJob[] {
    const jobs: PoolJob[] = [];
    for (const { first } of [this.#returned, this.#fresh]) {
      for (let job = first; job !== null; job = job.next) jobs.push(job);
    }
    return jobs;
  }
}
