// Why a run ends before its end, and what becomes of the URLs then.

import { now } from "meanwhile";
import { ParkingLot, suspend, type Waiter, wakeAt } from "meanwhile/lowlevel";

import type { Host } from "./host.ts";
import type { Failure } from "./record.ts";

/** Why a run ends before its end. */
export interface Stop {
  /** As the summary says it. */
  readonly by: string;
  readonly exitCode: number;
  /** What requests that run are given to end. */
  readonly graceMs: number;
  /** What is said about it on stderr. */
  readonly message?: string;
}

/** Carries the reason from whoever has one to the task that ends the run. */
export class StopSwitch {
  readonly #asked = new ParkingLot({ describe: () => "a reason to stop" });
  #reason: Stop | undefined;
  #endsAt = Infinity;
  #over: Waiter<void> | null = null;

  get reason(): Stop | undefined {
    return this.#reason;
  }

  /** Only the first reason counts; a later one may leave those that run less time. */
  turn(reason: Stop): void {
    const endsAt = now() + reason.graceMs;
    if (this.#reason !== undefined && endsAt >= this.#endsAt) return;
    this.#reason ??= reason;
    this.#endsAt = endsAt;
    this.#asked.unparkAll();
    this.#over?.wake();
  }

  /**
   * Waits for a reason.
   *
   * Cancellation: safe.
   */
  async whenTurned(): Promise<Stop> {
    while (this.#reason === undefined) await this.#asked.park();
    return this.#reason;
  }

  /**
   * Waits until those that run have had their time.
   *
   * Cancellation: safe.
   */
  async whenOver(): Promise<void> {
    await this.whenTurned();
    while (now() < this.#endsAt) {
      await suspend<void>((waiter) => {
        this.#over = waiter;
        wakeAt(waiter, this.#endsAt);
        return undefined;
      }, OVER);
    }
    this.#over = null;
  }
}

const OVER = { describe: () => "what still runs to end" };

/** What the record of a URL says that was under way. */
export const CANCELLED: Failure = { code: "cancelled", message: "the run was stopped" };

/** What it says where a host wants to be left alone for longer than anybody waits. */
export const RATE_LIMITED: Failure = {
  code: "rate_limited",
  message: "the host wants to be left alone for longer than --retry-max-time",
};
const BROKEN: Failure = {
  code: "policy_blocked",
  message: "the host has failed too often in a row (--max-host-errors)",
};

/** Why the URLs of a host are not requested; undefined if they are. */
export function refusalOf({ mode }: Host): Failure | undefined {
  if (mode === "broken") return BROKEN;
  return mode === "refusing" ? RATE_LIMITED : undefined;
}
