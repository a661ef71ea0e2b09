// An event as somebody might write it, with at most one fault.

import { checkpoint } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";

import { Line } from "./faulty-line.ts";

export type EventFault =
  | "has a count that falls with each call"
  | "does not remember that it was set"
  | "forgets those who wait when it is unset"
  | "keeps the flag when it is unset"
  | "looks again when it was woken"
  | "passes no checkpoint when it is set"
  | "stops waking at one who was cancelled"
  | "wakes one after the other"
  | "wakes only one";

/** With no fault it is a good one. */
export class FaultyEvent {
  readonly #fault: EventFault | null;
  readonly #line: Line;
  #isSet = false;
  #calls = 0;

  constructor(fault: EventFault | null = null) {
    this.#fault = fault;
    this.#line = new Line("FaultyEvent.wait", { keepsCancelled: fault === "stops waking at one who was cancelled" });
  }

  set(): void {
    this.#isSet = this.#fault !== "does not remember that it was set";
    if (this.#fault === "wakes only one" || this.#fault === "wakes one after the other") this.#line.wake();
    else if (this.#fault === "stops waking at one who was cancelled") while (this.#line.next()?.waiter.wake() === true);
    else this.#line.wakeAll();
  }

  clear(): void {
    if (this.#fault !== "keeps the flag when it is unset") this.#isSet = false;
    if (this.#fault === "forgets those who wait when it is unset") while (this.#line.next() !== undefined);
  }

  async wait(): Promise<void> {
    this.#calls += 1;
    if (!(this.#isSet && this.#fault === "passes no checkpoint when it is set")) {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
    }
    while (!this.#isSet) {
      await this.#line.wait(undefined);
      if (this.#fault === "looks again when it was woken") continue;
      if (this.#fault === "wakes one after the other") {
        await checkpoint();
        this.#line.wake();
      }
      return;
    }
  }

  statistics(): object {
    return {
      waiting: this.#line.length,
      calls: this.#fault === "has a count that falls with each call" ? -this.#calls : this.#calls,
    };
  }
}
