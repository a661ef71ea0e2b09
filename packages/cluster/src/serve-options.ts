// The options of a worker, checked.

import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";

import type { WorkerPoolOptions } from "meanwhile/workers";

import { badOption, checkCommon, type CommonSettings, count, type QueueOptions } from "./options.ts";

/** Options of {@link serveCluster}. */
export interface ServeOptions extends QueueOptions {
  /** Where the queue is: `redis:`, `rediss:`, `postgres:` or `postgresql:`. Default: inside this process. */
  readonly url?: string | URL | undefined;
  /** How many jobs run at once. Default: the number of cores. */
  readonly concurrency?: number | undefined;
  /** In how many threads they run. More jobs than threads only make sense for functions that await. Default: one for each job, but no more than cores. */
  readonly threads?: number | undefined;
  /** Whether they run in processes instead of threads, for functions that may crash. Default: false. */
  readonly processes?: boolean | undefined;
  /** Which of the functions of the module may be called. Default: all it exports. */
  readonly functions?: readonly string[] | undefined;
  /** How many losses of workers a job survives; with the next one it fails with `MW_ERR_CLUSTER_WORKER_LOST`: it may be what kills them. Default: 4. */
  readonly maxLosses?: number | undefined;
  /** Is told what goes wrong and goes on by itself, like a server that is away for a while. Default: nobody is. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Options of the pool that runs the jobs. Its `graceMs` is also how long they may take to end when the worker gives them back. */
  readonly pool?: Omit<WorkerPoolOptions, "threads" | "concurrency" | "maxQueued"> | undefined;
}

/** The options of a worker with their defaults. */
export interface ServeSettings extends CommonSettings {
  readonly id: string;
  readonly concurrency: number;
  readonly threads: number;
  readonly processes: boolean;
  readonly functions: readonly string[] | null;
  readonly maxLosses: number;
  /** How long jobs may take to end when the worker leaves, whatever their clients have said. */
  readonly leaveGraceMs: number;
  readonly onError: (error: unknown) => void;
}

/** That of a pool which is not told. */
const POOL_GRACE_MS = 1_000;

function nobody(): void {}

/** Checks the options of a worker. */
export function checkServe(options: ServeOptions): ServeSettings {
  const what = "serve a cluster";
  const common = checkCommon(what, options, [
    "url",
    "concurrency",
    "threads",
    "processes",
    "functions",
    "maxLosses",
    "onError",
    "pool",
  ]);
  const cores = availableParallelism();
  const { processes = false, functions, onError = nobody } = options;
  const concurrency = count(what, "concurrency", options.concurrency ?? cores, 1);
  const threads = count(what, "threads", options.threads ?? Math.min(cores, concurrency), 1);
  if (concurrency === Infinity) throw badOption(what, "concurrency", concurrency, "an integer >= 1");
  if (typeof processes !== "boolean") throw badOption(what, "processes", processes, "true or false");
  if (functions !== undefined && !(Array.isArray(functions) && functions.every((name) => typeof name === "string")))
    throw badOption(what, "functions", functions, "an array of names");
  if (typeof onError !== "function") throw badOption(what, "onError", onError, "a function");
  return {
    ...common,
    id: `${common.host}-${process.pid}-${randomUUID().slice(0, 8)}`,
    concurrency,
    threads: Math.min(threads, concurrency),
    processes,
    functions: functions ?? null,
    onError,
    maxLosses: count(what, "maxLosses", options.maxLosses ?? 4, 0),
    leaveGraceMs: options.pool?.graceMs ?? POOL_GRACE_MS,
  };
}
