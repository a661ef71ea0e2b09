// The options of pools, checked.

import { availableParallelism } from "node:os";
import type { ResourceLimits } from "node:worker_threads";

import { isCount } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import { WorkerError } from "./errors.ts";
import { SLOTS } from "./wire.ts";

/** Options of a {@link ProcessPool}, and of a {@link WorkerPool} apart from those only threads have. */
export interface PoolOptions {
  /** How many workers there may be. They are started when there are jobs for them. Default: the number of cores. */
  readonly threads?: number | undefined;
  /** How many of them stay, though they have had nothing to do for `idleTimeoutMs`. Default: 0. */
  readonly minThreads?: number | undefined;
  /** After how many milliseconds without a job a worker is sent away. Default: `Infinity`, when the pool is closed. */
  readonly idleTimeoutMs?: number | undefined;
  /** How many jobs a worker runs at once, up to 1 023: more than 1 only makes sense for functions that await. Default: 1. */
  readonly concurrency?: number | undefined;
  /**
   * How many jobs may wait for a worker. If there is no room `call` waits for it, and `start` throws
   * `MW_ERR_WORKER_QUEUE_FULL`. Default: `Infinity`.
   */
  readonly maxQueued?: number | undefined;
  /** How many milliseconds a cancelled job may take to end; then its worker is ended. Default: 1 000. */
  readonly graceMs?: number | undefined;
  /** After how many jobs a worker is replaced. Default: `Infinity`. */
  readonly maxJobsPerWorker?: number | undefined;
  /** A function that the module exports, called in each worker before its first job. */
  readonly initializer?: { readonly name: string; readonly args?: readonly unknown[] | undefined } | undefined;
  /** The environment of the workers. Default: a copy of `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** The options of Node in the workers. Default: those of this process, so that TypeScript and load hooks work there too. */
  readonly execArgv?: readonly string[] | undefined;
  /** The name of the pool, for errors and dumps. Default: the file name of the module. */
  readonly name?: string | undefined;
}

/** Options of a {@link WorkerPool}. */
export interface WorkerPoolOptions extends PoolOptions {
  /** How much memory a worker may take; one that takes more is ended, and only its job fails. Default: Node's. */
  readonly resourceLimits?: ResourceLimits | undefined;
}

/** The options with their defaults. */
export interface PoolSettings {
  readonly module: string;
  readonly name: string;
  readonly threads: number;
  readonly minThreads: number;
  readonly idleTimeoutMs: number;
  readonly concurrency: number;
  readonly maxQueued: number;
  readonly graceMs: number;
  readonly maxJobsPerWorker: number;
  readonly initializer: { readonly name: string; readonly args: readonly unknown[] } | null;
}

const OPTIONS = [
  "threads",
  "minThreads",
  "idleTimeoutMs",
  "concurrency",
  "maxQueued",
  "graceMs",
  "maxJobsPerWorker",
  "initializer",
  "env",
  "execArgv",
  "name",
] satisfies Array<keyof PoolOptions>;

/**
 * Checks what a pool is made with.
 *
 * @param own - the options that only this kind of pool has
 */
export function checkPool(
  what: string,
  module: URL | string,
  options: PoolOptions,
  own: readonly string[] = [],
): PoolSettings {
  const url = checkModule(what, module);
  if (typeof options !== "object" || options === null) throw badOption(what, "options", options, "an object");
  checkNames(what, options, [...OPTIONS, ...own]);
  const { initializer, name = url.slice(url.lastIndexOf("/") + 1) } = options;
  if (initializer !== undefined && typeof initializer?.name !== "string") {
    throw badOption(what, "initializer", initializer, "{ name, args }");
  }
  if (typeof name !== "string") throw badOption(what, "name", name, "a text");
  return {
    module: url,
    name,
    ...checkNumbers(what, options),
    initializer: initializer === undefined ? null : { name: initializer.name, args: initializer.args ?? [] },
  };
}

type Numbers = Omit<PoolSettings, "module" | "name" | "initializer">;

function checkNumbers(what: string, options: PoolOptions): Numbers {
  const count = (key: keyof Numbers, least: number, value: number): number => {
    if (value === Infinity && key !== "threads" && key !== "concurrency") return value;
    if (!isCount(value, least)) throw badOption(what, key, value, `an integer >= ${least}`);
    return value;
  };
  const ms = (key: keyof Numbers, value: number): number => {
    if (!isDuration(value)) throw badOption(what, key, value, "milliseconds >= 0, or Infinity");
    return timerMs(value);
  };
  const threads = count("threads", 1, options.threads ?? availableParallelism());
  return {
    threads,
    minThreads: minThreadsOf(what, count("minThreads", 0, options.minThreads ?? 0), threads),
    concurrency: concurrencyOf(what, options.concurrency ?? 1),
    maxQueued: count("maxQueued", 1, options.maxQueued ?? Infinity),
    maxJobsPerWorker: count("maxJobsPerWorker", 1, options.maxJobsPerWorker ?? Infinity),
    idleTimeoutMs: ms("idleTimeoutMs", options.idleTimeoutMs ?? Infinity),
    graceMs: ms("graceMs", options.graceMs ?? 1_000),
  };
}

function minThreadsOf(what: string, value: number, threads: number): number {
  if (value <= threads || value === Infinity) return value;
  throw badOption(what, "minThreads", value, `an integer from 0 to ${threads}, as many as there may be ('threads')`);
}

function concurrencyOf(what: string, value: number): number {
  if (isCount(value, 1) && value < SLOTS) return value;
  throw badOption(what, "concurrency", value, `an integer from 1 to ${SLOTS - 1}`);
}

function checkModule(what: string, module: URL | string): string {
  const url = typeof module === "string" && URL.canParse(module) ? new URL(module) : module;
  if (url instanceof URL) return url.href;
  throw badOption(what, "module", module, 'a URL, like new URL("./math.ts", import.meta.url)');
}

/** Refuses an option that there is not: it would be as if nothing had been given. */
export function checkNames(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new WorkerError(
    "MW_ERR_WORKER_INVALID_ARGUMENT",
    `Cannot ${what}: there is no option ${show(unknown)}; there are ${known.join(", ")}`,
  );
}

/** The error for an argument that cannot be used. */
export function badOption(what: string, parameter: string, value: unknown, wanted: string): WorkerError {
  return new WorkerError(
    "MW_ERR_WORKER_INVALID_ARGUMENT",
    `Cannot ${what}: '${parameter}' is ${show(value)}; pass ${wanted}`,
  );
}

/** A time that a timer can wait for; what is longer than it can (24 days) is never. */
export function timerMs(ms: number): number {
  return ms > 2_147_483_647 ? Infinity : ms;
}

/** Whether `value` is a number of milliseconds that is not negative; `Infinity` is. */
export function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
