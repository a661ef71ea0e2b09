// A job that was started and is awaited later, or never.

import { TimeoutError } from "../errors.ts";
import { cancellable, cancellableAs } from "../lowlevel.ts";
import { Queue } from "../sync/queue.ts";
import { shield } from "../time/timeouts.ts";
import { jobCancelled } from "./call.ts";
import { cancelJob } from "./cancelling.ts";
import { canMove, takeMoved } from "./moved.ts";
import type { PoolCore } from "./pool-core.ts";
import { closedError, queueFull } from "./pool-errors.ts";
import { type JobListener, PoolJob } from "./pool-job.ts";
import { badOption, checkNames, isDuration, timerMs } from "./settings.ts";

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
  /**
   * After how many milliseconds, the wait for a worker included, it is cancelled, and fails with `TimeoutError`; unless its
   * function returns all the same, then with that it has succeeded. Default: never, as for more than 24 days.
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * A job in a worker. Awaiting it gives its result and is a checkpoint; it does not own the job. Leaving its block
 * (`await using`) cancels it and waits for its end; if it had failed before and nobody has met its error, that is thrown there.
 * The failure of a job that nobody awaits, reads the progress of or cancels, and that has no block, is an unhandled rejection.
 *
 * Do not return a job from an async function: being a thenable it would be awaited there.
 */
export interface Job<R> extends PromiseLike<R>, AsyncDisposable {
  /** The function that was called. */
  readonly name: string;
  /** Whether the job has ended, in whatever way. */
  readonly done: boolean;
  /**
   * What the function gives to `reportProgress`, until the job ends; if it fails, `next` throws its error. Of what was
   * reported before this was first asked for only the newest is kept.
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
  if (!core.hasRoom()) throw queueFull(pool, maxQueued);
  return new StartedJob(core, name, args, options);
}

class StartedJob implements Job<unknown>, JobListener {
  readonly name: string;
  readonly #core: PoolCore;
  readonly #job: PoolJob;
  readonly #result = Promise.withResolvers<unknown>();
  // Where the job was started: part of the stack of its error.
  readonly #site = new Error();
  // The same for all who read it: each value goes to one of them.
  #values: Queue<unknown> | null = null;
  #progress: AsyncIterable<unknown> | null = null;
  #newest: { readonly value: unknown } | null = null;
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isTimedOut = false;
  #isCancelled = false;
  #isAwaited = false;
  #failure: Failure | null = null;

  constructor(core: PoolCore, name: string, args: readonly unknown[], options: JobOptions) {
    const { transfer = [], isIdempotent = false, graceMs = core.settings.graceMs, timeoutMs = Infinity } = options;
    this.name = name;
    this.#core = core;
    this.#timeoutMs = timerMs(timeoutMs);
    const deadline = timeoutMs === Infinity ? Infinity : performance.now() + timeoutMs;
    const moved = [...takeMoved(args), ...transfer];
    this.#job = new PoolJob(
      name,
      args,
      { isEach: false, transfer: moved, deadline, isIdempotent, graceMs: timerMs(graceMs) },
      this,
    );
    if (this.#timeoutMs !== Infinity) this.#timer = setTimeout(() => this.#timeOut(), timeoutMs);
    core.submit(this.#job);
  }

  get done(): boolean {
    return this.#job.state === "done";
  }

  get progress(): AsyncIterable<unknown> {
    if (this.#progress !== null) return this.#progress;
    const values = new Queue<unknown>({ maxSize: Infinity });
    this.#values = values;
    if (this.#newest !== null) values.tryPut(this.#newest.value);
    if (this.done) values.close();
    // Whoever reads it meets the error there, but maybe long after the job has failed.
    this.#result.promise.catch(ignore);
    this.#progress = { [Symbol.asyncIterator]: () => ({ next: () => this.#nextProgress(values) }) };
    return this.#progress;
  }

  async #nextProgress(values: Queue<unknown>): Promise<IteratorResult<unknown, undefined>> {
    const next = await values[Symbol.asyncIterator]().next();
    if (next.done === true && this.#failure !== null) this.#throwFailure(this.#failure);
    return next;
  }

  #throwFailure(failure: Failure): never {
    failure.isMet = true;
    throw failure.error;
  }

  cancel(reason?: unknown): void {
    if (this.done) return;
    // Whoever cancels knows; it must not be reported as an error that nobody has handled.
    this.#result.promise.catch(ignore);
    this.#isCancelled = true;
    if (cancelJob(this.#core, this.#job, reason)) this.cancelled();
  }

  #timeOut(): void {
    this.#isTimedOut = true;
    const reason = `its timeout of ${this.#timeoutMs} ms has passed`;
    if (cancelJob(this.#core, this.#job, reason)) this.cancelled();
  }

  succeeded(_job: PoolJob, value: unknown): void {
    this.#end();
    this.#result.resolve(value);
  }

  failed(_job: PoolJob, makeError: (site?: Error) => unknown): void {
    this.#fail(makeError(this.#site));
  }

  cancelled(): void {
    if (this.#isTimedOut) this.#fail(timedOut(this.name, this.#timeoutMs));
    else this.#fail(jobCancelled(this.name));
  }

  #fail(error: unknown): void {
    // Whoever has cancelled it knows.
    if (!this.#isCancelled) this.#failure = { error, isMet: this.#isAwaited };
    this.#end();
    this.#result.reject(error);
  }

  progressed(_job: PoolJob, value: unknown): void {
    if (this.#values === null) this.#newest = { value };
    else this.#values.tryPut(value);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#values?.close();
  }

  then<A = unknown, B = never>(
    onFulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (this.#failure !== null) this.#failure.isMet = true;
    this.#isAwaited = true;
    return cancellableAs(this.#result.promise, this.#job).then(onFulfilled, onRejected);
  }

  /**
   * Cancels the job and waits for its end.
   *
   * Cancellation: safe. It is held back until then.
   */
  get [Symbol.asyncDispose](): () => Promise<void> {
    // A block asks for it at its beginning: from there on it is the block that meets the error.
    this.#result.promise.catch(ignore);
    return () => this.#dispose();
  }

  async #dispose(): Promise<void> {
    const failure = this.#failure;
    if (failure?.isMet === false) this.#throwFailure(failure);
    if (this.done) return;
    this.cancel("the block of the job was left");
    await shield(() => cancellable(this.#result.promise.then(ignore, ignore)));
  }
}

/** What the job has failed with. */
interface Failure {
  readonly error: unknown;
  /** Whether it was thrown to somebody. */
  isMet: boolean;
}

function ignore(): void {}

function timedOut(name: string, ms: number): TimeoutError {
  return new TimeoutError(`Cannot finish "${name}" in a worker in time: its timeout of ${ms} ms has passed`);
}

function checkJobOptions(options: JobOptions): void {
  checkNames("start a job", options, ["transfer", "isIdempotent", "graceMs", "timeoutMs"]);
  const { graceMs, timeoutMs, transfer } = options;
  for (const [key, value] of Object.entries({ graceMs, timeoutMs })) {
    if (value === undefined || isDuration(value)) continue;
    throw badOption("start a job", key, value, "milliseconds >= 0, or Infinity");
  }
  if (transfer === undefined) return;
  if (!Array.isArray(transfer)) throw badOption("start a job", "transfer", transfer, "an array of buffers");
  for (const [index, object] of transfer.entries()) {
    if (!canMove(object))
      throw badOption("start a job", `transfer[${index}]`, object, "an ArrayBuffer, a port or a stream");
  }
}
