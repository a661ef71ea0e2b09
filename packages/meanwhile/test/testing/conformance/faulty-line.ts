// Where callers of the faulty primitives wait: in the order they came, unless that is the fault.

import { suspend, type Waiter } from "meanwhile/lowlevel";

/** What can be wrong with a line. */
export interface LineFaults {
  /** Who came last is served first. */
  readonly newestFirst?: boolean;
  /** Who was cancelled stays in the line. */
  readonly keepsCancelled?: boolean;
}

interface Place<T, Cargo> {
  readonly waiter: Waiter<T>;
  readonly cargo: Cargo;
}

/** A line of callers that wait for a `T`, and what each has brought along. */
export class Line<T = void, Cargo = undefined> {
  readonly #what: string;
  readonly #faults: LineFaults;
  #places: Place<T, Cargo>[] = [];

  constructor(what: string, faults: LineFaults = {}) {
    this.#what = what;
    this.#faults = faults;
  }

  get length(): number {
    return this.#places.length;
  }

  wait(cargo: Cargo): Promise<T> {
    return suspend<T>(
      (waiter) => {
        const place = { waiter, cargo };
        if (this.#faults.newestFirst === true) this.#places.unshift(place);
        else this.#places.push(place);
        return () => {
          if (this.#faults.keepsCancelled !== true) this.#places = this.#places.filter((other) => other !== place);
        };
      },
      { describe: () => this.#what },
    );
  }

  /** Takes the next one out of the line. */
  next(): Place<T, Cargo> | undefined {
    return this.#places.shift();
  }

  /** Wakes the next one; false if nobody waits. */
  wake(value: T): boolean {
    const next = this.next();
    next?.waiter.wake(value);
    return next !== undefined;
  }

  wakeAll(value: T): void {
    for (const { waiter } of this.#places.splice(0)) waiter.wake(value);
  }

  failAll(text: string): void {
    for (const { waiter } of this.#places.splice(0)) waiter.fail(new Error(text));
  }
}
