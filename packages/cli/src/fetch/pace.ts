// Spaces the starts of requests evenly: `--rate` and `--per-host-rate`.

// How far behind its plan a pace may fall and still catch up; timers and a busy loop are late by a few milliseconds.
const CATCH_UP_MS = 20;

export class Pace {
  readonly #intervalMs: number;
  #nextAt = -Infinity;

  /** @param perSecond - starts per second; `Infinity` is no limit */
  constructor(perSecond: number) {
    this.#intervalMs = 1_000 / perSecond;
  }

  get isUnlimited(): boolean {
    return this.#intervalMs === 0;
  }

  /** How many milliseconds the next start is away; 0 or less is now. */
  delayMs(now: number): number {
    return this.#intervalMs === 0 ? 0 : this.#nextAt - now;
  }

  /** Something starts now. */
  start(now: number): void {
    this.#nextAt = this.after(this.#nextAt, now);
  }

  /** When the next start is due if the last one was due at `plannedAt` and is made now. */
  after(plannedAt: number, now: number): number {
    return Math.max(plannedAt, now - CATCH_UP_MS) + this.#intervalMs;
  }
}
