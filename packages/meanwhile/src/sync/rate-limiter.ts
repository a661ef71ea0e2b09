// Limits how often something happens.
// Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { currentScopeNode, type Runner, suspend, type Waiter, type WaitTarget } from "../lowlevel.ts";
import { badArgument, isCount } from "../util/arguments.ts";
import { invariant } from "../util/invariant.ts";
import { LinkedList } from "../util/linked-list.ts";
import { atCheckpoint, DONE } from "./at-checkpoint.ts";
import { Place } from "./place.ts";

/** Options of a {@link RateLimiter}. */
export interface RateLimiterOptions {
  /** How often something may happen within `intervalMs`; an integer >= 1. */
  readonly limit: number;
  /** The length of the window in milliseconds; a number > 0. */
  readonly intervalMs: number;
}

/** A snapshot of a {@link RateLimiter}. */
export interface RateLimiterStatistics {
  /** How often something may happen within `intervalMs`. */
  readonly limit: number;
  /** The length of the window in milliseconds. */
  readonly intervalMs: number;
  /** How many more may happen now. */
  readonly available: number;
  /** How many tasks wait for their turn. */
  readonly tasksWaiting: number;
}

/**
 * Lets something happen at most `limit` times in any window of `intervalMs`, wherever the window begins. Waiters are
 * served in the order they asked.
 *
 * Beside a token bucket: a bucket of 10 that is refilled 10 times a second lets 10 through at once and 10 more while it
 * refills, so up to 20 in one second; a fixed window lets 20 through around its border. This one keeps the times of the last `limit`
 * calls and never lets more through than it says. Where a service counts the same way, it is never asked too often.
 *
 * Time is that of the run's clock. Programs with several clocks, like tests, have a window for each.
 *
 * @see {@link https://en.wikipedia.org/wiki/Rate_limiting}
 *
 * @example
 * ```ts
 * import { now, RateLimiter } from "meanwhile";
 * import { runTest } from "meanwhile/testing";
 *
 * await runTest(async () => {
 *   const limiter = new RateLimiter({ limit: 2, intervalMs: 1_000 });
 *   for (let i = 0; i < 5; i++) await limiter.acquire();
 *   console.log(now()); //> 2000
 * });
 * ```
 */
export class RateLimiter {
  readonly #limit: number;
  readonly #intervalMs: number;
  // By the deadlines of a clock. The newest is also in a field of its own: nearly all programs have one.
  readonly #windows = new WeakMap<Runner["deadlines"], Window>();
  #newest: Window | null = null;

  /** @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `limit` or `intervalMs` is missing or out of range */
  constructor(options: RateLimiterOptions) {
    const limit: unknown = options?.limit;
    const intervalMs: unknown = options?.intervalMs;
    if (!isCount(limit, 1)) throw badArgument("create RateLimiter", "limit", limit, "an integer >= 1");
    if (!(typeof intervalMs === "number" && intervalMs > 0 && intervalMs < Infinity)) {
      throw badArgument("create RateLimiter", "intervalMs", intervalMs, "a number of milliseconds > 0");
    }
    this.#limit = limit;
    this.#intervalMs = intervalMs;
  }

  /**
   * Waits until it may happen once more, and counts that.
   *
   * Cancellation: safe. A task cancelled while waiting is not counted, and the next one takes its place.
   *
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  acquire(): Promise<void> {
    return atCheckpoint(() => {
      const window = this.#window();
      return window.tryPass() ? DONE : window.wait();
    });
  }

  /** Whether it may happen once more now; if so, that is counted. */
  tryAcquire(): boolean {
    return this.#window().tryPass();
  }

  /** A snapshot for dumps and tests. */
  statistics(): RateLimiterStatistics {
    const window = this.#window();
    return {
      limit: this.#limit,
      intervalMs: this.#intervalMs,
      available: window.available(),
      tasksWaiting: window.tasksWaiting,
    };
  }

  #window(): Window {
    const { deadlines } = currentScopeNode().runner;
    if (this.#newest?.deadlines === deadlines) return this.#newest;
    const window = this.#windows.get(deadlines) ?? new Window(deadlines, this.#limit, this.#intervalMs);
    this.#windows.set(deadlines, window);
    this.#newest = window;
    return window;
  }
}

// What has happened on one clock. As an entry of its deadlines it is due when the longest waiter may pass.
class Window implements WaitTarget {
  bucket: Waiter<void>["bucket"] = null;
  slot = 0;
  readonly deadlines: Runner["deadlines"];
  readonly #limit: number;
  readonly #intervalMs: number;
  // When the last `limit` passed. Invariant: from #oldest on, around the end, the times do not decrease; #oldest is 0 until
  // the ring has its full length.
  readonly #times: number[] = [];
  #oldest = 0;
  // Invariant: this is in a bucket of the deadlines exactly if somebody waits.
  readonly #waiting = new LinkedList<Place<void, undefined>>();

  constructor(deadlines: Runner["deadlines"], limit: number, intervalMs: number) {
    this.deadlines = deadlines;
    this.#limit = limit;
    this.#intervalMs = intervalMs;
  }

  get tasksWaiting(): number {
    return this.#waiting.size;
  }

  tryPass(): boolean {
    const now = this.deadlines.clock.now();
    // An alarm that is late: whoever waits for it goes first. Who waits after that is too early.
    if (this.#waiting.size > 0) this.#letPass(now);
    if (this.#nextAt() > now) return false;
    this.#note(now);
    return true;
  }

  wait(): Promise<void> {
    return suspend<void>((waiter) => {
      const place = new Place(waiter, undefined);
      this.#waiting.push(place);
      if (this.bucket === null) this.deadlines.add(this, this.#nextAt());
      return () => {
        this.#waiting.remove(place);
        if (this.#waiting.size === 0) this.deadlines.remove(this);
      };
    }, this);
  }

  /** The deadline has come. */
  due(): void {
    this.#letPass(this.deadlines.clock.now());
  }

  #letPass(now: number): void {
    while (this.#waiting.size > 0 && this.#nextAt() <= now) {
      this.#note(now);
      this.#waiting.shift()?.waiter.wake();
    }
    if (this.#waiting.size === 0) this.deadlines.remove(this);
    else this.deadlines.add(this, this.#nextAt());
  }

  /** When the next one may pass. */
  #nextAt(): number {
    return this.#times.length < this.#limit ? -Infinity : this.#endsAt(0);
  }

  // When one that passed drops out of the window; they are counted from the oldest. The sum is made the same way
  // everywhere: what was rounded in one way at the alarm and in another after it would let nobody pass.
  #endsAt(index: number): number {
    const times = this.#times;
    const passedAt = times[(this.#oldest + index) % times.length];
    invariant(passedAt !== undefined, "nobody has passed the rate limiter");
    return passedAt + this.#intervalMs;
  }

  #note(now: number): void {
    if (this.#times.length < this.#limit) {
      this.#times.push(now);
      return;
    }
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#limit;
  }

  available(): number {
    const now = this.deadlines.clock.now();
    const { length } = this.#times;
    let ended = 0;
    while (ended < length && this.#endsAt(ended) <= now) ended += 1;
    return Math.max(0, this.#limit - length + ended - this.#waiting.size);
  }

  describe(): string {
    const left = Math.max(0, Math.ceil(this.#nextAt() - this.deadlines.clock.now()));
    return `RateLimiter.acquire (${this.#limit} in ${this.#intervalMs} ms; the next in ${left} ms)`;
  }
}
