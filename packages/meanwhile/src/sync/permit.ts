// What acquire() returns: the right to go on, given back once.

/** Something that was acquired. `using` gives it back at the end of the block; giving it back again does nothing. */
export interface Permit extends Disposable {
  /** Gives the permit back. Only the first call does something. */
  release(): void;
}

/** Makes a permit whose first release calls `giveBack`. */
export function permitOf(giveBack: () => void): Permit {
  return new OncePermit(giveBack);
}

class OncePermit implements Permit {
  #giveBack: (() => void) | null;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  release(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = null;
    giveBack?.();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
