// Functions of a module, called in child processes. The same interface as that of WorkerPool: the docs are there.

import type { Source } from "../flow/items.ts";
import { showInstancesAs } from "../util/inspect.ts";
import { callInPool } from "./call.ts";
import type { AnyModule, ArgumentsOf, FunctionsOf, ItemFunctionsOf, ReturnOf } from "./functions-of.ts";
import { type Job, type JobOptions, startInPool } from "./job.ts";
import { PoolCore } from "./pool-core.ts";
import { abandonPool, checkClose, closePool, type PoolCloseOptions, terminatePool, warmUpPool } from "./pool-end.ts";
import { mapInPool, type PoolMapOptions, type PoolResults } from "./pool-map.ts";
import { type PoolStatistics, statisticsOf } from "./pool-statistics.ts";
import { describePool } from "./pool.ts";
import { processStarter } from "./process-link.ts";
import { checkPool, type PoolOptions } from "./settings.ts";

/**
 * What {@link WorkerPool} is, with processes instead of threads: for code that may crash in native code, that changes the
 * working directory, or that has to be ended for good. A start takes longer, buffers are always copied, and what belongs to a
 * process is refused: `SharedArrayBuffer`, `MessagePort`, streams, `Blob`, keys. A process that dies, by whatever signal, fails
 * only the job it ran.
 *
 * @typeParam M - the type of the module: `typeof import("./math.ts")`; without it any name can be called, and what comes back
 *   is unknown
 * @see {@link https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor}
 *
 * @example
 * ```ts
 * import { ProcessPool } from "meanwhile/workers";
 *
 * await using pool = new ProcessPool<typeof import("node:path")>("node:path", { threads: 1 });
 * console.log(await pool.call("basename", "/tmp/report.txt")); //> report.txt
 * ```
 */
export class ProcessPool<M = AnyModule> implements AsyncDisposable {
  readonly #core: PoolCore;

  /**
   * Starts nothing yet.
   *
   * @param module - its URL, like `new URL("./math.ts", import.meta.url)`
   * @throws {@link WorkerError} `MW_ERR_WORKER_INVALID_ARGUMENT` for what is no URL, and for bad options
   */
  constructor(module: URL | string, options: PoolOptions = {}) {
    this.#core = new PoolCore(checkPool("make a ProcessPool", module, options), processStarter(options));
  }

  /**
   * Calls a function in a process and waits for its result; see `WorkerPool`.
   *
   * Cancellation: reaches the function, and the call ends when the function has, or its worker. What the function returns in
   * spite of it is delivered.
   *
   * @param name - of a function that the module exports
   * @throws whatever the function throws
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   * @throws {@link WorkerCrashedError} `MW_ERR_WORKER_CRASHED` if the worker dies while it runs the function
   * @throws {@link WorkerError} `MW_ERR_WORKER_NOT_CLONEABLE`, `_UNKNOWN_FUNCTION`, `_MODULE`, `_CLOSED` or `_TERMINATED`
   */
  call<K extends FunctionsOf<M>>(name: K, ...args: ArgumentsOf<M[K]>): Promise<ReturnOf<M[K]>> {
    return callInPool(this.#core, name, args, false) as Promise<ReturnOf<M[K]>>;
  }

  /**
   * Starts a job in a process, to be awaited later, for its progress, or with options; see `WorkerPool`.
   *
   * @throws {@link WorkerError} `MW_ERR_WORKER_QUEUE_FULL` if `maxQueued` jobs wait, `MW_ERR_WORKER_CLOSED`
   */
  start<K extends FunctionsOf<M>>(
    name: K,
    args: Readonly<ArgumentsOf<M[K]>>,
    options: JobOptions = {},
  ): Job<ReturnOf<M[K]>> {
    return startInPool(this.#core, name, args, options) as Job<ReturnOf<M[K]>>;
  }

  /**
   * Calls a function for every item of a source, in all processes; see `WorkerPool`.
   *
   * Cancellation: reaches every call; `next` throws when all have ended.
   *
   * @param name - of a function of one item
   * @throws {@link WorkerError} `MW_ERR_WORKER_INVALID_ARGUMENT` for a bad source or option
   */
  map<K extends ItemFunctionsOf<M>>(
    name: K,
    source: Source<ArgumentsOf<M[K]>[0]>,
    options: PoolMapOptions = {},
  ): PoolResults<ReturnOf<M[K]>> {
    return mapInPool(this.#core, name, source, options) as PoolResults<ReturnOf<M[K]>>;
  }

  /**
   * Starts all workers and waits until they have loaded the module.
   *
   * Cancellation: safe. The workers go on starting.
   *
   * @throws {@link WorkerError} `MW_ERR_WORKER_MODULE` if the module cannot be loaded
   */
  warmUp(): Promise<void> {
    return warmUpPool(this.#core);
  }

  /** A snapshot for dumps and tests. */
  statistics(): PoolStatistics {
    return statisticsOf(this.#core);
  }

  /**
   * Takes no more jobs, waits for those there are, for at most `timeoutMs`, cancels the rest, and waits until all workers
   * have left. Leaving the block of an `await using` cancels the jobs at once.
   *
   * Cancellation: reaches the jobs: they are cancelled, and it ends when all workers have left.
   *
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  close(options: PoolCloseOptions = {}): Promise<void> {
    return closePool(this.#core, checkClose(options));
  }

  /**
   * Kills the workers, whatever they do; every job fails with `MW_ERR_WORKER_TERMINATED`.
   *
   * Cancellation: safe. It is held back until they have ended.
   */
  terminate(): Promise<void> {
    return terminatePool(this.#core);
  }

  /**
   * Cancels every job that is left, and waits until they and all workers have ended.
   *
   * Cancellation: safe. It is held back until then.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return abandonPool(this.#core);
  }

  static {
    showInstancesAs(this.prototype, (pool) => describePool("ProcessPool", pool.#core));
  }
}
