// Lets one task in at a time. Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { currentScopeNode, suspend, type Task, type Waiter, type WaitTarget } from "../lowlevel.ts";
import { atCheckpoint } from "./at-checkpoint.ts";
import { Mutex, MutexPermit, type Successor } from "./mutex.ts";
import type { Permit } from "./permit.ts";

/** A snapshot of a {@link Lock}. */
export interface LockStatistics {
  /** Whether somebody holds it. */
  readonly locked: boolean;
  /** The task that acquired it; undefined if it is free, or was acquired outside of any task. */
  readonly owner: Task<unknown> | undefined;
  /** How many tasks wait for it. */
  readonly tasksWaiting: number;
}

/**
 * A mutual exclusion lock. Waiters get it in the order they asked; a newcomer cannot overtake them. It is not
 * reentrant: a task that acquires it twice waits for itself, which is reported as a deadlock with the cycle.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Lock}
 *
 * @example
 * ```ts
 * import { gather, Lock, sleep } from "meanwhile";
 *
 * const lock = new Lock();
 * let balance = 0;
 * async function deposit(): Promise<void> {
 *   using held = await lock.acquire(); // given back at the end of the block
 *   const before = balance;
 *   await sleep(1);
 *   balance = before + 1;
 * }
 * await gather([deposit, deposit, deposit]);
 * console.log(balance); //> 3
 * ```
 */
export class Lock {
  /** @internal For Condition. */
  readonly mutex: Mutex = new Mutex();
  readonly #target: WaitTarget = {
    describe: () => `Lock.acquire (${this.mutex.describeHolder()})`,
    holders: () => this.mutex.holders(),
  };

  /** Whether somebody holds the lock. */
  get locked(): boolean {
    return this.mutex.held !== null;
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
    return atCheckpoint(() => this.#acquire());
  }

  #acquire(): Promise<Permit> {
    const { mutex } = this;
    const permit = new MutexPermit(mutex, currentScopeNode().task);
    if (mutex.held !== null) {
      return suspend<Permit>((waiter) => mutex.lineUp(new Acquiring(waiter, permit)), this.#target);
    }
    mutex.held = permit;
    return Promise.resolve(permit);
  }

  /** Takes the lock if it is free, without waiting; undefined if it is not. */
  tryAcquire(): Permit | undefined {
    const { mutex } = this;
    if (mutex.held !== null) return undefined;
    mutex.held = new MutexPermit(mutex, currentScopeNode().task);
    return mutex.held;
  }

  /** A snapshot for dumps and tests. */
  statistics(): LockStatistics {
    const { mutex } = this;
    return { locked: this.locked, owner: mutex.owner ?? undefined, tasksWaiting: mutex.waiting };
  }
}

/** A call of acquire() that waits. */
class Acquiring implements Successor {
  previous: Successor | null = null;
  next: Successor | null = null;
  list: object | null = null;
  readonly permit: MutexPermit;
  readonly #waiter: Waiter<Permit>;

  constructor(waiter: Waiter<Permit>, permit: MutexPermit) {
    this.#waiter = waiter;
    this.permit = permit;
  }

  proceed(): void {
    this.#waiter.wake(this.permit);
  }
}
