// How a pool comes to its end.

import { enterCheckpoint, keepAlive, type ParkingLot } from "../lowlevel.ts";
import { moveOnAfter, shield } from "../time/timeouts.ts";
import { cancelAllJobs } from "./cancelling.ts";
import type { PoolCore } from "./pool-core.ts";
import { closedError } from "./pool-errors.ts";
import { badOption, isDuration } from "./settings.ts";

/** Starts all workers and waits until they have loaded the module. */
export async function warmUpPool(core: PoolCore): Promise<void> {
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  if (core.state !== "open") throw closedError(core.settings.name);
  using _held = keepAlive();
  core.growFully();
  while (core.crew.isStarting) await core.starting.park();
}

/** Waits for the jobs, for at most so long, and then for the workers. */
export async function closePool(core: PoolCore, timeoutMs: number): Promise<void> {
  core.stopTaking();
  using _held = keepAlive();
  try {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    await moveOnAfter(timeoutMs, () => until(core.ending, () => core.pending === 0));
  } finally {
    cancelAllJobs(core, "the pool is closing");
    await shield(() => endWorkers(core));
  }
}

/** Cancels the jobs, and waits for their ends and for the workers. */
export async function abandonPool(core: PoolCore): Promise<void> {
  core.stopTaking();
  using _held = keepAlive();
  cancelAllJobs(core, "the block of the pool was left");
  await shield(() => endWorkers(core));
}

/** Kills the workers and waits until they are gone. */
export async function terminatePool(core: PoolCore): Promise<void> {
  using _held = keepAlive();
  core.terminate();
  await shield(() => until(core.ending, () => core.crew.all.size === 0));
  core.close();
}

async function endWorkers(core: PoolCore): Promise<void> {
  await until(core.ending, () => core.pending === 0);
  core.crew.dismissAll();
  await until(core.ending, () => core.crew.all.size === 0);
  core.close();
}

async function until(lot: ParkingLot, isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await lot.park();
}

/** Options of `close`. */
export interface PoolCloseOptions {
  /** After how many milliseconds the jobs that are left are cancelled. Default: `Infinity`. */
  readonly timeoutMs?: number | undefined;
}

/** Checks the options of `close`. */
export function checkClose({ timeoutMs = Infinity }: PoolCloseOptions): number {
  if (isDuration(timeoutMs)) return timeoutMs;
  throw badOption("close a pool", "timeoutMs", timeoutMs, "milliseconds >= 0, or Infinity");
}
