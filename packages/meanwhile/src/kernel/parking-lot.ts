// A fair queue of waiting tasks, safe under cancellation: the base of everything in sync/.

import { LinkedList, type Linked } from "../util/linked-list.ts";
import { suspend, type Waiter, type WaitTarget } from "./suspend.ts";

/** One who waits in the lot. */
class Parked<T, Cargo> implements Linked<Parked<T, Cargo>> {
  previous: Parked<T, Cargo> | null = null;
  next: Parked<T, Cargo> | null = null;
  list: object | null = null;
  readonly waiter: Waiter<T>;
  readonly cargo: Cargo;

  constructor(waiter: Waiter<T>, cargo: Cargo) {
    this.waiter = waiter;
    this.cargo = cargo;
  }
}

/**
 * Where tasks wait until another one wakes them, the longest waiter first. A woken task has what it was given: a
 * cancellation that comes later in the same turn does not take it back.
 *
 * @see {@link https://trio.readthedocs.io/en/stable/reference-lowlevel.html#trio.lowlevel.ParkingLot}
 *
 * @example
 * ```ts
 * import { gather } from "meanwhile";
 * import { ParkingLot } from "meanwhile/lowlevel";
 *
 * const lot = new ParkingLot<string>({ describe: () => "the gate" });
 * await gather([
 *   async () => console.log(await lot.park()), //> come in
 *   async () => lot.unpark("come in"),
 * ]);
 * ```
 */
export class ParkingLot<T = void, Cargo = undefined> {
  // Invariant: no waiter in here is settled; a cancelled one leaves in its abort function.
  readonly #parked = new LinkedList<Parked<T, Cargo>>();
  readonly #target: WaitTarget;

  /** @param target - what the tasks wait for, for dumps and for finding wait cycles */
  constructor(target: WaitTarget) {
    this.#target = target;
  }

  /** How many tasks wait. */
  get size(): number {
    return this.#parked.size;
  }

  /**
   * Waits until this task is the longest waiter and somebody calls {@link unpark}.
   *
   * Cancellation: safe. The task loses its place and takes nothing; its cargo leaves with it.
   *
   * @param cargo - what the task brings along for whoever wakes it
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  park(...[cargo]: Cargo extends undefined ? [] : [cargo: Cargo]): Promise<T> {
    return suspend<T>((waiter) => {
      const parked = new Parked<T, Cargo>(waiter, cargo as Cargo);
      this.#parked.push(parked);
      return () => void this.#parked.remove(parked);
    }, this.#target);
  }

  /** What the longest waiter has brought along; undefined if nobody waits. */
  peek(): Cargo | undefined {
    return this.#parked.first?.cargo;
  }

  /** Wakes the longest waiter and gives it `value`. False if nobody waits. */
  unpark(value: T): boolean {
    const parked = this.#parked.shift();
    if (parked === null) return false;
    parked.waiter.wake(value);
    return true;
  }

  /** Wakes everybody who waits now. Returns how many that were. */
  unparkAll(value: T): number {
    const count = this.#parked.size;
    for (let i = 0; i < count; i++) this.unpark(value);
    return count;
  }

  /** Ends the wait of everybody who waits now with an error, made anew for each. */
  failAll(makeError: () => unknown): void {
    for (let parked = this.#parked.shift(); parked !== null; parked = this.#parked.shift()) {
      parked.waiter.failWith(makeError);
    }
  }
}
