// The hosts that could start a request, in turn: that is the fairness.

import { now } from "meanwhile";

import { Chain } from "./chain.ts";
import type { Host } from "./host.ts";
import { Pace } from "./pace.ts";
import type { Target } from "./target.ts";

export interface HostRingOptions {
  /** Starts per second at each host. */
  readonly perHostRatePerSecond: number;
  readonly later: (delayMs: number, callback: () => void) => void;
  /** Called when a host that waited for its pace need not wait any more. */
  readonly onDue: (host: Host) => void;
}

export class HostRing {
  // Each host at most once; the one served goes to the end.
  readonly #ring = new Chain<Host>();
  readonly #pace: Pace;
  readonly #options: HostRingOptions;

  constructor(options: HostRingOptions) {
    this.#options = options;
    this.#pace = new Pace(options.perHostRatePerSecond);
  }

  get isEmpty(): boolean {
    return this.#ring.isEmpty;
  }

  /** Puts the host in if it could start a request now. */
  enter(host: Host): void {
    if (host.isInRing || mustWait(host) || isFull(host) || host.queue.isEmpty) return;
    host.isInRing = true;
    this.#ring.push(host);
  }

  /** The next target of the first host; null if that host has to wait after all. */
  take(): Target | null {
    const host = this.#ring.shift();
    if (host === null) return null;
    host.isInRing = false;
    // Since it entered: it was paused, it was allowed less, its pace is not there yet. Each puts it back in its time.
    if (mustWait(host) || isFull(host) || this.#waitsForPace(host)) return null;
    const target = host.queue.shift();
    if (target !== null) {
      host.active += 1;
      host.queued -= 1;
    }
    this.enter(host);
    return target;
  }

  /** Whether the host must not start anything yet by its pace; it is told when it may. */
  waitForPace(host: Host): boolean {
    const delayMs = host.nextStartAt - now();
    if (delayMs <= 0) return false;
    host.isPacing = true;
    this.#options.later(delayMs, () => {
      host.isPacing = false;
      this.enter(host);
      this.#options.onDue(host);
    });
    return true;
  }

  #waitsForPace(host: Host): boolean {
    if (host.isRefusing || this.#pace.isUnlimited) return false;
    if (this.waitForPace(host)) return true;
    if (!host.queue.isEmpty) host.nextStartAt = this.#pace.after(host.nextStartAt, now());
    return false;
  }
}

function mustWait(host: Host): boolean {
  if (host.isRefusing) return false;
  return host.isPacing || host.isPaused || host.mode === "deferred";
}

function isFull(host: Host): boolean {
  return host.active >= host.allowed && !host.isRefusing;
}
