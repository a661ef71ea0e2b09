// A rate limiter as somebody might write it, with at most one fault.

import { now, sleepUntil } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";

import { FaultySemaphore } from "./faulty-semaphore.ts";

export type RateLimiterFault =
  | "has a count that falls with each call"
  | "counts who was cancelled"
  | "has a tryAcquire that is a checkpoint"
  | "lets newcomers take what others wait for"
  | "lets one more happen as soon as its share of the interval is over"
  | "passes no checkpoint when it may happen"
  | "serves the newest first";

/** With no fault it is a good one. The first in line waits for the time, the others for the first. */
export class FaultyRateLimiter {
  readonly #fault: RateLimiterFault | null;
  readonly #limit: number;
  readonly #intervalMs: number;
  readonly #line: FaultySemaphore;
  #times: number[] = [];
  #calls = 0;

  constructor(limits: { limit: number; intervalMs: number }, fault: RateLimiterFault | null = null) {
    this.#fault = fault;
    this.#limit = limits.limit;
    this.#intervalMs = limits.intervalMs;
    this.#line = new FaultySemaphore(1, fault === "serves the newest first" ? fault : null);
  }

  get #next(): number {
    const last = this.#times.at(-1) ?? -Infinity;
    const first = this.#times.at(-this.#limit) ?? -Infinity;
    return this.#fault === "lets one more happen as soon as its share of the interval is over" &&
      first > now() - this.#intervalMs
      ? last + this.#intervalMs / this.#limit
      : first + this.#intervalMs;
  }

  get #isFree(): boolean {
    return this.#next <= now();
  }

  async acquire(): Promise<void> {
    this.#calls += 1;
    if (this.#fault === "passes no checkpoint when it may happen" && this.tryAcquire()) return;
    if (this.#fault === "counts who was cancelled") {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      const at = Math.max(now(), this.#next);
      this.#times.push(at);
      if (at > now()) await sleepUntil(at);
      return;
    }
    using _ = await this.#line.acquire();
    if (!this.#isFree) await sleepUntil(this.#next);
    this.#times.push(now());
  }

  tryAcquire(): boolean {
    if (this.#fault === "has a tryAcquire that is a checkpoint") enterCheckpoint()?.then(null, () => {});
    using first = this.#line.tryAcquire();
    const overtakes = this.#fault === "lets newcomers take what others wait for";
    if ((first === undefined && !overtakes) || !this.#isFree) return false;
    this.#times.push(now());
    return true;
  }

  statistics(): object {
    const recent = this.#times.filter((at) => at > now() - this.#intervalMs).length;
    return {
      recent,
      line: this.#line.statistics(),
      calls: this.#fault === "has a count that falls with each call" ? -this.#calls : this.#calls,
    };
  }
}
