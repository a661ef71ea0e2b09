// A condition as somebody might write it, with at most one fault.

import { checkpoint, shield } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";

import { Line } from "./faulty-line.ts";
import { FaultySemaphore } from "./faulty-semaphore.ts";

export type ConditionFault =
  | "has a count that falls with each call"
  | "does not take the lock again"
  | "does not take the lock again when it was cancelled"
  | "keeps the lock while it waits"
  | "keeps the place of who was cancelled"
  | "loses a notification that meets a cancellation"
  | "notifies everybody"
  | "notifies the newest first"
  | "gives the lock back before it looks for the cancellation";

/** With no fault it is a good one. */
export class FaultyCondition {
  readonly #fault: ConditionFault | null;
  readonly #lock = new FaultySemaphore(1);
  readonly #line: Line;
  // What whoever holds the lock gives back.
  #held: Disposable | null = null;
  #calls = 0;

  constructor(fault: ConditionFault | null = null) {
    this.#fault = fault;
    this.#line = new Line("FaultyCondition.wait", {
      newestFirst: fault === "notifies the newest first",
      keepsCancelled: fault === "keeps the place of who was cancelled",
    });
  }

  async acquire(): Promise<Disposable> {
    this.#held = await this.#lock.acquire();
    return { [Symbol.dispose]: () => this.#giveBack() };
  }

  #giveBack(): void {
    const held = this.#held;
    this.#held = null;
    held?.[Symbol.dispose]();
  }

  #takeAgain(): Promise<void> {
    return shield(async () => {
      this.#held = await this.#lock.acquire();
    });
  }

  async wait(): Promise<void> {
    this.#calls += 1;
    const isEarly = this.#fault === "gives the lock back before it looks for the cancellation";
    if (isEarly) this.#giveBack();
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    // In the line before the lock is free.
    const notified = this.#line.wait(undefined);
    if (!isEarly && this.#fault !== "keeps the lock while it waits") this.#giveBack();
    try {
      await notified;
      if (this.#fault === "loses a notification that meets a cancellation") await checkpoint();
    } catch (error) {
      if (this.#fault !== "does not take the lock again when it was cancelled") await this.#takeAgain();
      throw error;
    }
    if (this.#fault !== "does not take the lock again") await this.#takeAgain();
  }

  notify(count = 1): void {
    const most = this.#fault === "notifies everybody" ? Infinity : count;
    for (let woken = 0; woken < most && this.#line.wake(); woken++);
  }

  notifyAll(): void {
    this.notify(Infinity);
  }

  statistics(): object {
    return {
      waiting: this.#line.length,
      calls: this.#fault === "has a count that falls with each call" ? -this.#calls : this.#calls,
    };
  }
}
