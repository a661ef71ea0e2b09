// Serves the functions of a module to the clients of a queue.

import { shield } from "meanwhile";
import { cancellable, enterCheckpoint } from "meanwhile/lowlevel";
import { type PoolCloseOptions, ProcessPool, WorkerPool } from "meanwhile/workers";

import { engineOf, openWithin } from "./connect.ts";
import { detached, outside } from "./detached.ts";
import type { Engine, WorkerPort } from "./engine.ts";
import type { WorkerIdentity } from "./errors.ts";
import { badOption, checkNames, duration } from "./options.ts";
import type { AnyPool, Functions } from "./running-job.ts";
import { checkServe, type ServeOptions, type ServeSettings } from "./serve-options.ts";
import { WorkerCore } from "./worker-core.ts";

/** A snapshot of a worker. */
export interface ClusterWorkerStatistics {
  /** How many jobs run. */
  readonly running: number;
  /** How many jobs have ended with a value. */
  readonly completed: number;
  /** How many jobs have failed. */
  readonly failed: number;
  /** How many jobs have ended by their cancellation. */
  readonly cancelled: number;
  /** How many jobs went back into the queue, because this worker was leaving. */
  readonly returned: number;
}

/** A worker of a queue. Made by `serveCluster`. */
export class ClusterWorker implements AsyncDisposable {
  /** Who it is, as errors of its jobs say. */
  readonly identity: WorkerIdentity;
  readonly #core: WorkerCore;
  readonly #pool: AnyPool;
  #closing: Promise<void> | null = null;

  /** @internal */
  constructor(core: WorkerCore, pool: AnyPool) {
    this.identity = core.identity;
    this.#core = core;
    this.#pool = pool;
  }

  /** A snapshot for dumps and tests. */
  statistics(): ClusterWorkerStatistics {
    return { running: this.#core.running, ...this.#core.tally };
  }

  /**
   * Takes no more jobs, waits for those that run, and disconnects. What still runs after `timeoutMs` is cancelled and goes back
   * into the queue, for another worker; jobs that may not begin again fail. They have the `graceMs` of the pool to end, not a
   * longer one of their clients: then their threads are ended. A server that is away is waited for a few seconds:
   * what has ended by then and is not on record begins again elsewhere.
   *
   * Cancellation: reaches the jobs that run, which are given back; it ends when that is done.
   *
   * @throws {@link ClusterError} `MW_ERR_CLUSTER_INVALID_ARGUMENT` for bad options
   */
  async close(options: PoolCloseOptions = {}): Promise<void> {
    checkNames("close a worker", options, ["timeoutMs"]);
    const timeoutMs = duration("close a worker", "timeoutMs", options.timeoutMs ?? Infinity, 0);
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    const end = this.#end(timeoutMs);
    try {
      await cancellable(end);
    } finally {
      this.#core.leaveNow();
      await shield(() => cancellable(end));
    }
  }

  /**
   * Gives back what runs, and disconnects.
   *
   * Cancellation: safe. It is held back until then.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await shield(() => cancellable(this.#end(0)));
  }

  #end(timeoutMs: number): Promise<void> {
    this.#closing ??= detached(() => this.#endOnce(timeoutMs)).then(() => {});
    return this.#closing;
  }

  async #endOnce(timeoutMs: number): Promise<void> {
    try {
      await this.#core.drain(timeoutMs);
    } finally {
      await this.#core.close();
      await this.#pool.close();
    }
  }
}

/**
 * Runs the functions of a module for the clients of a queue, in a pool of threads. What `meanwhile worker` does.
 *
 * Only functions that the module exports can be called, by name; nothing that comes over the queue loads code.
 *
 * Cancellation: safe. What was opened by then is closed.
 *
 * @param module - its URL, like `new URL("./math.ts", import.meta.url)`
 * @throws {@link ClusterError} `MW_ERR_CLUSTER_CONNECT` if the server cannot be reached, `MW_ERR_CLUSTER_INVALID_ARGUMENT`
 * @throws {@link WorkerError} `MW_ERR_WORKER_MODULE` if the module cannot be loaded
 *
 * @example
 * ```ts
 * import { connectCluster, serveCluster } from "@meanwhile/cluster";
 *
 * await using worker = await serveCluster(new URL("node:path"), { queue: "paths", concurrency: 2 });
 * await using cluster = await connectCluster<typeof import("node:path")>(undefined, { queue: "paths" });
 * for await (const name of cluster.map("basename", ["/a/b.txt", "/c/d.txt"])) console.log(name); //> b.txt
 * //> d.txt
 * ```
 */
export async function serveCluster(module: URL | string, options: ServeOptions): Promise<ClusterWorker> {
  const settings = checkServe(options);
  const engine = await engineOf("serve a cluster", options.url);
  const pool = makePool(module, settings, options);
  try {
    await pool.warmUp();
    checkExported(settings, pool);
    const core = new WorkerCore(settings, pool);
    await openWithin(settings.connectTimeoutMs, options.url, () => open(engine, settings, core));
    outside(async () => core.start());
    return new ClusterWorker(core, pool);
  } catch (error) {
    await shield(() => pool.terminate());
    throw error;
  }
}

/** A name with a typing error would be found by callers only. */
function checkExported({ functions }: ServeSettings, pool: AnyPool): void {
  const { functions: exported, idle } = pool.statistics();
  const missing = functions?.find((name) => !exported.includes(name));
  // Without a worker nobody knows: the only one may have ended just now.
  if (missing === undefined || idle === 0) return;
  throw badOption(
    "serve a cluster",
    "functions",
    functions,
    `names of functions that the module exports, like ${exported.join(", ")}; ${missing} is none`,
  );
}

async function open(engine: Engine, settings: ServeSettings, core: WorkerCore): Promise<WorkerPort> {
  const port = await engine.openWorker(settings, core);
  try {
    await core.connected(port);
    return port;
  } catch (error) {
    await port.close();
    throw error;
  }
}

function makePool(module: URL | string, settings: ServeSettings, options: ServeOptions): AnyPool {
  const { threads, concurrency, processes } = settings;
  const poolOptions = { ...options.pool, threads, concurrency: Math.ceil(concurrency / threads) };
  return processes ? new ProcessPool<Functions>(module, poolOptions) : new WorkerPool<Functions>(module, poolOptions);
}
