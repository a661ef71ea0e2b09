// How jobs of a pool are cancelled.
//
// A job that has not begun is done at once. One that runs is asked to end (its scope is cancelled, and a flag in the ledger
// is set for code that never waits) and is done when it has ended. After its `graceMs` its worker retires: what it had not
// begun goes elsewhere. It is killed at once if no other job runs in it, or a moment later if its event loop no longer turns,
// so that no other can go on either. Else the job is done, and the worker is killed when the others have ended.
//
// What the worker has said may wait to be read while this thread computes, and timers come before messages: so it is listened
// to for a turn before anything is decided. A job that has ended by the ledger is done; its worker has gone on to others.

import type { PoolCore } from "./pool-core.ts";
import type { PendingCancel, PoolJob } from "./pool-job.ts";
import type { PoolWorker } from "./pool-worker.ts";

const { performance, setImmediate, setTimeout } = globalThis;

/** How long an event loop that turns may take to say so: the machine may be busy. */
const TURN_MS = 250;

/** Asks a job to end. True if it is done at once: then its listener is not told. */
export function cancelJob(core: PoolCore, job: PoolJob, reason: unknown): boolean {
  if (job.state === "done") return true;
  if (job.cancel !== null) return false;
  const cancel: PendingCancel = { graceTimer: undefined };
  job.cancel = cancel;
  const { worker } = job;
  if (worker === null || worker.revoke(job)) {
    core.drop(job);
    if (worker !== null && job.terms.graceMs !== Infinity) expectSign(worker, job.terms.graceMs);
    return true;
  }
  const request = worker.requestCancel(job, reasonText(reason));
  const { graceMs } = job.terms;
  if (graceMs !== Infinity) cancel.graceTimer = afterTurn(graceMs, () => graceEnded(core, job, worker, request));
  return false;
}

/** The reason crosses as text, if it is one. */
function reasonText(reason: unknown): string | null {
  if (reason instanceof Error) return reason.message;
  return typeof reason === "string" ? reason : null;
}

// The pool holds the process as long as it has jobs.
function afterTurn(ms: number, then: () => void): ReturnType<typeof setTimeout> {
  return setTimeout(() => void setImmediate(then), ms).unref();
}

function graceEnded(core: PoolCore, job: PoolJob, worker: PoolWorker, request: number, isLast = false): void {
  if (job.worker !== worker || job.cancel === null) return;
  if (worker.fateOf(job) === "running") worker.retire(); // no other begins from here on
  if (worker.fateOf(job) === "finished") giveUp(core, job, worker);
  else if (worker.jobs.every((other) => other === job)) worker.kill();
  else if (worker.cancelSeen >= request) giveUp(core, job, worker);
  else if (isLast) worker.kill();
  else job.cancel.graceTimer = afterTurn(TURN_MS, () => graceEnded(core, job, worker, request, true));
}

// A worker that runs nothing and says nothing is held by something that a job has left behind, and would never do anything
// again. What it was sent and has not begun goes to the one that replaces it.
function expectSign(worker: PoolWorker, graceMs: number): void {
  const since = performance.now();
  afterTurn(graceMs, () => {
    const isSilent = worker.state === "ready" && worker.load > 0 && worker.heardAt < since;
    if (isSilent && worker.jobs.every((job) => worker.fateOf(job) === "never begun")) worker.kill();
  });
}

function giveUp(core: PoolCore, job: PoolJob, worker: PoolWorker): void {
  worker.forget(job);
  core.settled(job, "cancelled", () => job.listener.cancelled(job));
}

/** Asks every job to end. */
export function cancelAllJobs(core: PoolCore, reason: string): void {
  for (const job of core.list()) {
    if (job.state !== "done" && cancelJob(core, job, reason)) job.listener.cancelled(job);
  }
}
