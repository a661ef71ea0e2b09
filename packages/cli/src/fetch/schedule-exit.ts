// Where targets leave a schedule: handed to those who wait for one, at the pace of the run.

import { now } from "meanwhile";
import { ParkingLot } from "meanwhile/lowlevel";

import type { HostRing } from "./host-ring.ts";
import { Pace } from "./pace.ts";
import type { Target } from "./target.ts";

export interface ScheduleExitOptions {
  /** Starts per second, of all hosts together. */
  readonly ratePerSecond: number;
  readonly later: (delayMs: number, callback: () => void) => void;
}

export class ScheduleExit {
  readonly #ring: HostRing;
  readonly #options: ScheduleExitOptions;
  readonly #pace: Pace;
  readonly #idle = new ParkingLot<Target | null>({ describe: () => "a URL to fetch" });
  // Whether it is called back when the pace allows the next start.
  #isCalledBack = false;

  constructor(ring: HostRing, options: ScheduleExitOptions) {
    this.#ring = ring;
    this.#options = options;
    this.#pace = new Pace(options.ratePerSecond);
  }

  /** How many wait in {@link wait}. */
  get waiting(): number {
    return this.#idle.size;
  }

  /** The next target that may be started now. */
  next(): Target | undefined {
    const time = now();
    while (!this.#ring.isEmpty) {
      const delayMs = this.#pace.delayMs(time);
      if (delayMs > 0) return this.#serveAfter(delayMs);
      const target = this.#ring.take();
      if (target === null) continue;
      if (!target.host.isRefusing) this.#pace.start(time);
      return target;
    }
    return undefined;
  }

  /**
   * Waits for the next target; null when there will be none.
   *
   * Cancellation: a call that throws has taken no target.
   */
  wait(): Promise<Target | null> {
    return this.#idle.park();
  }

  /** Hands what is ready to those who wait for it. */
  serve(): void {
    while (this.#idle.size > 0) {
      const target = this.next();
      if (target === undefined) return;
      this.#idle.unpark(target);
    }
  }

  /** Tells those who wait that there will be no more. */
  close(): void {
    this.#idle.unparkAll(null);
  }

  #serveAfter(delayMs: number): undefined {
    if (this.#isCalledBack) return;
    this.#isCalledBack = true;
    this.#options.later(delayMs, () => {
      this.#isCalledBack = false;
      this.serve();
    });
  }
}
