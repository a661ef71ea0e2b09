// Lets blocks of several tasks run in an order that a test decides.

import { UsageError } from "../errors.ts";
import { enterCheckpoint, suspend, type Waiter } from "../lowlevel.ts";
import { show } from "../util/show.ts";

/**
 * Numbers blocks of code, in whatever tasks they are: block 0 runs first, then 1, and so on. A block waits until the one
 * before it has been left.
 *
 * A number that nobody asks for stops all later ones; under {@link runTest} that is a deadlock, and its report says whose turn
 * it is.
 *
 * @see {@link https://trio.readthedocs.io/en/stable/reference-testing.html#trio.testing.Sequencer}
 *
 * @example
 * ```ts
 * import { gather } from "meanwhile";
 * import { Sequencer } from "meanwhile/testing";
 *
 * const sequencer = new Sequencer();
 * await gather([
 *   async () => {
 *     {
 *       using turn = await sequencer.at(1);
 *       console.log("second");
 *     }
 *   },
 *   async () => {
 *     {
 *       using turn = await sequencer.at(0);
 *       console.log("first"); //> first
 *     } //> second
 *     using turn = await sequencer.at(2);
 *     console.log("third"); //> third
 *   },
 * ]);
 * ```
 */
export class Sequencer {
  // Whose turn it is. Invariant: nobody waits for it.
  #turn = 0;
  // Whether the block of this turn has been entered.
  #isEntered = false;
  readonly #waiting = new Map<number, Waiter<void>>();

  /**
   * Waits for the turn with this number. The turn ends when the result is disposed of, and the next one begins.
   *
   * Cancellation: safe. The turn has not begun, and the number can be asked for again.
   *
   * @param turn - an integer from 0; each may be taken once
   * @returns the turn; `using` ends it with the block
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for what is no such number, `MW_ERR_TURN_TAKEN` if somebody waits for
   *   this turn, is in it, or has left it
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  async at(turn: number): Promise<Disposable> {
    if (!Number.isInteger(turn) || turn < 0) {
      throw new UsageError(
        "MW_ERR_INVALID_ARGUMENT",
        `Cannot wait for turn ${show(turn)} of a sequencer; pass an integer >= 0`,
      );
    }
    const giveWay = enterCheckpoint();
    if (giveWay !== null) await giveWay;
    if (turn < this.#turn || (turn === this.#turn && this.#isEntered) || this.#waiting.has(turn)) {
      throw new UsageError(
        "MW_ERR_TURN_TAKEN",
        `Cannot take turn ${turn}: it was taken; give each block its own number`,
      );
    }
    if (turn === this.#turn) this.#isEntered = true;
    else await this.#waitFor(turn); // #next() has already entered the turn for us
    return new Turn(() => this.#next());
  }

  #waitFor(turn: number): Promise<void> {
    return suspend<void>(
      (waiter) => {
        this.#waiting.set(turn, waiter);
        return () => void this.#waiting.delete(turn);
      },
      { describe: () => `turn ${turn} of a Sequencer (it is turn ${this.#turn})` },
    );
  }

  #next(): void {
    this.#turn += 1;
    const next = this.#waiting.get(this.#turn);
    this.#waiting.delete(this.#turn);
    this.#isEntered = next !== undefined;
    next?.wake();
  }
}

class Turn implements Disposable {
  #end: (() => void) | null;

  constructor(end: () => void) {
    this.#end = end;
  }

  [Symbol.dispose](): void {
    const end = this.#end;
    this.#end = null;
    end?.();
  }
}
