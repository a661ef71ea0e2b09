// What acquire() returns: the right to go on, given back once.

/** Something that was acquired. `using` gives it back at the end of the block; giving it back again does nothing. */
export interface Permit extends Disposable {
  /** Gives the permit back. Only the first call does something. */
  release(): void;
}

/**
 * A permit of a primitive that gives out many. What takes it back is one function for all of them: with a closure for each,
 * `tryAcquire` takes twice as long.
 */
export class OncePermit<Holder = void> implements Permit {
  /** For whom it was taken. */
  readonly holder: Holder;
  // Null once it was given back.
  #takeBack: ((holder: Holder) => void) | null;

  constructor(takeBack: (holder: Holder) => void, holder: Holder) {
    this.#takeBack = takeBack;
    this.holder = holder;
  }

  release(): void {
    const takeBack = this.#takeBack;
    this.#takeBack = null;
    takeBack?.(this.holder);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
