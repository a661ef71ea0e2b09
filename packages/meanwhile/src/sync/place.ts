// The place of one who waits, for primitives that do with their queue what a ParkingLot does not: take somebody out of the
// middle, or notice that the last one has left.

import type { Waiter } from "../lowlevel.ts";
import type { Linked } from "../util/linked-list.ts";

/** One who waits for a value, and what the one has brought along. */
export class Place<T, Cargo> implements Linked<Place<T, Cargo>> {
  previous: Place<T, Cargo> | null = null;
  next: Place<T, Cargo> | null = null;
  list: object | null = null;
  readonly waiter: Waiter<T>;
  readonly cargo: Cargo;

  constructor(waiter: Waiter<T>, cargo: Cargo) {
    this.waiter = waiter;
    this.cargo = cargo;
  }
}
