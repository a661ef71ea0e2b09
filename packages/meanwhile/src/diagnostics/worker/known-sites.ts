// Places that have blocked the loop: which were told lately, and whether another look is worth what it costs.

import type { Place } from "../protocol.ts";

/** The same place is told at most once in this time. */
const QUIET_MS = 10_000;

/** How many looks may find nothing new, one after the other. */
const MOST_IN_VAIN = 3;

/** Then it is one in this time. */
const PAUSE_MS = 1_000;

/** How many places are remembered. */
const MOST_SITES = 256;

interface Site {
  toldAt: number;
  repeated: number;
}

/** What is said of a place that is told. */
export interface Rated {
  /** How many blocks there were here since it was told last. */
  readonly repeated: number;
  /** How many blocks there were, here or elsewhere, at which nobody looked. */
  readonly unseen: number;
}

/** Remembers places by file and line. */
export class KnownSites {
  readonly #sites = new Map<string, Site>();
  #looks = MOST_IN_VAIN;
  #lastAt = 0;
  #unseen = 0;

  /** Whether to look now. If not, the block counts as unseen. */
  mayLook(now: number): boolean {
    this.#looks = Math.min(MOST_IN_VAIN, this.#looks + (now - this.#lastAt) / PAUSE_MS);
    this.#lastAt = now;
    if (this.#looks >= 1) return true;
    this.#unseen += 1;
    return false;
  }

  /** Takes what a look has found; null if it was told lately. */
  rate({ file, line }: Place, now: number): Rated | null {
    const key = `${file}:${line}`;
    const known = this.#sites.get(key);
    if (known !== undefined && now - known.toldAt < QUIET_MS) {
      known.repeated += 1;
      this.#looks -= 1;
      return null;
    }
    const rated = { repeated: known?.repeated ?? 0, unseen: this.#unseen };
    this.#unseen = 0;
    this.#sites.delete(key);
    this.#sites.set(key, { toldAt: now, repeated: 0 });
    if (this.#sites.size > MOST_SITES) this.#sites.delete(this.#sites.keys().next().value as string);
    return rated;
  }
}
