// A flag that tasks can wait for. Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { ParkingLot } from "../lowlevel.ts";
import { atCheckpoint, DONE } from "./at-checkpoint.ts";

/** A snapshot of an {@link Event}. */
export interface EventStatistics {
  /** How many tasks wait for it. */
  readonly tasksWaiting: number;
}

/**
 * A flag, unset at first, that any number of tasks can wait for. `set()` wakes everybody who waits at that moment,
 * also if `clear()` follows in the same turn.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Event}
 *
 * @example
 * ```ts
 * import { Event, gather } from "meanwhile";
 *
 * const ready = new Event();
 * await gather([
 *   async () => {
 *     await ready.wait();
 *     console.log("go"); //> go
 *   },
 *   async () => ready.set(),
 * ]);
 * ```
 */
export class Event {
  #isSet = false;
  // Invariant: empty while the flag is set.
  readonly #waiting = new ParkingLot({ describe: () => "Event.wait" });

  /** Whether the flag is set. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** Sets the flag and wakes everybody who waits. Setting it again changes nothing. */
  set(): void {
    this.#isSet = true;
    this.#waiting.unparkAll();
  }

  /** Unsets the flag: later calls of `wait` wait for the next `set`. */
  clear(): void {
    this.#isSet = false;
  }

  /**
   * Waits until the flag is set; returns at once if it is.
   *
   * Cancellation: safe. Waiting changes nothing.
   *
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  wait(): Promise<void> {
    return atCheckpoint(() => (this.#isSet ? DONE : this.#waiting.park()));
  }

  /** A snapshot for dumps and tests. */
  statistics(): EventStatistics {
    return { tasksWaiting: this.#waiting.size };
  }
}
