// What COPY FROM reads from: items of an iterable, taken one at a time, and closed when the copy ends before it.

import { cancellable, shield } from "meanwhile";

/** How long a source that is given up may take to clean up. */
const CLOSE_MS = 1_000;

/** Reads an iterable, async or not. */
export class CopyItems<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>;
  readonly #isAsync: boolean;
  #isOpen = true;

  constructor(source: Iterable<T> | AsyncIterable<T>) {
    this.#isAsync = Symbol.asyncIterator in source;
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /**
   * The next item, or that there is none: an item may be undefined.
   *
   * Cancellation: loses an item that comes later. The copy is over then.
   */
  async next(): Promise<IteratorResult<T, unknown>> {
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
      // What has ended the copy is the error.
    }
  }
}
