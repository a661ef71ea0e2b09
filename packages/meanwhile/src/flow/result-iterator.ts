// One loop over the results of `map` or `asCompleted`. A plain object, not an async generator: that would skip its
// `finally` when it was never started, and could not be left while a call of `next` waits.

import { CancelledError, TaskCancelledError } from "../errors.ts";
import {
  cancellationOf,
  currentScopeNode,
  enterCheckpoint,
  ParkingLot,
  type Scope,
  suspend,
  type TaskNode,
  throwIfCancelled,
  type Waiter,
  type WaitTarget,
} from "../lowlevel.ts";
import { shield } from "../time/timeouts.ts";
import { Deque } from "../util/deque.ts";
import { invariant } from "../util/invariant.ts";
import { liesWithin } from "./cancellation-checks.ts";
import type { JobHandler, Work } from "./job-runner.ts";
import { Leash } from "./leash.ts";
import { type Part, SuppressedErrors } from "./suppressed.ts";

type Result = IteratorResult<unknown, undefined>;

const DONE: Result = { done: true, value: undefined };

/** What the results come from. */
export interface Origin {
  /** The function that was called, for texts. */
  readonly call: string;
  /** Whether the results come in the order in which the jobs were started; if not, in that in which they end. */
  readonly ordered: boolean;
  /** Makes the jobs below the current scope. They keep their places until their results were taken. */
  readonly open: (handler: JobHandler) => Work;
}

//   new ──next()──▶ running ──last task ended──▶ ended ──failure thrown, or return()──▶ over
//    │                 └──return()──▶ leaving ──last task ended────────────────────────▲
//    └──return()───────────────────────────────────────────────────────────────────────┘
type State = "new" | "running" | "leaving" | "ended" | "over";

/** Starts its jobs at the first `next`, below the scope of that call. */
export class ResultIterator implements AsyncIterator<unknown, undefined>, JobHandler {
  #state: State = "new";
  readonly #origin: Origin;
  // Null exactly if nothing was ever started.
  #work: Work | null = null;
  // In the scope the jobs belong to, as long as the end of that scope would leave something untold.
  #leash: Leash | null = null;
  // Tasks in the order of delivery: all that were started, or, if there is no order, those that have succeeded.
  #tasks = new Deque<TaskNode>();
  // Calls of next(), in order; told null when nothing comes any more. Invariant: not empty implies no result is ready.
  readonly #waiting = new Set<Waiter<Result | null>>();
  readonly #joining: ParkingLot;
  readonly #nextResult: WaitTarget;
  // The first failure, until it is thrown or reported.
  #failure: { readonly error: unknown; readonly part: Part } | null = null;
  // Errors that nobody will be thrown, until nothing runs any more.
  readonly #suppressed: SuppressedErrors;

  constructor(origin: Origin) {
    this.#origin = origin;
    this.#suppressed = new SuppressedErrors(origin.call);
    this.#joining = new ParkingLot({ describe: () => `the cleanup of ${origin.call}` });
    this.#nextResult = { describe: () => `the next result of ${origin.call}` };
  }

  /** Not an async function: a result that is ready costs one promise and no suspended call. */
  next(): Promise<Result> {
    let turn: Promise<void> | null;
    try {
      turn = enterCheckpoint();
    } catch (error) {
      return this.#refuse(error);
    }
    return turn === null && this.#isReady() ? Promise.resolve(this.#take()) : this.#nextAfter(turn);
  }

  async #nextAfter(turn: Promise<void> | null): Promise<Result> {
    let delivered: Result | null;
    try {
      if (turn !== null) await turn;
      if (this.#state === "new") this.#start();
      const running = this.#running;
      delivered = running === null || this.#isReady() ? null : await this.#waitForResult(running.children.scope);
    } catch (error) {
      return this.#refuse(error);
    }
    if (delivered !== null) return delivered;
    return this.#isReady() ? this.#take() : this.#end();
  }

