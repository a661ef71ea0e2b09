// Lets one task in at a time. Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { currentScopeNode, enterCheckpoint, ParkingLot, type Task, type WaitTarget } from "../lowlevel.ts";
import { type Permit, permitOf } from "./permit.ts";

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
  // Invariant: free implies #waiting is empty. A released lock goes straight to the longest waiter.
  #locked = false;
  #owner: Task<unknown> | null = null;
  readonly #waiting = new ParkingLot<void, Task<unknown> | null>(this.#target());

  /** Whether somebody holds the lock. */
  get locked(): boolean {
    return this.#locked;
  }

  /**
   * Waits until the lock is free and takes it.
   *
   * Cancellation: a task cancelled while waiting loses its place and does not hold the lock.
   *
   * @returns the permit; `using` gives it back
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  async acquire(): Promise<Permit> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    const { task } = currentScopeNode();
    if (this.#locked) await this.#waiting.park(task); // #release() has already made us the owner
    else this.#take(task);
    return permitOf(() => this.#release());
  }

  /** Takes the lock if it is free, without waiting; undefined if it is not. */
  tryAcquire(): Permit | undefined {
    if (this.#locked) return undefined;
    this.#take(currentScopeNode().task);
    return permitOf(() => this.#release());
  }

  #take(task: Task<unknown> | null): void {
    this.#locked = true;
    this.#owner = task;
  }

  #release(): void {
    const next = this.#waiting.peek();
    this.#owner = next ?? null;
    this.#locked = this.#waiting.unpark();
  }

  /** A snapshot for dumps and tests. */
  statistics(): LockStatistics {
    return { locked: this.#locked, owner: this.#owner ?? undefined, tasksWaiting: this.#waiting.size };
  }

  #target(): WaitTarget {
    return {
      describe: () =>
        this.#owner === null ? "Lock.acquire" : `Lock.acquire (held by task ${this.#owner.id} "${this.#owner.name}")`,
      holders: () => (this.#owner === null ? [] : [this.#owner]),
    };
  }
}
