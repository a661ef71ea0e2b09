// A job that was started and is awaited later, or never.

import { TimeoutError } from "../errors.ts";
import { cancellable } from "../lowlevel.ts";
import { Queue } from "../sync/queue.ts";
import { shield } from "../time/timeouts.ts";
import { jobCancelled } from "./call.ts";
import { cancelJob } from "./cancelling.ts";
import { takeMoved } from "./moved.ts";
import type { PoolCore } from "./pool-core.ts";
import { closedError, queueFull } from "./pool-errors.ts";
import { type CancelledBy, type JobListener, PoolJob } from "./pool-job.ts";
import { badOption, isDuration } from "./settings.ts";

const { clearTimeout, performance, setTimeout } = globalThis;

/** Options of `start`. */
export interface JobOptions {
  /** Objects in the arguments that are moved instead of copied, beside those given to `moved`. */
  readonly transfer?: readonly object[] | undefined;
  /**
   * Whether the job may run a second time: if its worker dies, it is sent to another one, three times at most. Default:
   * false, it fails.
   */
  readonly isIdempotent?: boolean | undefined;
  /** How many milliseconds the job may take to end after it was cancelled. Default: that of the pool. */
  readonly graceMs?: number | undefined;
  /** After how many milliseconds, the wait for a worker included, it is cancelled and fails with `TimeoutError`. Default: never. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A job in a worker. Awaiting it gives its result and is a checkpoint; it does not own the job. Leaving its block
 * (`await using`) cancels it and waits for its end.
 *
 * Do not return a job from an async function: being a thenable it would be awaited there.
 */
export interface Job<R> extends PromiseLike<R>, AsyncDisposable {
  /** The function that was called. */
  readonly name: string;
  /** Whether the job has ended, in whatever way. */
  readonly done: boolean;
  /**
   * What the function gives to `reportProgress`, until the job ends. Of what was reported before this was first asked for
   * only the newest is kept.
   */
  readonly progress: AsyncIterable<unknown>;
  /** Cancels the job; who awaits it gets `TaskCancelledError` when it has ended. Calling it again changes nothing. */
  cancel(reason?: unknown): void;
}

/** Starts a job. */
export function startInPool(core: PoolCore, name: string, args: readonly unknown[], options: JobOptions): Job<unknown> {
  checkJobOptions(options);
  const { name: pool, maxQueued } = core.settings;
  if (core.state !== "open") throw closedError(pool);
  if (core.isFull) throw queueFull(pool, maxQueued);
  return new StartedJob(core, name, args, options);
}

class StartedJob implements Job<unknown>, JobListener {
  readonly name: string;
  readonly #core: PoolCore;
  readonly #job: PoolJob;
  readonly #result = Promise.withResolvers<unknown>();
  // Where the job was started: part of the stack of its error.
  readonly #site = new Error();
  #progress: Queue<unknown> | null = null;
  #newest: { readonly value: unknown } | null = null;
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isTimedOut = false;

  constructor(core: PoolCore, name: string, args: readonly unknown[], options: JobOptions) {
    const { transfer = [], isIdempotent = false, graceMs = core.settings.graceMs, timeoutMs = Infinity } = options;
    this.name = name;
    this.#core = core;
    this.#timeoutMs = timeoutMs;
    const deadline = timeoutMs === Infinity ? Infinity : performance.now() + timeoutMs;
    const moved = [...takeMoved(args), ...transfer];
    this.#job = new PoolJob(name, args, { isEach: false, transfer: moved, deadline, isIdempotent, graceMs }, this);
    if (timeoutMs !== Infinity) this.#timer = setTimeout(() => this.#timeOut(), timeoutMs);
    core.submit(this.#job);
  }

  get done(): boolean {
    return this.#job.state === "done";
  }

  get progress(): AsyncIterable<unknown> {
    if (this.#progress !== null) return this.#progress;
    const progress = new Queue<unknown>({ maxSize: Infinity });
    this.#progress = progress;
    if (this.#newest !== null) progress.tryPut(this.#newest.value);
    if (this.done) progress.close();
    return progress;
  }

  cancel(reason?: unknown): void {
    if (this.done) return;
    // Whoever cancels knows; it must not be reported as an error that nobody has handled.
    this.#result.promise.catch(ignore);
    if (cancelJob(this.#core, this.#job, reason)) this.cancelled(this.#job, "request");
  }

  #timeOut(): void {
    this.#isTimedOut = true;
    const reason = `its timeout of ${this.#timeoutMs} ms has passed`;
    if (cancelJob(this.#core, this.#job, reason)) this.cancelled(this.#job, "deadline");
  }

  succeeded(_job: PoolJob, value: unknown): void {
    this.#end();
    this.#result.resolve(value);
  }

  failed(_job: PoolJob, makeError: (site?: Error) => unknown): void {
    this.#end();
    this.#result.reject(makeError(this.#site));
  }

  cancelled(_job: PoolJob, by: CancelledBy): void {
    this.#end();
    // The worker has a timer of its own, which may be first.
    const isTimedOut = this.#isTimedOut || by === "deadline";
    this.#result.reject(isTimedOut ? timedOut(this.name, this.#timeoutMs) : jobCancelled(this.name));
  }

  progressed(_job: PoolJob, value: unknown): void {
    if (this.#progress === null) this.#newest = { value };
    else this.#progress.tryPut(value);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#progress?.close();
  }

  then<A = unknown, B = never>(
    onFulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return cancellable(this.#result.promise).then(onFulfilled, onRejected);
  }

  /**
   * Cancels the job and waits for its end.
   *
   * Cancellation: safe. It is held back until then.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.done) return;
    this.cancel("the block of the job was left");
    await shield(() => cancellable(this.#result.promise.then(ignore, ignore)));
  }
}

function ignore(): void {}

function timedOut(name: string, ms: number): TimeoutError {
  return new TimeoutError(`Cannot finish "${name}" in a worker in time: its timeout of ${ms} ms has passed`);
}

function checkJobOptions({ graceMs, timeoutMs, transfer }: JobOptions): void {
  for (const [key, value] of Object.entries({ graceMs, timeoutMs })) {
    if (value === undefined || isDuration(value)) continue;
    throw badOption("start a job", key, value, "milliseconds >= 0, or Infinity");
  }
  if (transfer !== undefined && !Array.isArray(transfer))
    throw badOption("start a job", "transfer", transfer, "an array of buffers");
}
