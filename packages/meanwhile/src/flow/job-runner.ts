// Runs jobs in tasks below one scope, a few at a time: what all combinators share.

import type { CancelledError } from "../errors.ts";
import { CapturedContext, Children, giveWay, type Job, type TaskNode, turnIsOver } from "../lowlevel.ts";
import type { ConcurrencyOptions, Jobs } from "./jobs.ts";
import type { Part } from "./suppressed.ts";

/** What a combinator makes of its jobs. */
export interface JobHandler {
  /** The task of a job is about to start. */
  starting?(task: TaskNode): void;
  /** The job ended with a value. */
  succeeded(index: number, value: unknown, task: TaskNode): void;
  /** A job failed, or was cancelled by somebody else than the combinator; or there was an error in getting one. */
  failed(index: number, error: unknown, part: Part): void;
  /** Nothing runs any more, and nothing will. */
  finished?(): void;
}

/** Tells the handler how the task of a part ended. False if there is nothing to tell: it was cancelled with the combinator. */
export function tellHandler(handler: JobHandler, task: TaskNode, { scope }: Children, part: Part): boolean {
  const { state } = task;
  if (state.kind === "succeeded") handler.succeeded(task.index, state.value, task);
  else if (state.kind === "failed") handler.failed(task.index, state.error, part);
  else if (scope.effective === null) handler.failed(task.index, task.cancelledError(), part);
  else return false;
  return true;
}

/** Jobs that are started as places become free, wherever they come from. */
export interface Work {
  /** The tasks. */
  readonly children: Children;
  /** Whether jobs were left out, or ended without a result, because the work was cancelled. */
  readonly incomplete: boolean;
  /** Starts what may run. */
  start(): void;
  /** Gives a place back that was kept; see {@link WorkOptions}. For callers that are a checkpoint. */
  freePlace(): void;
  /** Cancels what is running and starts nothing more. */
  stop(reason: string): void;
}

/** How jobs are run. */
export interface WorkOptions extends ConcurrencyOptions {
  /** The function that was called, for texts. */
  readonly call: string;
  /** Whether the place of a job that has ended stays taken until {@link Work.freePlace} is called. Default: false. */
  readonly keepsPlaces?: boolean | undefined;
  /** The name of the tasks. Default: the name of each job. */
  readonly name?: string | undefined;
}

//   open ──no more jobs──▶ exhausted ──last end handled──▶ finished
type State = "open" | "exhausted" | "finished";

/** Runs jobs that can be had without waiting. */
export class JobRunner implements Work {
  readonly children: Children;
  incomplete = false;
  readonly #options: WorkOptions;
  readonly #handler: JobHandler;
  readonly #jobs: Jobs;
  readonly #areMade: boolean;
  // Null before the start.
  #iterator: Iterator<Job<unknown>> | null = null;
  // Jobs that have to wait for a place are asked for when another one ends, in the context of that one.
  readonly #callersContext = new CapturedContext();
  readonly #now = (): void => this.#startSome();
  readonly #later = (): void => this.#startSomeLater();
  #state: State = "open";
  #free: number;
  #next = 0;
  // Tasks that were started and whose end was not handled.
  #alive = 0;
  // How many starts wait for the next turn of the event loop. The call does not end before them: nobody awaits these waits.
  #postponed = 0;

  constructor(jobs: Jobs, handler: JobHandler, options: WorkOptions) {
    this.#jobs = jobs;
    this.#areMade = Array.isArray(jobs);
    this.#handler = handler;
    this.#options = options;
    this.#free = options.concurrency ?? Infinity;
    this.children = new Children(options.call, (task) => this.#ended(task), options.signal);
  }

  start(): void {
    if (this.isCancelled) this.#leaveOut();
    this.#startSome();
  }

  /** Starts what may run, and waits until all has ended. */
  async run(): Promise<void> {
    this.start();
    await this.children.join();
  }

  /** Whether the combinator was cancelled, by itself or from outside. */
  get isCancelled(): boolean {
    return this.children.scope.effective !== null;
  }

  /** The error of a combinator that was cancelled as a whole and therefore has not all results; else null. */
  cancelledError(): CancelledError | null {
    return this.incomplete ? this.children.cancelledError() : null;
  }

  stop(reason: string): void {
    this.#leaveOutRest();
    this.children.cancel(reason);
    this.#finishIfDone();
  }

  freePlace(): void {
    this.#free += 1;
    if (this.#state === "open") this.#callersContext.run(this.#now);
  }

  // A task never ends while it is being started, so this does not come back here.
  #startSome(): void {
    for (let count = 0; this.#free > 0 && this.#state === "open"; count++) {
      // There may be no end of jobs that are made when they are asked for.
      if (count > 0 && !this.#areMade && this.#turnIsOver()) return this.#startSomeLater();
      this.#startNext();
    }
    this.#finishIfDone();
  }

  #startNext(): void {
    if (this.isCancelled) return this.#leaveOutRest();
    const job = this.#pull();
    if (job === null) return;
    if (this.isCancelled) return this.#leaveOut(); // by the code that made the job
    this.#free -= 1;
    this.#alive += 1;
    const task = this.children.create(job, this.#options.name, this.#next++);
    this.#handler.starting?.(task);
    task.start(this.#callersContext);
  }

  #turnIsOver(): boolean {
    return turnIsOver(this.children.scope.runner);
  }

  #startSomeLater(): void {
    const start = (): void => {
      this.#postponed -= 1;
      this.#startSome();
      this.children.release();
    };
    this.#postponed += 1;
    this.children.hold();
    giveWay().then(start, start);
  }

  // Cancelled, perhaps before all jobs were started. What was not made yet is not asked for any more.
  #leaveOutRest(): void {
    if (this.#state !== "open") return;
    if (!this.#areMade || this.#pull() !== null) this.#leaveOut();
  }

  #leaveOut(): void {
    this.incomplete = true;
    this.#finishJobs();
  }

  #pull(): Job<unknown> | null {
    try {
      this.#iterator ??= this.#jobs[Symbol.iterator]();
      const { done, value } = this.#iterator.next();
      if (done !== true) return value;
      this.#state = "exhausted";
    } catch (error) {
      this.#state = "exhausted";
      this.#handler.failed(this.#next, error, "source");
    }
    return null;
  }

  // Lets a generator clean up; what it throws then is one more error of the call.
  #finishJobs(): void {
    this.#state = "exhausted";
    try {
      this.#callersContext.run(() => this.#iterator?.return?.());
    } catch (error) {
      this.#handler.failed(this.#next, error, "source");
    }
  }

  #ended(task: TaskNode): void {
    if (!tellHandler(this.#handler, task, this.children, "job")) this.incomplete = true;
    if (this.#options.keepsPlaces === true) {
      if (this.isCancelled) this.#leaveOutRest();
    } else {
      this.#free += 1;
      // Jobs that never wait follow each other without end: a long list of them must not starve timers and sockets.
      if (this.#state === "open") this.#callersContext.run(this.#turnIsOver() ? this.#later : this.#now);
    }
    this.#alive -= 1;
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#state !== "exhausted" || this.#alive > 0 || this.#postponed > 0) return;
    this.#state = "finished";
    this.children.close();
    this.#handler.finished?.();
  }
}
