// Reads an async source item by item, and lets it clean up when it is left early.

import { cancellationOf, currentScopeNode, suspend, type TaskNode, waitsOf, type WaitTarget } from "../lowlevel.ts";
import { shield } from "../time/timeouts.ts";

/** What `map` and `forEach` read: any iterable or async iterable. */
export type Source<T> = Iterable<T> | AsyncIterable<T>;

/** The items of an async source, one at a time. */
export class AsyncItems<T> implements WaitTarget {
  readonly #task: TaskNode | null = currentScopeNode().task;
  readonly #source: AsyncIterable<T> & { readonly destroy?: unknown };
  readonly #iterator: AsyncIterator<T, unknown>;
  // The last call of next(), until what came of it was handed on: a cancellation in between must not lose it.
  #pending: Promise<IteratorResult<T, unknown>> | null = null;
  #ended = false;

  constructor(source: AsyncIterable<T>) {
    this.#source = source;
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Cancellation: safe. It ends the wait, not the pending call: {@link close} hands on what comes of that. */
  next(): Promise<IteratorResult<T, unknown>> {
    return suspend<IteratorResult<T, unknown>>((waiter) => {
      this.#pending = this.#callNext();
      this.#pending.then(
        (result) => this.#handedOn(waiter.wake(result)),
        (error) => this.#handedOn(waiter.fail(error)),
      );
      return undefined;
    }, this);
  }

  #handedOn(accepted: boolean): void {
    if (accepted) this.#pending = null;
  }

  describe(): string {
    return "the next item of its source";
  }

  /** Unless the source waits for something of ours, in this same task, it waits for something foreign. */
  get foreign(): boolean {
    return this.#task === null || waitsOf(this.#task).length === 1;
  }

  async #callNext(): Promise<IteratorResult<T, unknown>> {
    let ended = true; // a source that throws has ended
    try {
      const result = await this.#iterator.next();
      ended = result.done === true;
      return result;
    } finally {
      this.#ended = ended;
    }
  }

  async #leave(): Promise<unknown> {
    // A stream of Node's is destroyed when a loop over it is left; one that waits for data knows of it only this way.
    if (this.#pending !== null && typeof this.#source.destroy === "function") this.#source.destroy();
    return this.#iterator.return?.();
  }

  /**
   * Lets the source clean up. `return` is called before the pending call has settled: some sources end it only then. An
   * item that this still gives is handed to `takeLate`.
   */
  close(takeLate: (item: T) => void): Promise<void> {
    const pending = this.#pending;
    if (this.#ended && pending === null) return Promise.resolve();
    return shield(async () => {
      const handedOn = pending?.then(({ done, value }) => {
        if (done !== true) takeLate(value);
      });
      const [next, closed] = await Promise.allSettled([handedOn, this.#ended ? undefined : this.#leave()]);
      if (next.status === "rejected" && !isEndOfWait(next.reason)) throw next.reason;
      if (closed.status === "rejected") throw closed.reason;
    });
  }
}

/** Whether the last item did not come because nobody waits for it any more. */
function isEndOfWait(error: unknown): boolean {
  if (cancellationOf(error) !== null) return true;
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
