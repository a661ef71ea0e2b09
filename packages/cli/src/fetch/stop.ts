// Why a run ends before its end, and what becomes of the URLs then.

import { ParkingLot } from "meanwhile/lowlevel";

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

  get reason(): Stop | undefined {
    return this.#reason;
  }

  /** Only the first reason counts. */
  turn(reason: Stop): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#asked.unparkAll();
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
}

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
