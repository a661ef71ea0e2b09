// What a message is sent from piece by piece: items of an iterable, taken one at a time, and closed when the message ends before it.

import { cancellable, shield } from "meanwhile";

/** How long a source that is given up may take to clean up. */
const CLOSE_MS = 1_000;

/** Reads an iterable, async or not. */
export class Pieces<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>;
  readonly #isAsync: boolean;
  #isOpen = true;

  constructor(source: Iterable<T> | AsyncIterable<T>) {
    this.#isAsync = Symbol.asyncIterator in source;
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /**
   * The next item; done after the last. An item may be anything, undefined as well.
   *
   * Cancellation: loses an item that comes later. The message is over then.
   */
  async next(): Promise<IteratorResult<T>> {
    const pulled = this.#iterator.next();
    const result = pulled instanceof Promise || this.#isAsync ? await cancellable(Promise.resolve(pulled)) : pulled;
    if (result.done === true) this.#isOpen = false;
    return result;
  }

  /** Lets the source clean up, unless it has ended. Never throws; waits a second at most. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      const closed = this.#iterator.return?.();
      if (closed instanceof Promise) await shield(() => cancellable(closed), { timeoutMs: CLOSE_MS });
    } catch {
      // What has ended the message is the error.
    }
  }
}
