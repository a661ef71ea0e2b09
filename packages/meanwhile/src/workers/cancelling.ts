// How jobs of a pool are cancelled.
//
// A job that has not begun is done at once. One that runs is asked to end (its scope is cancelled, and a flag in the ledger
// is set for code that never waits) and is done when it has ended. After its `graceMs` its worker retires: what it had not
// begun goes elsewhere. It is killed at once if no other job runs in it, or if its event loop no longer turns, so that no
// other can go on either. Else the job is done, and the worker is killed when the others have ended.

import type { PoolCore } from "./pool-core.ts";
import type { PendingCancel, PoolJob } from "./pool-job.ts";
import type { PoolWorker } from "./pool-worker.ts";

const { setTimeout } = globalThis;

/** Asks a job to end. True if it is done at once: then its listener is not told. */
export function cancelJob(core: PoolCore, job: PoolJob, reason: unknown): boolean {
  if (job.state === "done") return true;
  if (job.cancel !== null) return false;
  const cancel: PendingCancel = { graceTimer: undefined };
  job.cancel = cancel;
  const { worker } = job;
  if (worker === null || worker.revoke(job)) {
    core.drop(job);
    return true;
  }
  const request = worker.requestCancel(job, reasonText(reason));
  const { graceMs } = job.terms;
  if (graceMs !== Infinity) cancel.graceTimer = setTimeout(() => graceEnded(core, job, worker, request), graceMs);
  return false;
}

/** The reason crosses as text, if it is one. */
function reasonText(reason: unknown): string | null {
  if (reason instanceof Error) return reason.message;
  return typeof reason === "string" ? reason : null;
}

function graceEnded(core: PoolCore, job: PoolJob, worker: PoolWorker, request: number): void {
  worker.retire();
  const isLoopTurning = worker.cancelSeen >= request;
  const hasOthers = worker.jobs.some((other) => other !== job);
  if (!isLoopTurning || !hasOthers) {
    worker.kill();
    return;
  }
  worker.forget(job);
  core.settled(job, "cancelled", () => job.listener.cancelled(job, "request"));
}

/** Asks every job to end. */
export function cancelAllJobs(core: PoolCore, reason: string): void {
  for (const job of core.list()) {
    if (job.state !== "done" && cancelJob(core, job, reason)) job.listener.cancelled(job, "request");
  }
}
