// What all combinators share: taking over what they are given, starting it below one scope, a few at a time.

import { type CancelledError, UsageError } from "../errors.ts";
import {
  cancellable,
  CapturedContext,
  checkJob,
  Children,
  giveWay,
  isCoroutine,
  type Job,
  type SignalOption,
  TaskNode,
  turnIsOver,
  waitersOn,
} from "../lowlevel.ts";
import { show } from "../util/show.ts";

/**
 * What combinators take: a job, which they start and can cancel, or a promise that is already running, which they can
 * wait for but not stop.
 */
export type Input<T> = Job<T> | PromiseLike<T>;

/** Options of combinators that can run a few jobs at a time. */
export interface ConcurrencyOptions extends SignalOption {
  /** How many jobs may run at once; an integer >= 1. Default: all. With a limit, an iterable is read as jobs end. */
  readonly concurrency?: number | undefined;
}

/** Takes over everything that was given, synchronously: no coroutine is forgotten, no promise rejects unhandled. */
export function takeOver(call: string, jobs: Iterable<Input<unknown>>, concurrency: number): Iterator<Job<unknown>> {
  if (typeof jobs?.[Symbol.iterator] !== "function") {
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot ${call} ${show(jobs)}; pass an array or another iterable of jobs`,
    );
  }
  // What an array or a set holds exists already; any other iterable may make its jobs when they are asked for.
  const isMade = Array.isArray(jobs) || jobs instanceof Set;
  if (concurrency !== Infinity && !isMade) {
    checkConcurrency(call, concurrency);
    return takeLazily(call, jobs);
  }
  const taken: Job<unknown>[] = [];
  let bad: { readonly error: unknown } | null = null;
  for (const input of jobs) {
    try {
      taken.push(takeOne(call, input));
    } catch (error) {
      bad ??= { error };
    }
  }
  checkConcurrency(call, concurrency);
  if (bad !== null) throw bad.error;
  return taken.values();
}

function* takeLazily(call: string, jobs: Iterable<Input<unknown>>): Iterator<Job<unknown>> {
  for (const input of jobs) yield takeOne(call, input);
}

function takeOne(call: string, input: Input<unknown>): Job<unknown> {
  if (typeof input === "function") return input;
  if (isCoroutine(input)) {
    input.handOver();
    return input;
  }
  if (typeof (input as PromiseLike<unknown> | undefined)?.then !== "function") checkJob(input, call);
  const running = input as PromiseLike<unknown>;
  // A task is awaited as one; any other promise as something foreign.
  if (running instanceof TaskNode) return () => running;
  // Other thenables may be lazy: they start when their turn comes.
  if (running instanceof Promise) waitersOn(running);
  return () => cancellable(running);
}

/** Rejects a bad `concurrency`. */
export function checkConcurrency(call: string, concurrency: number): void {
  if (concurrency === Infinity || (Number.isInteger(concurrency) && concurrency >= 1)) return;
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot ${call}: 'concurrency' is ${show(concurrency)}; pass an integer >= 1`,
  );
}

/** What a combinator makes of its ended jobs. */
export interface JobHandler {
  /** The job ended with a value. */
  succeeded(index: number, value: unknown): void;
  /** The job failed, or was cancelled by somebody else than the combinator. */
  failed(index: number, error: unknown): void;
}

/** Tells the handler how a task ended. False if there is nothing to tell: it was cancelled with the combinator. */
export function tellHandler(handler: JobHandler, task: TaskNode, { scope }: Children): boolean {
  const { state } = task;
  if (state.kind === "succeeded") handler.succeeded(task.index, state.value);
  else if (state.kind === "failed") handler.failed(task.index, state.error);
  else if (scope.effective === null) handler.failed(task.index, task.cancelledError());
  else return false;
  return true;
}

/** Runs jobs in tasks below one scope. */
export class JobRunner {
  readonly #children: Children;
  // Whether jobs were left out, or ended without a result, because the combinator was cancelled.
  #incomplete = false;
  readonly #jobs: Iterator<Job<unknown>>;
  readonly #handler: JobHandler;
  // Jobs that have to wait for a place are started when another one ends, in the context of that one.
  readonly #callersContext = new CapturedContext();
  #free: number;
  #next = 0;
  #exhausted = false;

  constructor(call: string, jobs: Iterator<Job<unknown>>, handler: JobHandler, options: ConcurrencyOptions) {
    const { concurrency = Infinity, signal } = options;
    this.#jobs = jobs;
    this.#handler = handler;
    this.#free = concurrency;
    this.#children = new Children(call, (task) => this.#ended(task), signal);
  }

  /** Starts what may run, and waits until all has ended. */
  async run(): Promise<void> {
    if (this.isCancelled) this.#leaveOut();
    else this.#startSome();
    await this.#children.join();
    this.#children.close();
  }

  /** Whether the combinator was cancelled, by itself or from outside. */
  get isCancelled(): boolean {
    return this.#children.scope.effective !== null;
  }

  /** The error of a combinator that was cancelled as a whole and therefore has not all results; else null. */
  cancelledError(): CancelledError | null {
    return this.#incomplete ? this.#children.cancelledError() : null;
  }

  /** Cancels what is running and starts nothing more. */
  stop(reason: string): void {
    this.#finishJobs();
    this.#children.cancel(reason);
  }

  #startSome(): void {
    // A task never ends while it is being started, so this does not come back here.
    while (this.#free > 0 && !this.#exhausted) {
      const next = this.#pull();
      if (next === null) break;
      if (this.isCancelled) this.#leaveOut();
      else this.#start(next);
    }
  }

  #start(job: Job<unknown>): void {
    this.#free -= 1;
    this.#children.create(job, undefined, this.#next++).start(this.#callersContext);
  }

  // Cancelled before all jobs were started.
  #leaveOut(): void {
    this.#incomplete = true;
    this.#finishJobs();
  }

  #pull(): Job<unknown> | null {
    try {
      const { done, value } = this.#jobs.next();
      if (done !== true) return value;
      this.#exhausted = true;
    } catch (error) {
      this.#exhausted = true;
      this.#handler.failed(this.#next, error);
    }
    return null;
  }

  // Lets a generator clean up; what it throws then is one more error of the call.
  #finishJobs(): void {
    if (this.#exhausted) return;
    this.#exhausted = true;
    try {
      this.#jobs.return?.();
    } catch (error) {
      this.#handler.failed(this.#next, error);
    }
  }

  #ended(task: TaskNode): void {
    this.#free += 1;
    if (!tellHandler(this.#handler, task, this.#children)) this.#incomplete = true;
    if (!this.#exhausted) this.#callersContext.run(() => this.#startMore());
  }

  // Jobs that never wait follow each other without end: a long list of them must not starve timers and sockets.
  #startMore(): void {
    if (!turnIsOver(this.#children.scope.runner)) {
      this.#startSome();
      return;
    }
    const start = (): void => {
      this.#startSome();
      this.#children.release();
    };
    this.#children.hold();
    giveWay().then(start, start);
  }
}
