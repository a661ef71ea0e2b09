// One loop over the results of `map`. A plain object, not an async generator: that would skip its `finally` when it was
// never started, and could not be left while a call of `next` waits.

import { CancelledError, TaskCancelledError } from "../errors.ts";
import {
  currentScopeNode,
  enterCheckpoint,
  ParkingLot,
  reportSuppressed,
  type Scope,
  type ScopeMember,
  suspend,
  throwIfCancelled,
  type Waiter,
  type WaitTarget,
} from "../lowlevel.ts";
import { shield } from "../time/timeouts.ts";
import { invariant } from "../util/invariant.ts";
import { liesWithin } from "./cancellation-checks.ts";
import { type Feed, Feeder, type FeedHandler } from "./feeder.ts";

type Result = IteratorResult<unknown, undefined>;

const DONE: Result = { done: true, value: undefined };
const NEXT_RESULT: WaitTarget = { describe: () => "the next result of map" };
const CLEANUP: WaitTarget = { describe: () => "the cleanup of map" };

//   new ──next()──▶ running ──last task ended──▶ ended ──failure thrown, or return()──▶ over
//    │                 └──return()──▶ leaving ──last task ended────────────────────────▲
//    └──return()───────────────────────────────────────────────────────────────────────┘
type State = "new" | "running" | "leaving" | "ended" | "over";

/** Starts its jobs at the first `next`, below the scope of that call. */
export class MapIterator<T> implements AsyncIterator<unknown, undefined>, FeedHandler {
  #state: State = "new";
  readonly #feed: Feed<T>;
  readonly #ordered: boolean;
  // Null exactly if nothing was ever started.
  #feeder: Feeder<T> | null = null;
  // In the scope the jobs belong to, as long as the end of that scope would leave something untold.
  #leash: Leash | null = null;
  // Results not taken yet, by their place in the order of delivery.
  readonly #results = new Map<number, unknown>();
  #arrived = 0;
  #delivered = 0;
  // Calls of next(), in order; told null when nothing comes any more. Invariant: not empty implies no result is ready.
  readonly #waiting = new Set<Waiter<Result | null>>();
  readonly #joining = new ParkingLot(CLEANUP);
  // The first failure, until it is thrown or reported.
  #failure: { readonly error: unknown } | null = null;

  constructor(feed: Feed<T>, ordered: boolean) {
    this.#feed = feed;
    this.#ordered = ordered;
  }

  async next(): Promise<Result> {
    try {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      if (this.#state === "new") this.#start();
      const feeder = this.#feeder;
      if (feeder === null) return DONE;
      if (this.#results.has(this.#delivered)) return this.#take();
      const result = this.#isRunning() ? await this.#waitForResult(feeder) : null;
      return result ?? this.#end(feeder);
    } catch (error) {
      // Cancelled together with the jobs, maybe by one of them while it was being started: nobody else waits for their cleanup.
      if (this.#feeder?.children.scope.effective !== null) await this.#join();
      this.#throwFailure();
      throw error;
    }
  }

  async return(): Promise<Result> {
    if (this.#state === "running") {
      this.#state = "leaving";
      this.#feeder?.stop("the loop over the results was left");
    }
    await this.#join();
    this.#state = "over";
    this.#results.clear();
    this.#reportFailure();
    return DONE;
  }

  #start(): void {
    this.#feeder = new Feeder(this.#feed, this);
    this.#leash = new Leash(currentScopeNode(), () => this.#abandon());
    this.#state = "running";
    this.#feeder.start();
  }

  #isRunning(): boolean {
    return this.#state === "running" || this.#state === "leaving";
  }

  /** Waits until nothing runs any more, whatever is cancelled. */
  async #join(): Promise<void> {
    if (this.#isRunning()) await shield(() => this.#joining.park());
  }

  #waitForResult(feeder: Feeder<T>): Promise<Result | null> {
    const scope = currentScopeNode();
    return suspend<Result | null>((waiter) => {
      this.#waiting.add(waiter);
      return () => {
        // Cancelled together with the jobs: it ends when they have, and a result that comes all the same is delivered.
        const isCancelledWithJobs = liesWithin(feeder.children.scope, scope.effective?.scope);
        if (!isCancelledWithJobs) this.#waiting.delete(waiter);
        return isCancelledWithJobs ? "wait" : undefined;
      };
    }, NEXT_RESULT);
  }

  #take(): Result {
    const value = this.#results.get(this.#delivered);
    this.#results.delete(this.#delivered);
    this.#delivered += 1;
    this.#feeder?.freePlace();
    return { done: false, value };
  }

  /** What `next` says when no result is left: a failure once, a cancellation always, else that it is done. */
  #end({ children, incomplete }: Feeder<T>): Result {
    this.#throwFailure();
    if (this.#state === "ended" && incomplete) throwCancelled(children.scope);
    return DONE;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    if (failure === null || this.#state !== "ended") return;
    this.#state = "over";
    this.#untie();
    throw failure.error;
  }

  succeeded(index: number, value: unknown): void {
    if (this.#state === "leaving" || this.#failure !== null) return;
    this.#results.set(this.#ordered ? index : this.#arrived++, value);
    for (const waiter of this.#waiting) {
      if (!this.#results.has(this.#delivered)) return;
      this.#waiting.delete(waiter);
      waiter.wake(this.#take());
    }
  }

  failed(_index: number, error: unknown): void {
    if (this.#state === "leaving" || this.#failure !== null || this.#leash === null) {
      if (error !== this.#failure?.error) reportSuppressed(error, "A job of map failed");
      return;
    }
    this.#failure = { error };
    this.#results.clear();
    this.#feeder?.stop("another job of map failed");
  }

  finished(): void {
    this.#state = this.#state === "leaving" ? "over" : "ended";
    if (this.#failure === null) this.#untie();
    for (const waiter of this.#waiting) waiter.wake(null);
    this.#waiting.clear();
    this.#joining.unparkAll();
  }

  // The scope of the first next() has ended, and nobody has finished or left the loop.
  #abandon(): void {
    this.#reportFailure();
    if (this.#state === "running") this.#feeder?.stop("the scope of the loop over the results has ended");
  }

  #reportFailure(): void {
    if (this.#failure !== null) reportSuppressed(this.#failure.error, "A job of map failed");
    this.#untie();
  }

  #untie(): void {
    this.#failure = null;
    this.#leash?.release();
    this.#leash = null;
  }
}

function throwCancelled(scope: Scope): void {
  throwIfCancelled();
  const cancellation = scope.effective;
  invariant(cancellation !== null, "map left out results, though nobody cancelled it");
  const error = new CancelledError(cancellation);
  if (cancellation === scope.own && cancellation.by === "signal") throw error;
  // Told to somebody who is not cancelled, so it must not look like a cancellation of theirs.
  throw new TaskCancelledError("map", error);
}

// Tells the end of a scope.
class Leash implements ScopeMember {
  scope: Scope | null = null;
  previous: ScopeMember | null = null;
  next: ScopeMember | null = null;
  readonly scopeEnded: () => void;

  constructor(scope: Scope, scopeEnded: () => void) {
    this.scopeEnded = scopeEnded;
    scope.add(this);
  }

  /** Nothing to do: the jobs hang below the same scope, and are told themselves. */
  interrupt(): void {}

  release(): void {
    this.scope?.remove(this);
  }
}
