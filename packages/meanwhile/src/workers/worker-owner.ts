// What a pool is told by its workers.

import type { EncodedError } from "./encode-error.ts";
import type { WorkerExit } from "./errors.ts";
import type { PoolJob } from "./pool-job.ts";
import type { PoolWorker } from "./pool-worker.ts";

/** How many jobs have ended, by how. */
export interface Ends {
  completed: number;
  failed: number;
  cancelled: number;
}

/** What a pool is told by its workers. */
export interface WorkerOwner {
  workerReady(worker: PoolWorker): void;
  workerBroken(worker: PoolWorker, error: EncodedError): void;
  /** A message was read: there may be room. */
  workerReplied(worker: PoolWorker): void;
  /** @param before - the state in which it came to its end */
  workerEnded(worker: PoolWorker, exit: WorkerExit, before: PoolWorker["state"]): void;
  /** A job was taken off a worker, or the queue, without a message: there may be room. */
  roomAgain(): void;
  /** A job that a worker was to be sent, or had been sent, was not begun. */
  notBegun(job: PoolJob): void;
  /** A job that runs is of no use any more. */
  mustEnd(job: PoolJob, why: string): void;
  /** The job has ended; `tell` tells its listener. */
  settled(job: PoolJob, how: keyof Ends, tell: () => void): void;
  /** What jobs of a function have taken. */
  learned(name: string, count: number, ms: number): void;
  output(stream: 1 | 2, chunk: Uint8Array): void;
}
