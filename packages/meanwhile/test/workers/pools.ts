// Pools for tests, and cells that both sides see.

import { ProcessPool, type PoolOptions, WorkerPool, type WorkerPoolOptions } from "meanwhile/workers";

export type Jobs = typeof import("./modules/jobs.ts");

export const JOBS: URL = new URL("./modules/jobs.ts", import.meta.url);

export function threads(options: WorkerPoolOptions = {}): WorkerPool<Jobs> {
  return new WorkerPool<Jobs>(JOBS, { threads: 1, ...options });
}

/** Not the options of this process: it is a test, and the child is none. */
export function processes(options: PoolOptions = {}): ProcessPool<Jobs> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new ProcessPool<Jobs>(JOBS, { threads: 1, env, execArgv: ["--conditions=@meanwhile/source"], ...options });
}

/** A number that threads share. */
export function cell(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** Waits until a cell has reached a value. */
export async function reached(cells: Int32Array<SharedArrayBuffer>, value: number): Promise<void> {
  for (let now = Atomics.load(cells, 0); now < value; now = Atomics.load(cells, 0)) {
    const waited = Atomics.waitAsync(cells, 0, now, 10);
    if (waited.async) await waited.value;
  }
}

export function set(cells: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(cells, 0, 1);
  Atomics.notify(cells, 0);
}
