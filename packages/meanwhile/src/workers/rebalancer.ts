// Takes jobs back that wait behind a long one in one worker while another has nothing to do: the guess about how long they
// take was wrong.

import type { Crew } from "./crew.ts";
import type { PoolJob } from "./pool-job.ts";

const { clearTimeout, performance, setTimeout } = globalThis;

/** How long a worker may say nothing until those with nothing to do take its jobs. */
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

  /** To be called when a worker has got nothing to do, or more than it can run. */
  watch(): void {
    if (this.#timer !== undefined) return;
    const { ready } = this.#crew;
    if (ready.every(({ load }) => load <= this.#concurrency) || ready.every(({ load }) => load > 0)) return;
    this.#timer = setTimeout(() => this.#rebalance(), STUCK_MS);
  }

  #rebalance(): void {
    this.#timer = undefined;
    const { ready } = this.#crew;
    const silentSince = performance.now() - STUCK_MS + 1;
    if (ready.some(({ load }) => load === 0)) {
      for (const worker of ready) {
        if (worker.load <= this.#concurrency || worker.heardAt > silentSince) continue;
        for (const job of worker.jobs) if (!job.isMoved && worker.revoke(job)) this.#notBegun(job);
      }
    }
    this.watch();
  }

  /** Nothing comes any more. */
  close(): void {
    clearTimeout(this.#timer);
  }
}
