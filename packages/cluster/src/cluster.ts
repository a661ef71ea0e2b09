// The functions of a module, called on the workers of a queue.

import { moveOnAfter, shield } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";
import type {
  ArgumentsOf,
  FunctionsOf,
  Job,
  JobOptions,
  PoolCloseOptions,
  PoolMapOptions,
  PoolResults,
  ReturnOf,
} from "meanwhile/workers";

import { callInCluster, closedError } from "./call.ts";
import type { Caretaker } from "./caretaker.ts";
import type { JobTerms } from "./client-job.ts";
import type { Client } from "./client.ts";
import { ClusterError } from "./errors.ts";
import { mapInCluster, type Source } from "./map.ts";
import { badOption, checkNames, duration } from "./options.ts";
import { startInCluster } from "./started-job.ts";

/** Options of `start`. What they are not given, the cluster says. */
export interface ClusterJobOptions extends Omit<JobOptions, "transfer"> {
  /**
   * Makes the job one with every job of the same function and key, of any client, for as long as its end is kept
   * (`keepMs`): it is run once, and everybody gets that result. The arguments are those of whoever came first.
   */
  readonly idempotencyKey?: string | undefined;
}

/** A snapshot of a cluster, as this client sees it. */
export interface ClusterStatistics {
  /** How many calls wait for room. */
  readonly waiting: number;
  /** How many jobs are under way: sent to the queue, or about to be. */
  readonly running: number;
  /** How many jobs have ended with a value. */
  readonly completed: number;
  /** How many jobs have failed. */
  readonly failed: number;
  /** How many jobs have ended by their cancellation. */
  readonly cancelled: number;
  /** How many ends were found by looking at the queue, because nobody had told of them in time. */
  readonly polled: number;
  /** How many jobs were put into the queue again: it had forgotten them, or another client had cancelled one that is shared. */
  readonly resent: number;
}

/** How long the end of a job is waited for when a cluster is closed, beside its time to end. */
const LAST_WAIT_MS = 4_000;

/**
 * The workers of a queue, on this machine or others, that call the functions of a module: the `call`, `map` and `start` of a
 * `WorkerPool`, past one machine. Made by `connectCluster`.
 *
 * A job begins at least once: if its worker is lost, killed or cut off, it goes to another one, unless `isIdempotent` is false. A
 * cancelled job is asked to end, wherever it is, and ended if it does not. If this client is lost its jobs are cancelled, unless
 * `orphans` is `"finish"`.
 *
 * @typeParam M - the type of the module: `typeof import("./math.ts")`
 */
export class Cluster<M> implements AsyncDisposable {
  readonly #client: Client;
  readonly #caretaker: Caretaker;
  #closing: Promise<void> | null = null;

  /** @internal */
  constructor(client: Client, caretaker: Caretaker) {
    this.#client = client;
    this.#caretaker = caretaker;
  }

