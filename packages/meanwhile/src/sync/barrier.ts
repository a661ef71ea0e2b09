// Lets tasks go on only when all of them have come.
// Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { BrokenBarrierError } from "../errors.ts";
import { ParkingLot } from "../lowlevel.ts";
import { badArgument, isCount } from "../util/arguments.ts";
import { atCheckpoint } from "./at-checkpoint.ts";

/** A snapshot of a {@link Barrier}. */
export interface BarrierStatistics {
  /** How many tasks have to come. */
  readonly parties: number;
  /** How many of them have come and wait. */
  readonly tasksWaiting: number;
  /** Whether it was broken by `abort`. */
  readonly broken: boolean;
}

/**
 * A place where tasks wait for each other: the last of the `parties` lets all of them go on. The next ones to come
 * are the next generation, also if those of the last one have not resumed yet.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Barrier}
 *
 * @example
 * ```ts
 * import { Barrier, gather } from "meanwhile";
 *
 * const round = new Barrier(2);
 * const moves: string[] = [];
 * async function play(name: string): Promise<void> {
 *   moves.push(`${name} 1`);
 *   await round.wait();
 *   moves.push(`${name} 2`);
 * }
 * await gather([() => play("ada"), () => play("grace")]);
 * console.log(moves.join(", ")); //> ada 1, grace 1, ada 2, grace 2
 * ```
 */
export class Barrier {
  readonly #parties: number;
  #broken = false;
  // Invariant: fewer than #parties wait; none does while the barrier is broken.
  readonly #waiting: ParkingLot<number> = new ParkingLot({
    describe: () => `Barrier.wait (${this.#waiting.size} of ${this.#parties} have come)`,
  });

  /**
   * @param parties - how many tasks have to come; an integer >= 1
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `parties` is anything else
   */
  constructor(parties: number) {
    if (!isCount(parties, 1)) throw badArgument("create Barrier", "parties", parties, "an integer >= 1");
    this.#parties = parties;
  }

  /** Whether it was broken by `abort`. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Waits until all parties have come.
   *
   * Cancellation: safe. A task cancelled while waiting has not come: the barrier is not broken, and waits for another one.
   *
   * @returns the place among those that go on together, in the order they came: from 0 to `parties` - 1
   * @throws {@link BrokenBarrierError} `MW_ERR_BROKEN_BARRIER` if it is broken before all have come, or is reset
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  wait(): Promise<number> {
    return atCheckpoint(() => {
      if (this.#broken) throw brokenByAbort();
      const others = this.#waiting.size;
      if (others + 1 < this.#parties) return this.#waiting.park();
      for (let place = 0; place < others; place++) this.#waiting.unpark(place);
      return Promise.resolve(others);
    });
  }

  /** Breaks the barrier, because a party will not come: waits end with `BrokenBarrierError`, now and until `reset`. */
  abort(): void {
    this.#broken = true;
    this.#waiting.failAll(brokenByAbort);
  }

  /** Makes the barrier as new: not broken, and empty. Those who wait get a `BrokenBarrierError`. */
  reset(): void {
    this.#broken = false;
    this.#waiting.failAll(emptiedByReset);
  }

  /** A snapshot for dumps and tests. */
  statistics(): BarrierStatistics {
    return { parties: this.#parties, tasksWaiting: this.#waiting.size, broken: this.#broken };
  }
}

function brokenByAbort(): BrokenBarrierError {
  return new BrokenBarrierError("Cannot pass the barrier: abort() has broken it; call reset() to use it again");
}

function emptiedByReset(): BrokenBarrierError {
  return new BrokenBarrierError(
    "Cannot pass the barrier: reset() was called while this task waited; call wait() again",
  );
}
