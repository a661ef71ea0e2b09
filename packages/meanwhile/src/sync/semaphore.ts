// Limits how many tasks may do something at once.
// Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { UsageError } from "../errors.ts";
import { enterCheckpoint, ParkingLot } from "../lowlevel.ts";
import { show } from "../util/show.ts";
import { type Permit, permitOf } from "./permit.ts";

/** A snapshot of a {@link Semaphore}. */
export interface SemaphoreStatistics {
  /** How many there are in all. */
  readonly permits: number;
  /** How many of them nobody holds. */
  readonly freePermits: number;
  /** How many tasks wait for one. */
  readonly tasksWaiting: number;
}

/**
 * A counting semaphore. Waiters are served in the order they asked.
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
 *   console.log(slots.statistics().freePermits); //> 9
 * }
 * console.log(slots.statistics().freePermits); //> 10
 * ```
 */
export class Semaphore {
  // Invariant: #freePermits > 0 implies #waiting is empty. A released permit goes straight to the longest waiter, so a
  // newcomer cannot overtake it.
  #freePermits: number;
  readonly #permits: number;
  readonly #waiting = new ParkingLot({ describe: () => `Semaphore.acquire (all ${this.#permits} permits are taken)` });

  /**
   * @param permits - how many tasks may hold a permit at once; an integer >= 1
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `permits` is anything else
   */
  constructor(permits: number) {
    if (!Number.isInteger(permits) || permits < 1) {
      throw new UsageError(
        "MW_ERR_INVALID_ARGUMENT",
        `Cannot create Semaphore: 'permits' is ${show(permits)}; pass an integer >= 1`,
      );
    }
    this.#permits = permits;
    this.#freePermits = permits;
  }

  /**
   * Waits for a permit and takes it.
   *
   * Cancellation: a task cancelled while waiting loses its place and holds no permit.
   *
   * @returns the permit; `using` gives it back
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  async acquire(): Promise<Permit> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    if (this.#freePermits > 0) this.#freePermits -= 1;
    else await this.#waiting.park(); // #release() has already counted this permit as ours
    return permitOf(() => this.#release());
  }

  /** Takes a permit if one is free, without waiting; undefined if none is. */
  tryAcquire(): Permit | undefined {
    if (this.#freePermits === 0) return undefined;
    this.#freePermits -= 1;
    return permitOf(() => this.#release());
  }

  #release(): void {
    if (!this.#waiting.unpark()) this.#freePermits += 1;
  }

  /** A snapshot for dumps and tests. */
  statistics(): SemaphoreStatistics {
    return { permits: this.#permits, freePermits: this.#freePermits, tasksWaiting: this.#waiting.size };
  }
}
