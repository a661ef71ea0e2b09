// What is to be known of a pool.

import type { PoolCore } from "./pool-core.ts";

/** A snapshot of a pool. */
export interface PoolStatistics {
  /** How many workers there are; `starting` and `idle` ones included. */
  readonly threads: number;
  /** How many of them load the module. */
  readonly starting: number;
  /** How many of them have nothing to do. */
  readonly idle: number;
  /** How many calls wait for room in the queue. */
  readonly waiting: number;
  /** How many jobs wait for a worker. */
  readonly queued: number;
  /** How many jobs were sent to a worker and have not ended. */
  readonly running: number;
  /** How many jobs have ended with a value. */
  readonly completed: number;
  /** How many jobs have failed. */
  readonly failed: number;
  /** How many jobs have ended by their cancellation. */
  readonly cancelled: number;
  /** How many workers have died that were not sent away. */
  readonly crashes: number;
  /** The names of the functions that the module exports; none as long as no worker has loaded it. */
  readonly functions: readonly string[];
}

/** Takes a snapshot. */
export function statisticsOf({ crew, ends, crashes, pending, queued, room }: PoolCore): PoolStatistics {
  const workers = [...crew.all];
  return {
    threads: workers.length,
    starting: workers.filter(({ state }) => state === "starting").length,
    idle: workers.filter(({ state, load }) => state === "ready" && load === 0).length,
    waiting: room.size,
    queued,
    running: pending - queued,
    ...ends,
    crashes,
    functions: workers.find(({ state }) => state === "ready")?.names ?? [],
  };
}
