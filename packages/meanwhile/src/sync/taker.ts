// Who waits for an item of a queue: a call of get(), or a loop over the queue. They are in one line, but the end of the queue
// is an error to the one and the end of the loop to the other.

import { QueueClosedError } from "../errors.ts";
import type { Waiter } from "../lowlevel.ts";
import type { Linked } from "../util/linked-list.ts";

/** One who waits for an item. */
export interface Taker<T> extends Linked<Taker<T>> {
  /** Here is one. */
  take(item: T): void;
  /** None will come. */
  end(): void;
}

/** What a loop over a queue is told at the end. */
export const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** A call of get() that waits. */
export class Getting<T> implements Taker<T> {
  previous: Taker<T> | null = null;
  next: Taker<T> | null = null;
  list: object | null = null;
  readonly #waiter: Waiter<T>;

  constructor(waiter: Waiter<T>) {
    this.#waiter = waiter;
  }

  take(item: T): void {
    this.#waiter.wake(item);
  }

  end(): void {
    this.#waiter.failWith(closedForGet);
  }
}

/** A loop that waits. The item comes in a result, so one that is a promise is not awaited here. */
export class Iterating<T> implements Taker<T> {
  previous: Taker<T> | null = null;
  next: Taker<T> | null = null;
  list: object | null = null;
  readonly #waiter: Waiter<IteratorResult<T, undefined>>;

  constructor(waiter: Waiter<IteratorResult<T, undefined>>) {
    this.#waiter = waiter;
  }

  take(item: T): void {
    this.#waiter.wake({ done: false, value: item });
  }

  end(): void {
    this.#waiter.wake(END);
  }
}

/** The error of a get that finds, or waits until, nothing is left. */
export function closedForGet(): QueueClosedError {
  return new QueueClosedError("Cannot get: the queue is closed and empty; iterate with for await to stop there");
}
