// Waiting that stops the thread: where it is refused, and the wait itself.

import { activeRunners } from "../lowlevel.ts";
import { WorkerError } from "./errors.ts";

let isAllowed = false;

/** From now on code of this thread may stop it: nothing else is to run here. For threads that run one job at a time. */
export function allowBlocking(): void {
  isAllowed = true;
}

/**
 * Refuses to stop a thread in which a run is going on.
 *
 * @param what - what cannot be done, like `wait for "load"`
 * @param instead - what to do
 */
export function refuseToBlock(what: string, instead: string): void {
  const [runner] = activeRunners;
  if (isAllowed || runner === undefined) return;
  throw new WorkerError(
    "MW_ERR_WORKER_WOULD_BLOCK",
    `Cannot ${what} here: a run is going on in this thread ("${runner.name}"), all its tasks would stand still, and what needs one of them would never end; ${instead}`,
  );
}

/** Stops the thread for so many milliseconds. */
export function pauseThread(ms: number): void {
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
