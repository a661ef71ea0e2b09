// Functions of a module, called in worker threads.

import type { Source } from "../flow/items.ts";
import { showInstancesAs } from "../util/inspect.ts";
import { callInPool } from "./call.ts";
import type { AnyModule, ArgumentsOf, FunctionsOf, ItemFunctionsOf, ReturnOf } from "./functions-of.ts";
import { type Job, type JobOptions, startInPool } from "./job.ts";
import { PoolCore } from "./pool-core.ts";
import { abandonPool, checkClose, closePool, type PoolCloseOptions, terminatePool, warmUpPool } from "./pool-end.ts";
import { mapInPool, type PoolMapOptions, type PoolResults } from "./pool-map.ts";
import { type PoolStatistics, statisticsOf } from "./pool-statistics.ts";
import { checkPool, type WorkerPoolOptions } from "./settings.ts";
import { threadStarter } from "./thread-link.ts";

/**
 * Threads that call the functions a module exports: for work that computes, so that it neither blocks the event loop nor is
 * limited to one core. Arguments and results are cloned; see `moved` for large buffers. TypeScript modules run as they are.
 *
 * A worker that dies, be it by `process.exit`, an error nobody caught or lack of memory, fails the job it ran with
 * `WorkerCrashedError` and is replaced; jobs that had not begun run elsewhere, and none runs twice. A cancelled job is asked to
 * end: its scope in the worker is cancelled, and `isCancelRequested` is true there. If it has not ended after `graceMs` its
 * worker is. Workers without jobs do not keep the process alive.
 *
 * Arguments are cloned when the job is sent to a worker: do not change them until the call has returned.
 *
 * @typeParam M - the type of the module: `typeof import("./math.ts")`; without it any name can be called, and what comes back
 *   is unknown
 * @see {@link https://docs.python.org/3/library/multiprocessing.html#module-multiprocessing.pool}
 *
 * @example
 * ```ts
 * import { WorkerPool } from "meanwhile/workers";
 *
 * await using pool = new WorkerPool<typeof import("node:path")>(new URL("node:path"), { threads: 1 });
 * console.log(await pool.call("basename", "/tmp/report.txt")); //> report.txt
 * ```
 */
export class WorkerPool<M = AnyModule> implements AsyncDisposable {
  readonly #core: PoolCore;

  /**
   * Starts nothing yet.
   *
   * @param module - its URL, like `new URL("./math.ts", import.meta.url)`
   * @throws {@link WorkerError} `MW_ERR_WORKER_INVALID_ARGUMENT` for what is no URL, and for bad options
   */
  constructor(module: URL | string, options: WorkerPoolOptions = {}) {
    this.#core = new PoolCore(
      checkPool("make a WorkerPool", module, options, ["resourceLimits"]),
      threadStarter(options),
    );
  }

  /**
   * Calls a function in a worker and waits for its result. What it throws is thrown here, with its class, its `code` and its
   * stack, followed by the stack of this call. If `maxQueued` jobs wait already, it waits for room first. The time until the
   * deadline of the current scope is known in the worker, as it is when the job is sent: one that is moved later then does not
   * keep it from being cancelled.
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
   * Starts a job in a worker, to be awaited later, for its progress, or with options. Nobody owns it but the pool: if it
   * fails and nobody awaits it, that is an unhandled rejection.
   *
   * @throws {@link WorkerError} `MW_ERR_WORKER_QUEUE_FULL` if `maxQueued` jobs wait, `MW_ERR_WORKER_CLOSED`
   *
   * @example
   * ```ts
   * import { WorkerPool } from "meanwhile/workers";
   *
   * await using pool = new WorkerPool<typeof import("node:path")>(new URL("node:path"), { threads: 1 });
   * await using job = pool.start("extname", ["report.txt"], { timeoutMs: 60_000 });
   * console.log(await job); //> .txt
   * ```
   */
  start<K extends FunctionsOf<M>>(
    name: K,
    args: Readonly<ArgumentsOf<M[K]>>,
    options: JobOptions = {},
  ): Job<ReturnOf<M[K]>> {
    return startInPool(this.#core, name, args, options) as Job<ReturnOf<M[K]>>;
  }

  /**
   * Calls a function for every item of a source, in all workers, and gives the results one by one. Items are pulled as they
   * are needed, so the source may be endless; many go to a worker in one message. For the rest it is like `map`: the first
   * failure cancels the others and is thrown, leaving the loop early cancels what runs, nothing starts before the first
   * result is asked for.
   *
   * Cancellation: reaches every call; `next` throws when all have ended.
   *
   * @param name - of a function of one item
   * @throws {@link WorkerError} `MW_ERR_WORKER_INVALID_ARGUMENT` for a bad source or option
   *
   * @example
   * ```ts
   * import { WorkerPool } from "meanwhile/workers";
   *
   * await using pool = new WorkerPool<typeof import("node:path")>(new URL("node:path"), { threads: 1 });
   * for await (const name of pool.map("basename", ["/a/b.txt", "/c/d.txt"])) console.log(name); //> b.txt
   * //> d.txt
   * ```
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
    showInstancesAs(this.prototype, (pool) => describePool("WorkerPool", pool.#core));
  }
}

/** A pool in one line, for dumps. */
export function describePool(kind: string, core: PoolCore): string {
  const { threads, running, queued } = statisticsOf(core);
  return `${kind} ${core.settings.name} (${core.state}, ${threads} workers, ${running} jobs running, ${queued} queued)`;
}
