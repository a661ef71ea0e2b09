// A queue as somebody might write it, with at most one fault.

import { checkpoint } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";

import { Line } from "./faulty-line.ts";

export type QueueFault =
  | "adds the item of a put that was cancelled"
  | "has a count that falls with each call"
  | "drops what is queued when it is closed"
  | "gives the newest first"
  | "has a tryGet that is a checkpoint"
  | "holds one item too many"
  | "keeps the place of a get that was cancelled"
  | "leaves gets waiting when it is closed"
  | "lets newcomers get what was put"
  | "lets newcomers put where there is room"
  | "loses an item that meets a cancellation"
  | "loses room that meets a cancellation"
  | "passes no checkpoint when there is room"
  | "serves the newest get first"
  | "serves the newest put first"
  | "wakes nobody after a tryGet";

/** With no fault it is a good one. */
export class FaultyQueue {
  readonly #fault: QueueFault | null;
  readonly #maxSize: number;
  readonly #items: number[] = [];
  readonly #gets: Line<number>;
  readonly #puts: Line<void, number>;
  // Room that was promised to puts that have not gone on yet; only if they add their items themselves.
  #promised = 0;
  #isClosed = false;
  #calls = 0;

  constructor(maxSize: number, fault: QueueFault | null = null) {
    this.#fault = fault;
    this.#maxSize = fault === "holds one item too many" ? maxSize + 1 : maxSize;
    this.#gets = new Line("FaultyQueue.get", {
      newestFirst: fault === "serves the newest get first",
      keepsCancelled: fault === "keeps the place of a get that was cancelled",
    });
    this.#puts = new Line("FaultyQueue.put", {
      newestFirst: fault === "serves the newest put first",
      keepsCancelled: fault === "adds the item of a put that was cancelled",
    });
  }

  get #hasRoom(): boolean {
    return this.#items.length + this.#promised < this.#maxSize;
  }

  async put(item: number): Promise<void> {
    if (!(this.#hasRoom && this.#fault === "passes no checkpoint when there is room")) {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
    }
    this.#calls += 1;
    if (this.#isClosed) throw new Error("closed");
    while (!this.#hasRoom) {
      await this.#puts.wait(item);
      if (this.#fault === "lets newcomers put where there is room") continue;
      if (this.#fault !== "loses room that meets a cancellation") return; // whoever made room has added the item
      await checkpoint();
      this.#promised -= 1;
      break;
    }
    this.#add(item);
  }

  #add(item: number): void {
    if (this.#fault === "lets newcomers get what was put") {
      this.#items.push(item);
      this.#gets.wake(Number.NaN);
    } else if (!this.#gets.wake(item)) this.#items.push(item);
  }

  async get(): Promise<number> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    while (this.#items.length === 0) {
      if (this.#isClosed) throw new Error("closed");
      const item = await this.#gets.wait(undefined);
      if (this.#fault === "lets newcomers get what was put") continue;
      if (this.#fault === "loses an item that meets a cancellation") await checkpoint();
      return item;
    }
    return this.#take(true);
  }

  #take(letsPutsIn: boolean): number {
    const item = (this.#fault === "gives the newest first" ? this.#items.pop() : this.#items.shift()) ?? Number.NaN;
    const put = letsPutsIn ? this.#puts.next() : undefined;
    if (put !== undefined) {
      if (this.#fault === "loses room that meets a cancellation") this.#promised += 1;
      else if (this.#fault !== "lets newcomers put where there is room") this.#add(put.cargo);
      put.waiter.wake();
    }
    return item;
  }

  tryPut(item: number): boolean {
    if (!this.#hasRoom) return false;
    this.#add(item);
    return true;
  }

  tryGet(): number | undefined {
    if (this.#fault === "has a tryGet that is a checkpoint") enterCheckpoint()?.then(null, () => {});
    if (this.#items.length === 0) return undefined;
    return this.#take(this.#fault !== "wakes nobody after a tryGet");
  }

  close(): void {
    this.#isClosed = true;
    if (this.#fault !== "leaves gets waiting when it is closed") this.#gets.failAll("closed");
    this.#puts.failAll("closed");
    if (this.#fault === "drops what is queued when it is closed") this.#items.length = 0;
  }

  statistics(): object {
    const calls = this.#fault === "has a count that falls with each call" ? -this.#calls : this.#calls;
    return { size: this.#items.length, gets: this.#gets.length, puts: this.#puts.length, calls };
  }
}