  /**
   * Calls a function on a worker and waits for its result. What it throws is thrown here, with its class, its `code`, its
   * `worker`, and its stack followed by the stack of this call. If `maxQueued` jobs are under way, it waits for room first.
   * If no worker serves the queue, it waits for one: use a `timeout`.
   *
   * Cancellation: reaches the function within a second, and the call ends when the function has; or three seconds after
   * `graceMs`, if no worker says so; or within a second, if the server says nothing at all. What the function returns in spite
   * of it is delivered.
   *
   * @param name - of a function that the module exports
   * @throws whatever the function throws
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   * @throws {@link ClusterError} `MW_ERR_CLUSTER_NOT_SENDABLE`, `_TOO_LARGE`, `_UNKNOWN_FUNCTION`, `_WORKER_LOST`, `_RESULT_LOST`,
   * `_UNREACHABLE`, `_REFUSED` or `_CLOSED`
   */
  call<K extends FunctionsOf<M>>(name: K, ...args: ArgumentsOf<M[K]>): Promise<ReturnOf<M[K]>> {
    return callInCluster(this.#client, { name, args, terms: this.#terms({}, false) }) as Promise<ReturnOf<M[K]>>;
  }

  /**
   * Starts a job, to be awaited later, for its progress, or with options. Nobody owns it but the cluster: if it fails and
   * nobody awaits it, that is an unhandled rejection.
   *
   * @throws {@link ClusterError} `MW_ERR_CLUSTER_QUEUE_FULL` if `maxQueued` jobs are under way, `MW_ERR_CLUSTER_CLOSED`
   */
  start<K extends FunctionsOf<M>>(
    name: K,
    args: ArgumentsOf<M[K]>,
    options: ClusterJobOptions = {},
  ): Job<ReturnOf<M[K]>> {
    const { timeoutMs } = checkStart(options);
    const client = this.#client;
    if (client.state !== "open") throw closedError(client.settings.name);
    if (client.isFull) throw queueFull(client);
    const call = { name, args, terms: this.#terms(options, true), site: new Error() };
    return startInCluster(client, call, timeoutMs) as Job<ReturnOf<M[K]>>;
  }

  #terms(options: ClusterJobOptions, wantsProgress: boolean): JobTerms {
    const { settings } = this.#client;
    const { isIdempotent = settings.isIdempotent, graceMs = settings.graceMs, idempotencyKey = null } = options;
    return { isEach: false, isIdempotent, graceMs, wantsProgress, key: idempotencyKey };
  }

  /**
   * Calls a function for every item of a source, on all workers, and gives the results one by one. Items are pulled as they
   * are needed, so the source may be endless; several go in one job: as many as take about 20 ms, but no more than a 64th of
   * `window` (default 1 024), if `chunk` says nothing. For the rest it is like `map`: the first failure cancels the others and
   * is thrown, leaving the loop early cancels what runs, nothing starts before the first result is asked for.
   *
   * Cancellation: reaches every call; `next` throws when all have ended.
   *
   * @param name - of a function of one item
   * @throws {@link ClusterError} `MW_ERR_CLUSTER_INVALID_ARGUMENT` for a bad source or option
   */
  map<K extends FunctionsOf<M>>(
    name: K,
    source: Source<ArgumentsOf<M[K]>[0]>,
    options: PoolMapOptions = {},
  ): PoolResults<ReturnOf<M[K]>> {
    return mapInCluster(this.#client, name, source, options) as PoolResults<ReturnOf<M[K]>>;
  }

  /** A snapshot for dumps and tests. */
  statistics(): ClusterStatistics {
    const { room, size, tally } = this.#client;
    return { waiting: room.size, running: size, ...tally };
  }

  /**
   * Takes no new jobs, waits for those under way, and disconnects. After `timeoutMs` it cancels what is left.
   *
   * Cancellation: reaches the jobs that are left; it ends when they have.
   *
   * @throws {@link ClusterError} `MW_ERR_CLUSTER_INVALID_ARGUMENT` for bad options
   */
  async close(options: PoolCloseOptions = {}): Promise<void> {
    checkNames("close a cluster", options, ["timeoutMs"]);
    const timeoutMs = duration("close a cluster", "timeoutMs", options.timeoutMs ?? Infinity, 0);
    this.#stopTaking();
    try {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      await moveOnAfter(timeoutMs, () => this.#untilNothingIsUnderWay());
    } finally {
      await shield(() => this.#end("the cluster is closing"));
    }
  }

  /**
   * Cancels what is under way, waits for that to end, and disconnects.
   *
   * Cancellation: safe. It is held back until then.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTaking();
    await shield(() => this.#end("the block of the cluster was left"));
  }

  #stopTaking(): void {
    if (this.#client.state === "open") this.#client.state = "closing";
    this.#client.room.unparkAll();
  }

  #end(why: string): Promise<void> {
    this.#closing ??= this.#endOnce(why);
    return this.#closing;
  }

  async #endOnce(why: string): Promise<void> {
    const client = this.#client;
    for (const job of client.jobs()) client.canceller.cancel(job, why, null);
    await moveOnAfter(client.settings.graceMs + LAST_WAIT_MS, () => this.#untilNothingIsUnderWay());
    client.state = "closed";
    for (const job of client.jobs()) client.cancelled(job, why);
    this.#caretaker.stop();
    await client.answered.flush();
    await client.port.close();
  }

  async #untilNothingIsUnderWay(): Promise<void> {
    while (this.#client.isWaitedFor) await this.#client.ending.park();
  }
}

function checkStart(options: ClusterJobOptions): { timeoutMs: number } {
  const what = "start a job";
  checkNames(what, options, ["idempotencyKey", "isIdempotent", "graceMs", "timeoutMs"]);
  const { idempotencyKey, graceMs = 0, timeoutMs = Infinity } = options;
  if (idempotencyKey !== undefined && (typeof idempotencyKey !== "string" || idempotencyKey === ""))
    throw badOption(what, "idempotencyKey", idempotencyKey, "a text that is not empty");
  duration(what, "graceMs", graceMs, 0);
  return { timeoutMs: duration(what, "timeoutMs", timeoutMs, 0) };
}

function queueFull({ settings: { name, maxQueued } }: Client): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_QUEUE_FULL",
    `Cannot start a job in cluster ${name}: ${maxQueued} are under way, which is 'maxQueued'; await some first, or use call(), which waits`,
  );
}
