// The pools that the rows `workers-…` compare, with one face: a pool of as many workers as there are processors calls one of
// the jobs.

import { availableParallelism } from "node:os";

import type * as Jobs from "./jobs.ts";
import type { NodePeer, PythonPeer } from "./row.ts";

/** How many workers every pool has, those in Python too. */
export const WORKERS: number = availableParallelism();

export const JOBS: URL = new URL("./jobs.ts", import.meta.url);
const WORKERPOOL_JOBS = new URL("./workerpool-jobs.ts", import.meta.url);

type JobName = keyof typeof Jobs;

/** A pool that is there for one of the jobs. */
export interface Pool extends AsyncDisposable {
  call(argument: unknown): PromiseLike<unknown>;
}

/** Opens a pool for a job. */
export type OpenPool = (job: JobName) => Promise<Pool>;

export const ours: OpenPool = async (job) => {
  const { WorkerPool } = await import("meanwhile/workers");
  const pool = new WorkerPool<Record<string, (argument: unknown) => unknown>>(JOBS, { threads: WORKERS });
  return {
    call: (argument) => pool.call(job, argument),
    [Symbol.asyncDispose]: () => pool.close(),
  };
};

export const oursInProcesses: OpenPool = async (job) => {
  const { ProcessPool } = await import("meanwhile/workers");
  const pool = new ProcessPool<Record<string, (argument: unknown) => unknown>>(JOBS, { threads: WORKERS });
  return {
    call: (argument) => pool.call(job, argument),
    [Symbol.asyncDispose]: () => pool.close(),
  };
};

export const piscina: OpenPool = async (job) => {
  const { Piscina } = await import("piscina");
  const pool = new Piscina({ filename: JOBS.href, minThreads: WORKERS, maxThreads: WORKERS, name: job });
  return {
    call: (argument) => pool.run(argument),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
};

export const tinypool: OpenPool = async (job) => {
  const { Tinypool } = await import("tinypool");
  const pool = new Tinypool({ filename: JOBS.href, minThreads: WORKERS, maxThreads: WORKERS, name: job });
  return {
    call: (argument) => pool.run(argument),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
};

export const workerpool: OpenPool = async (job) => {
  const { default: made } = await import("workerpool");
  const options = { minWorkers: WORKERS, maxWorkers: WORKERS, workerType: "thread" } as const;
  const pool = made.pool(WORKERPOOL_JOBS.pathname, options);
  return {
    call: (argument) => pool.exec<(argument: unknown) => unknown>(job, [argument]),
    [Symbol.asyncDispose]: async () => {
      await pool.terminate();
    },
  };
};

/** A peer for each pool; what is measured is done with a pool that was opened for it. */
export function poolPeers(measure: (open: OpenPool) => NodePeer["measure"]): NodePeer[] {
  return [
    { kind: "node", name: "WorkerPool", ours: true, packages: ["meanwhile"], measure: measure(ours) },
    { kind: "node", name: "ProcessPool", ours: true, packages: ["meanwhile"], measure: measure(oursInProcesses) },
    { kind: "node", name: "piscina", packages: ["piscina"], measure: measure(piscina) },
    { kind: "node", name: "tinypool", packages: ["tinypool"], measure: measure(tinypool) },
    { kind: "node", name: "workerpool", packages: ["workerpool"], measure: measure(workerpool) },
  ];
}

/** The two of Python's standard library, which work in processes. */
export function pythonPeers(what: string): PythonPeer[] {
  const peer = (name: string, pool: string): PythonPeer => ({
    kind: "python",
    name,
    script: "workers.py",
    args: [what, pool, String(WORKERS)],
    modules: [],
  });
  return [peer("multiprocessing.Pool", "pool"), peer("ProcessPoolExecutor", "executor")];
}