  /** Throws what a checkpoint of `next` has thrown. */
  async #refuse(error: unknown): Promise<never> {
    const work = this.#work;
    if (work !== null && (work.children.scope.effective !== null || cancellationOf(error) === null)) {
      // Cancelled together with the jobs, or broken, so that the loop will not call `return`: nobody else waits for them.
      work.stop("the loop over the results has ended");
      await this.#join();
    }
    this.#throwFailure();
    throw error;
  }

  async return(): Promise<Result> {
    this.#tasks = new Deque();
    if (this.#state === "running") {
      this.#state = "leaving";
      this.#work?.stop("the loop over the results was left");
    }
    await this.#join();
    this.#state = "over";
    this.#suppressFailure();
    this.#suppressed.report();
    return DONE;
  }

  #start(): void {
    this.#work = this.#origin.open(this);
    this.#leash = new Leash(currentScopeNode(), () => this.#abandon());
    this.#state = "running";
    this.#work.start();
  }

  #isReady(): boolean {
    return this.#tasks.size > 0 && this.#tasks.first.state.kind === "succeeded";
  }

  get #dropsResults(): boolean {
    return this.#state === "leaving" || this.#failure !== null;
  }

  get #running(): Work | null {
    return this.#state === "running" || this.#state === "leaving" ? this.#work : null;
  }

  /** Waits until nothing runs any more, whatever is cancelled. */
  async #join(): Promise<void> {
    if (this.#running !== null) await shield(() => this.#joining.park());
  }

  #waitForResult(scopeOfJobs: Scope): Promise<Result | null> {
    const scope = currentScopeNode();
    return suspend<Result | null>((waiter) => {
      this.#waiting.add(waiter);
      return () => {
        // Cancelled together with the jobs: it ends when they have, and a result that comes all the same is delivered.
        const isCancelledWithJobs = liesWithin(scopeOfJobs, scope.effective?.scope);
        if (!isCancelledWithJobs) this.#waiting.delete(waiter);
        return isCancelledWithJobs ? "wait" : undefined;
      };
    }, this.#nextResult);
  }

  #take(): Result {
    const { state } = this.#tasks.shift();
    this.#work?.freePlace();
    invariant(state.kind === "succeeded", "a result was taken that is none");
    return { done: false, value: state.value };
  }

  /** What `next` says when no result is left: a failure once, a cancellation always, else that it is done. */
  #end(): Result {
    const work = this.#work;
    this.#throwFailure();
    if (this.#state === "ended" && work?.incomplete === true) this.#throwCancelled(work.children.scope);
    return DONE;
  }

  #throwCancelled(scope: Scope): void {
    throwIfCancelled();
    const cancellation = scope.effective;
    const { call } = this.#origin;
    invariant(cancellation !== null, `${call} left out results, though nobody cancelled it`);
    const error = new CancelledError(cancellation);
    if (cancellation === scope.own && cancellation.by === "signal") throw error;
    // Told to somebody who is not cancelled, so it must not look like a cancellation of theirs.
    throw new TaskCancelledError(call, error);
  }

  #throwFailure(): void {
    const failure = this.#failure;
    if (failure === null || this.#state !== "ended") return;
    this.#state = "over";
    this.#untie();
    throw failure.error;
  }

  starting(task: TaskNode): void {
    if (this.#origin.ordered && !this.#dropsResults) this.#tasks.push(task);
  }

  succeeded(_index: number, _value: unknown, task: TaskNode): void {
    if (this.#dropsResults) return;
    if (!this.#origin.ordered) this.#tasks.push(task);
    if (this.#waiting.size > 0) this.#deliver();
  }

  #deliver(): void {
    for (const waiter of this.#waiting) {
      if (!this.#isReady()) return;
      this.#waiting.delete(waiter);
      waiter.wake(this.#take());
    }
  }

  failed(_index: number, error: unknown, part: Part): void {
    if (this.#dropsResults || this.#leash === null) {
      if (error !== this.#failure?.error) this.#suppressed.add(error, part);
      return;
    }
    this.#failure = { error, part };
    this.#tasks = new Deque();
    this.#work?.stop(`another job of ${this.#origin.call} failed`);
  }

  finished(): void {
    this.#state = this.#state === "leaving" ? "over" : "ended";
    if (this.#failure === null) this.#untie();
    // A call of return() waits for this, and reports the rest.
    if (this.#state === "ended") this.#suppressed.report();
    for (const waiter of this.#waiting) waiter.wake(null);
    this.#waiting.clear();
    this.#joining.unparkAll();
  }

  // The scope of the first next() has ended, and nobody has finished or left the loop.
  #abandon(): void {
    this.#suppressFailure();
    if (this.#running === null) this.#suppressed.report();
    if (this.#state === "running") this.#work?.stop("the scope of the loop over the results has ended");
  }

  #suppressFailure(): void {
    if (this.#failure !== null) this.#suppressed.add(this.#failure.error, this.#failure.part);
    this.#untie();
  }

  #untie(): void {
    this.#failure = null;
    this.#leash?.release();
    this.#leash = null;
  }
}
