// Lets a number of callers through at once; the others wait in the order they came.
//
// A Semaphore whose wait can have a deadline of its own and can be refused when the session closes.

import { suspend, type Waiter, type WaitTarget, wakeAt } from "meanwhile/lowlevel";

// A waiter is woken with true if it was let through, and without a value if its deadline came.
type Answer = true | void;

/** A fair limit. */
export class Gate {
  // Invariant: somebody waits only if inUse === limit. A place given back goes straight to the longest waiter.
  readonly #waiting = new Set<Waiter<Answer>>();
  readonly #target: WaitTarget;
  readonly limit: number;
  inUse = 0;

  constructor(limit: number, what: string) {
    this.limit = limit;
    this.#target = { describe: () => `${what} (all ${limit} are in use)` };
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a place if one is free. */
  tryTake(): boolean {
    if (this.inUse >= this.limit) return false;
    this.inUse += 1;
    return true;
  }

  /** Waits for a place, until the deadline. Tells whether it got one. A cancelled caller holds none. */
  async take(deadline: number): Promise<boolean> {
    if (this.tryTake()) return true;
    const own: { waiter: Waiter<Answer> | null } = { waiter: null };
    const answer = await suspend<Answer>((waiter) => {
      own.waiter = waiter;
      this.#waiting.add(waiter);
      wakeAt(waiter, deadline);
      return () => void this.#waiting.delete(waiter);
    }, this.#target);
    if (answer === true) return true;
    if (own.waiter !== null) this.#waiting.delete(own.waiter);
    return false;
  }

  /** Gives a place back. */
  give(): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      // False for one whose deadline has come and who has not run yet.
      if (waiter.wake(true)) return;
    }
    this.inUse -= 1;
  }

  /** Ends every wait as if its deadline had come. */
  refuseAll(): void {
    for (const waiter of this.#waiting) waiter.wake();
    this.#waiting.clear();
  }
}
