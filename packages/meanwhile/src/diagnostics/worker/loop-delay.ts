// How late the event loop answers: the newest pings, for a minute at most.

import type { LoopStatistics } from "../protocol.ts";

const MOST = 4_096;
const WINDOW_MS = 60_000;

/** The delays of the last minute. */
export class LoopDelay {
  readonly #delays = new Float64Array(MOST);
  readonly #times = new Float64Array(MOST);
  #count = 0;

  /** A ping was answered, so late. */
  add(atMs: number, delayMs: number): void {
    const index = this.#count % MOST;
    this.#delays[index] = Math.max(0, delayMs);
    this.#times[index] = atMs;
    this.#count += 1;
  }

  /** What the delays were. All 0 if none is known. */
  statistics(nowMs: number): LoopStatistics {
    const kept = this.#delays
      .subarray(0, Math.min(this.#count, MOST))
      .filter((_, index) => (this.#times[index] as number) >= nowMs - WINDOW_MS)
      .toSorted();
    const at = (share: number): number => round(kept[Math.min(kept.length - 1, Math.floor(kept.length * share))] ?? 0);
    const sum = kept.reduce((total, delay) => total + delay, 0);
    return {
      maxMs: round(kept.at(-1) ?? 0),
      meanMs: round(kept.length === 0 ? 0 : sum / kept.length),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
    };
  }
}

/** Microseconds are enough, and shorter to send. */
export function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
