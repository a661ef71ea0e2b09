// Who waits for what a link runs: for its result, or for anything to happen to it.

import { type Abort, currentScopeNode, suspension, type Waiter, type WaitTarget } from "meanwhile/lowlevel";

import type { Operation } from "./operation.ts";

const goOn = (): "wait" => "wait";

export class LinkWait {
  // Null while nobody waits: between two pieces of a COPY.
  #waiter: Waiter<unknown> | null = null;
  // Whether the waiter wants the result; else it goes on whatever happens.
  #isForResult = false;
  // Something happened while nobody waited.
  #hasHappened = false;

  /** A new operation begins. */
  begin(): void {
    this.#isForResult = false;
    this.#hasHappened = false;
  }

  /** Waits for what the operation comes to. */
  result<R>(operation: Operation<R>, abort: Abort): Promise<R> {
    const { promise, waiter } = suspension<R>(currentScopeNode(), operation);
    waiter.abort = abort;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is woken with what the same operation comes to
    this.#waiter = waiter as Waiter<unknown>;
    this.#isForResult = true;
    return promise;
  }

  /** Waits until something happens; forgets it then. Without an abort function nothing interrupts the wait. */
  async event(target: WaitTarget, abort: Abort = goOn): Promise<void> {
    if (!this.#hasHappened) {
      const { promise, waiter } = suspension<unknown>(currentScopeNode(), target);
      waiter.abort = abort;
      // Whoever waits already looks again after this one: nobody is left waiting.
      const other = this.#take();
      this.#waiter = waiter;
      this.#isForResult = false;
      try {
        await promise;
      } finally {
        other?.wake(undefined);
      }
    }
    this.#hasHappened = false;
  }

  /** Something has happened to the operation, but not its end. */
  notify(): void {
    if (this.#isForResult) return;
    this.#hasHappened = true;
    this.#take()?.wake(undefined);
  }

  /** The operation has ended, and the connection has not. */
  end(operation: Operation<unknown>): void {
    const waiter = this.#take();
    if (waiter === null) this.#hasHappened = true;
    else if (!this.#isForResult) waiter.wake(undefined);
    else if (operation.failure === null) waiter.wake(operation.result());
    else waiter.failWith(() => operation.makeError());
  }

  /** Lets one go on whose wait was not interrupted when he was cancelled, or one whom nothing interrupts. */
  endInterrupted(): void {
    const waiter = this.#take();
    if (waiter === null) this.#hasHappened = true;
    else if (waiter.abort === goOn) waiter.wake(undefined);
    else {
      waiter.abort = null;
      waiter.interrupt();
    }
  }

  /** The connection has ended. */
  fail(makeError: () => unknown): void {
    const waiter = this.#take();
    if (waiter === null) this.#hasHappened = true;
    else if (waiter.abort === goOn) waiter.wake(undefined);
    else waiter.failWith(makeError);
  }

  #take(): Waiter<unknown> | null {
    const waiter = this.#waiter;
    this.#waiter = null;
    return waiter;
  }
}
