// Real time: monotonic milliseconds, and one Node timer for the earliest deadline.

import type { Clock } from "./clock.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { setTimeout, clearTimeout, performance } = globalThis;

/** Node's longest timer; a longer one would fire at once. The alarm then rings early, which it may. */
const LONGEST_MS = 2_147_483_647;

/** The clock of every run that is not given another one. Its alarm keeps the process alive. */
export class SystemClock implements Clock {
  readonly resolutionMs = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  now(): number {
    return performance.now();
  }

  setAlarm(deadline: number, ring: () => void): void {
    clearTimeout(this.#timer);
    const wait = Math.ceil(deadline - performance.now());
    this.#timer = setTimeout(ring, Math.min(Math.max(wait, 1), LONGEST_MS));
  }

  clearAlarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
