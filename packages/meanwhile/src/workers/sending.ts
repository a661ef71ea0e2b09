// Which worker is sent which jobs.
//
// A worker is sent about 2 ms of work at a time, by what jobs of the function have taken so far (costs.ts); one more than it
// can run if nothing is known. That is a guess, and it is mended: a worker with nothing to do takes back, atomically, what
// another one has not begun, if that one has said nothing for a while (rebalancer.ts).

import type { JobQueue } from "./job-queue.ts";
import type { PoolCore } from "./pool-core.ts";
import type { PoolJob } from "./pool-job.ts";
import type { PoolWorker } from "./pool-worker.ts";

/**
 * Sends the jobs that wait to the workers that have room, each its share.
 *
 * @param unknown - told of each job that the worker has no function for
 */
export function sendJobs(core: PoolCore, queue: JobQueue, unknown: (job: PoolJob, worker: PoolWorker) => void): void {
  const { ready } = core.crew;
  for (const [index, worker] of ready.entries()) {
    if (queue.size === 0) return;
    fill(worker, Math.ceil(queue.size / (ready.length - index)), core, queue, unknown);
    worker.flush();
  }
}

function fill(
  worker: PoolWorker,
  share: number,
  { costs, settings }: PoolCore,
  queue: JobQueue,
  unknown: (job: PoolJob, worker: PoolWorker) => void,
): void {
  for (let left = share; left > 0 && worker.taken < settings.maxJobsPerWorker; left--) {
    const job = queue.first;
    // What moves away with a job cannot be sent again: it must not wait behind another one.
    if (job !== null && job.terms.transfer.length > 0 && worker.load >= settings.concurrency) return;
    if (job === null || worker.load >= costs.windowOf(job, settings.concurrency)) return;
    queue.remove(job);
    if (worker.knows(job.name)) worker.take(job);
    else unknown(job, worker);
  }
}
