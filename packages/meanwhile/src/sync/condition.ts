// Lets tasks that hold a lock wait until another one has changed what it guards.
// Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { UsageError } from "../errors.ts";
import { asCaller, currentScopeNode, enterCheckpoint, isCoroutine, suspend } from "../lowlevel.ts";
import { badArgument, isCount } from "../util/arguments.ts";
import { LinkedList } from "../util/linked-list.ts";
import { show } from "../util/show.ts";
import { atCheckpoint } from "./at-checkpoint.ts";
import { ConditionWait } from "./condition-wait.ts";
import { Lock, type LockStatistics } from "./lock.ts";
import type { MutexPermit, Successor } from "./mutex.ts";
import type { Permit } from "./permit.ts";

/** Options of a {@link Condition}. */
export interface ConditionOptions {
  /** The lock that guards the state. Several conditions may share one. Default: a lock of its own. */
  readonly lock?: Lock | undefined;
}

/** A snapshot of a {@link Condition}. */
export interface ConditionStatistics {
  /** How many tasks wait to be notified. Those that were wait for the lock. */
  readonly tasksWaiting: number;
  /** Its lock. */
  readonly lock: LockStatistics;
}

/** What is left of `T` where the value is truthy. */
export type Truthy<T> = Exclude<T, false | 0 | 0n | "" | null | undefined>;

/**
 * A lock, and a queue of tasks that have given it back until somebody who holds it says that something has changed.
 * A notified task goes to the queue of the lock, and on when it holds the lock again. It is never woken for nothing, but
 * others may have held the lock in between: `waitFor` looks again.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Condition}
 *
 * @example
 * ```ts
 * import { Condition, gather } from "meanwhile";
 *
 * const changed = new Condition();
 * let water = 0;
 * await gather([
 *   async () => {
 *     using held = await changed.acquire();
 *     await changed.waitFor(() => water >= 2); // gives the lock back meanwhile
 *     console.log(water); //> 2
 *   },
 *   async () => {
 *     using held = await changed.acquire();
 *     water += 2;
 *     changed.notifyAll();
 *   },
 * ]);
 * ```
 */
export class Condition {
  readonly #lock: Lock;
  // Those who wait to be notified.
  readonly #waiting = new LinkedList<Successor>();

  /** @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `lock` is not a {@link Lock} */
  constructor({ lock = new Lock() }: ConditionOptions = {}) {
    if (!(lock instanceof Lock)) throw badArgument("create Condition", "lock", lock, "a Lock");
    this.#lock = lock;
  }

  /** Whether somebody holds the lock. */
  get locked(): boolean {
    return this.#lock.locked;
  }

  /**
   * Waits until the lock is free and takes it.
   *
   * Cancellation: safe. A task cancelled while waiting loses its place and does not hold the lock.
   *
   * @returns the permit; `using` gives it back
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  acquire(): Promise<Permit> {
    return this.#lock.acquire();
  }

  /** Takes the lock if it is free, without waiting; undefined if it is not. */
  tryAcquire(): Permit | undefined {
    return this.#lock.tryAcquire();
  }

  /**
   * Gives the lock back, waits to be notified, and takes the lock again. The permit stays the same: it holds the lock
   * when the call ends, also when it throws.
   *
   * Cancellation: safe. A task that was not notified takes the lock again, however long that takes, and throws. One that
   * was notified returns: it has what it waited for, and the cancellation comes at its next checkpoint.
   *
   * @throws {@link UsageError} `MW_ERR_NOT_HELD` if this task does not hold the lock
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  wait(): Promise<void> {
    return atCheckpoint(() => this.#wait());
  }

  /**
   * Waits, as `wait` does, until `predicate` returns something truthy, and returns that. It is called with the lock held:
   * at once, and each time the task was notified.
   *
   * Cancellation: safe. The lock is held when the call ends, also when it throws.
   *
   * @param predicate - must not wait
   * @throws {@link UsageError} `MW_ERR_NOT_HELD` if this task does not hold the lock
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `predicate` is not a function, or returns a promise
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  async waitFor<T>(predicate: () => T): Promise<Truthy<T>> {
    if (typeof predicate !== "function") {
      throw badArgument("wait for the condition", "predicate", predicate, "a function");
    }
    const wait = asCaller(() => this.#wait());
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    for (;;) {
      this.#heldPermit("wait for");
      const value = predicate();
      if (isThenable(value)) throw predicateWaits(value);
      if (isTruthy(value)) return value;
      await wait();
    }
  }

  #wait(): Promise<void> {
    const wait = new ConditionWait(this.#waiting, this.#lock.mutex, this.#heldPermit("wait for"));
    return suspend<void>((waiter) => wait.begin(waiter), wait);
  }

  /**
   * Notifies the tasks that have waited longest. They go on one after the other, as the lock becomes free.
   *
   * @param n - how many; an integer >= 0, or `Infinity`. Default: 1
   * @throws {@link UsageError} `MW_ERR_NOT_HELD` if this task does not hold the lock
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `n` is anything else
   */
  notify(n = 1): void {
    if (n !== Infinity && !isCount(n, 0)) {
      throw badArgument("notify", "n", n, "an integer >= 0, or Infinity for all");
    }
    this.#heldPermit("notify");
    const { mutex } = this.#lock;
    for (let left = n; left > 0; left--) {
      const next = this.#waiting.shift();
      if (next === null) return;
      mutex.lineUp(next);
    }
  }

  /**
   * Notifies every task that waits now.
   *
   * @throws {@link UsageError} `MW_ERR_NOT_HELD` if this task does not hold the lock
   */
  notifyAll(): void {
    this.notify(Infinity);
  }

  /** A snapshot for dumps and tests. */
  statistics(): ConditionStatistics {
    return { tasksWaiting: this.#waiting.size, lock: this.#lock.statistics() };
  }

  #heldPermit(what: string): MutexPermit {
    const { mutex } = this.#lock;
    const { held } = mutex;
    if (held !== null && held.owner === currentScopeNode().task) return held;
    const now = held === null ? "free" : `${mutex.describeHolder()}, which is not this one`;
    throw new UsageError(
      "MW_ERR_NOT_HELD",
      `Cannot ${what} the condition: its lock is ${now}; take it first, with using held = await condition.acquire()`,
    );
  }
}

function isTruthy<T>(value: T): value is Truthy<T> {
  return Boolean(value);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function predicateWaits(promise: PromiseLike<unknown>): UsageError {
  // Refused, but handed to us: it must be neither an unhandled rejection nor a forgotten call beside this error.
  if (promise instanceof Promise) promise.catch(() => {});
  if (isCoroutine(promise)) promise.handOver();
  return new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot wait for the condition: 'predicate' returned ${show(promise)}, which is always truthy; pass a function that is not async`,
  );
}
