// Those who wait for a connection, the longest first.
//
// A ParkingLot whose wait can have a deadline of its own.

import { suspend, type Waiter, type WaitTarget, wakeAt } from "meanwhile/lowlevel";

/** A fair line. Each who waits gets what he is given, or nothing when his time is over. */
export class WaitingLine<T> {
  // When each has come.
  readonly #waiting = new Map<Waiter<T | void>, number>();
  readonly #target: WaitTarget;

  constructor(target: WaitTarget) {
    this.#target = target;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /** Whether the longest waiter has come by then, by `performance.now()`. */
  hasOneSince(at: number): boolean {
    for (const since of this.#waiting.values()) return since <= at;
    return false;
  }

  /**
   * Waits until it is one's turn; undefined if the deadline came first. A caller that is cancelled gets nothing.
   *
   * @param isFirst - for one whose turn it was, and who got nothing that he can use
   */
  async wait(deadline: number, isFirst = false): Promise<T | undefined> {
    const own: { waiter: Waiter<T | void> | null } = { waiter: null };
    const given = await suspend<T | void>((waiter) => {
      own.waiter = waiter;
      const others = isFirst ? [...this.#waiting] : [];
      if (isFirst) this.#waiting.clear();
      this.#waiting.set(waiter, isFirst ? 0 : performance.now());
      for (const [other, since] of others) this.#waiting.set(other, since);
      wakeAt(waiter, deadline);
      return () => void this.#waiting.delete(waiter);
    }, this.#target);
    if (given !== undefined) return given;
    if (own.waiter !== null) this.#waiting.delete(own.waiter);
    return undefined;
  }

  /** Gives something to the longest waiter. False if nobody waits. */
  give(what: T): boolean {
    for (const waiter of this.#waiting.keys()) {
      this.#waiting.delete(waiter);
      // False for one whose deadline has come and who has not run yet.
      if (waiter.wake(what)) return true;
    }
    return false;
  }

  /** Ends the longest wait with an error, made where it goes on. */
  refuse(makeError: () => unknown): void {
    for (const waiter of this.#waiting.keys()) {
      this.#waiting.delete(waiter);
      if (waiter.failWith(makeError)) return;
    }
  }

  /** Ends every wait with an error, made anew for each. */
  refuseAll(makeError: () => unknown): void {
    for (const waiter of this.#waiting.keys()) waiter.failWith(makeError);
    this.#waiting.clear();
  }
}
