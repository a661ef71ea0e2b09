// A semaphore as somebody might write it, with at most one fault.

import { checkpoint } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";

import { Line } from "./faulty-line.ts";

export type SemaphoreFault =
  | "has a count that falls with each call"
  | "gives out one permit too many"
  | "has a tryAcquire that is a checkpoint"
  | "keeps the place of who was cancelled"
  | "lets newcomers take what was given back"
  | "looks for the cancellation after it has taken the permit"
  | "loses the permit of a waiter that is cancelled after the hand-over"
  | "passes no checkpoint when a permit is free"
  | "serves the newest first"
  | "takes permits back as often as they come"
  | "wakes nobody for a permit of tryAcquire";

/** With no fault it is a good one. */
export class FaultySemaphore {
  readonly #fault: SemaphoreFault | null;
  readonly #line: Line;
  #free: number;
  #calls = 0;

  constructor(permits: number, fault: SemaphoreFault | null = null) {
    this.#fault = fault;
    this.#free = fault === "gives out one permit too many" ? permits + 1 : permits;
    this.#line = new Line("FaultySemaphore.acquire", {
      newestFirst: fault === "serves the newest first",
      keepsCancelled: fault === "keeps the place of who was cancelled",
    });
  }

  async acquire(): Promise<Disposable> {
    this.#calls += 1;
    const isFree = this.#free > 0;
    if (isFree && this.#fault === "looks for the cancellation after it has taken the permit") {
      this.#free -= 1;
      await checkpoint();
      return this.#permit();
    }
    if (!(isFree && this.#fault === "passes no checkpoint when a permit is free")) {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
    }
    while (this.#free === 0) {
      await this.#line.wait(undefined);
      // It was handed over: nobody has counted it as free. Unless it only was said that one is.
      if (this.#fault === "lets newcomers take what was given back") continue;
      if (this.#fault === "loses the permit of a waiter that is cancelled after the hand-over") await checkpoint();
      return this.#permit();
    }
    this.#free -= 1;
    return this.#permit();
  }

  tryAcquire(): Disposable | undefined {
    if (this.#fault === "has a tryAcquire that is a checkpoint") enterCheckpoint()?.then(null, () => {});
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    return this.#permit(this.#fault !== "wakes nobody for a permit of tryAcquire");
  }

  #permit(wakes = true): Disposable {
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld && this.#fault !== "takes permits back as often as they come") return;
        isHeld = false;
        this.#takeBack(wakes);
      },
    };
  }

  #takeBack(wakes: boolean): void {
    const isTaken = wakes && this.#line.wake(undefined);
    if (!isTaken || this.#fault === "lets newcomers take what was given back") this.#free += 1;
  }

  statistics(): object {
    const calls = this.#fault === "has a count that falls with each call" ? -this.#calls : this.#calls;
    return { free: this.#free, waiting: this.#line.length, calls };
  }
}
