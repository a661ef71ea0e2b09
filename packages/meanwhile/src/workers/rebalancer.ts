// Takes jobs back that wait behind long ones in one worker while another could run them at once: the guess about how long
// they take was wrong, or the other one was not there yet.

import type { Crew } from "./crew.ts";
import type { PoolJob } from "./pool-job.ts";
import type { PoolWorker } from "./pool-worker.ts";

const { clearTimeout, performance, setTimeout } = globalThis;

/** How long a worker may say nothing until those that could run its jobs take them. */
const STUCK_MS = 5;

/** Looks for such jobs as long as there may be any. */
export class Rebalancer {
  readonly #crew: Crew;
  readonly #concurrency: number;
  readonly #notBegun: (job: PoolJob) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param notBegun - told of each job that was taken back */
  constructor(crew: Crew, concurrency: number, notBegun: (job: PoolJob) => void) {
    this.#crew = crew;
    this.#concurrency = concurrency;
    this.#notBegun = notBegun;
  }

  /** To be called when a worker has got room for more, or more than it can run. */
  watch(): void {
    if (this.#timer !== undefined) return;
    const { ready } = this.#crew;
    if (ready.every(({ load }) => load <= this.#concurrency) || !this.#hasRoom(ready)) return;
    this.#timer = setTimeout(() => this.#rebalance(), STUCK_MS);
  }

  #rebalance(): void {
    this.#timer = undefined;
    const { ready } = this.#crew;
    const silentSince = performance.now() - STUCK_MS + 1;
    if (this.#hasRoom(ready)) {
      for (const worker of ready) {
        if (worker.load <= this.#concurrency || worker.heardAt > silentSince) continue;
        for (const job of worker.jobs) if (!job.isMoved && worker.revoke(job)) this.#notBegun(job);
      }
    }
    this.watch();
  }

  #hasRoom(ready: readonly PoolWorker[]): boolean {
    return ready.some(({ load }) => load < this.#concurrency);
  }

  /** Nothing comes any more. */
  close(): void {
    clearTimeout(this.#timer);
  }
}
