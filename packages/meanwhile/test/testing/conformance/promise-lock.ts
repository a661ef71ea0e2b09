// A mutex that knows nothing of meanwhile, like those on npm, and ways to make a lock of it.

import { cancellable, checkpoint } from "meanwhile";

/** Waits are plain promises: nothing cancels them. */
class PromiseMutex {
  #last: Promise<void> = Promise.resolve();

  /** Resolves with how to give it back. */
  async acquire(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return resolve;
  }
}

/** A good one: a waiter that is cancelled leaves, and gives back what comes too late. */
export class PromiseLock {
  readonly #mutex = new PromiseMutex();

  async acquire(): Promise<Disposable> {
    const pending = this.#mutex.acquire();
    try {
      return permitOf(await cancellable(pending));
    } catch (error) {
      pending.then((release) => release()).catch(() => {});
      throw error;
    }
  }
}

/** Its waiters go on waiting when they are cancelled; perhaps it looks for a cancellation before. */
export class DeafLock {
  readonly #mutex = new PromiseMutex();
  readonly #looksBefore: boolean;

  constructor({ looksBefore }: { looksBefore: boolean }) {
    this.#looksBefore = looksBefore;
  }

  async acquire(): Promise<Disposable> {
    if (this.#looksBefore) await checkpoint();
    return permitOf(await this.#mutex.acquire());
  }
}

/** Waits for it never end when they are cancelled. */
export class DeafEvent {
  readonly #isSet = Promise.withResolvers<void>();

  set(): void {
    this.#isSet.resolve();
  }

  async wait(): Promise<void> {
    await checkpoint();
    await this.#isSet.promise;
  }
}

/** Takes a real millisecond to be set. */
export class SlowEvent {
  readonly #isSet = Promise.withResolvers<void>();

  set(): void {
    setTimeout(() => this.#isSet.resolve(), 1);
  }

  wait(): Promise<void> {
    return cancellable(this.#isSet.promise);
  }
}

function permitOf(release: () => void): Disposable {
  return { [Symbol.dispose]: release };
}
