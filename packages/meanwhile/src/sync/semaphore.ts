// Limits how many tasks may do something at once.
// Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { ParkingLot } from "../lowlevel.ts";
import { badArgument, isCount } from "../util/arguments.ts";
import { atCheckpoint } from "./at-checkpoint.ts";
import { OncePermit, type Permit } from "./permit.ts";

/** A snapshot of a {@link Semaphore}. */
export interface SemaphoreStatistics {
  /** How many permits it was made with. */
  readonly permits: number;
  /** How many can be taken now. */
  readonly freePermits: number;
  /** How many tasks wait for one. */
  readonly tasksWaiting: number;
}

/**
 * A counting semaphore. Waiters are served in the order they asked.
 *
 * A permit goes back by itself (`using`, or `permit.release()`), or with `semaphore.release()`, which adds one whoever
 * took it. That makes a semaphore a signal as well: one side releases what the other acquires. Do one or the other for
 * each permit: both together count as two. A {@link BoundedSemaphore} notices that.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Semaphore}
 *
 * @example Ten downloads at a time
 * ```ts
 * import { Semaphore } from "meanwhile";
 *
 * const slots = new Semaphore(10);
 * {
 *   using slot = await slots.acquire(); // given back at the end of the block
 *   console.log(slots.freePermits); //> 9
 * }
 * console.log(slots.freePermits); //> 10
 * ```
 */
export class Semaphore {
  // Invariant: #freePermits > 0 implies #waiting is empty. A released permit goes straight to the longest waiter, so a
  // newcomer cannot overtake it.
  #freePermits: number;
  readonly #permits: number;
  readonly #waiting = new ParkingLot<Permit, Permit>({ describe: () => "Semaphore.acquire (no permit is free)" });
  // Through the public method: a bounded one looks at what its permits give back, too.
  readonly #takeBack = (): void => this.release();

  /**
   * @param permits - how many tasks may hold a permit at once; an integer >= 0
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `permits` is anything else
   */
  constructor(permits: number) {
    if (!isCount(permits, 0)) throw badArgument("create Semaphore", "permits", permits, "an integer >= 0");
    this.#permits = permits;
    this.#freePermits = permits;
  }

  /** How many permits can be taken now. */
  get freePermits(): number {
    return this.#freePermits;
  }

  /**
   * Waits for a permit and takes it.
   *
   * Cancellation: safe. A task cancelled while waiting loses its place and holds no permit.
   *
   * @returns the permit; `using` gives it back
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  acquire(): Promise<Permit> {
    return atCheckpoint(() => {
      const permit = this.tryAcquire();
      return permit === undefined ? this.#waiting.park(this.#newPermit()) : Promise.resolve(permit);
    });
  }

  /** Takes a permit if one is free, without waiting; undefined if none is. */
  tryAcquire(): Permit | undefined {
    if (this.#freePermits === 0) return undefined;
    this.#freePermits -= 1;
    return this.#newPermit();
  }

  /** Adds a permit: for the longest waiter, if there is one. */
  release(): void {
    const permit = this.#waiting.peek();
    if (permit === undefined) this.#freePermits += 1;
    else this.#waiting.unpark(permit);
  }

  /** A snapshot for dumps and tests. */
  statistics(): SemaphoreStatistics {
    return { permits: this.#permits, freePermits: this.#freePermits, tasksWaiting: this.#waiting.size };
  }

  #newPermit(): Permit {
    return new OncePermit(this.#takeBack, undefined);
  }
}
