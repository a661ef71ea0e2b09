// How many requests of a session may be second ones: when a host is down, trying again three times by everybody would be
// three times its load just when it can bear it least.

import { now } from "meanwhile";

/** How many retries are allowed, of the requests to one host. */
export interface RetryBudget {
  /** Retries per request. Default: 0.1. */
  readonly ratio?: number | undefined;
  /** Retries that are always allowed within the window, so that few requests can be tried again too. Default: 10. */
  readonly min?: number | undefined;
  /** Milliseconds that are looked back on. Default: 60 000. */
  readonly windowMs?: number | undefined;
}

const SLICES = 6;
const MOST_HOSTS = 1_000;

/** Counts by slices of the window: what is older goes a slice at a time. */
class Counts {
  // Invariant: #slice is the newest slice of time that was counted in; older ones are in the arrays for SLICES - 1 more.
  readonly #sliceMs: number;
  readonly #requests = new Float64Array(SLICES);
  readonly #retries = new Float64Array(SLICES);
  #slice = 0;

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
  }

  requested(): void {
    this.#add(this.#requests);
  }

  /** Whether one more retry is within the budget; if so, it is counted. */
  mayRetry(ratio: number, min: number): boolean {
    this.#turn();
    const sum = (counts: Float64Array): number => counts.reduce((total, count) => total + count, 0);
    if (sum(this.#retries) >= Math.max(min, Math.floor(sum(this.#requests) * ratio))) return false;
    this.#add(this.#retries);
    return true;
  }

  #add(counts: Float64Array): void {
    const at = this.#turn();
    counts[at] = (counts[at] ?? 0) + 1;
  }

  /** Empties the slices that time has passed over, and says which one is now. */
  #turn(): number {
    const current = Math.floor(now() / this.#sliceMs);
    for (let slice = Math.max(this.#slice + 1, current - SLICES + 1); slice <= current; slice++) {
      this.#requests[slice % SLICES] = 0;
      this.#retries[slice % SLICES] = 0;
    }
    this.#slice = Math.max(this.#slice, current);
    return this.#slice % SLICES;
  }
}

export class RetryBudgets {
  readonly #hosts = new Map<string, Counts>();

  /** Counts a first attempt. */
  requested(origin: string, { windowMs = 60_000 }: RetryBudget): void {
    let counts = this.#hosts.get(origin);
    if (counts === undefined) {
      // The oldest goes: a crawl of many hosts comes back to few of them.
      if (this.#hosts.size >= MOST_HOSTS) for (const old of this.#hosts.keys()) if (this.#hosts.delete(old)) break;
      this.#hosts.set(origin, (counts = new Counts(windowMs)));
    }
    counts.requested();
  }

  /** Whether a retry is within the budget; if so, it is counted. */
  mayRetry(origin: string, { ratio = 0.1, min = 10 }: RetryBudget): boolean {
    return this.#hosts.get(origin)?.mayRetry(ratio, min) ?? true;
  }
}
