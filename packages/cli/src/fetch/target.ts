// One URL to fetch, and what a schedule knows of its host.

import { Chain } from "./chain.ts";

/** The targets of one origin. */
export class Host {
  next: Host | null = null;
  readonly queue: Chain<Target> = new Chain();
  readonly origin: string;
  /** Targets that are queued, active or postponed. */
  pending = 0;
  active = 0;
  /** No request is made before this time. */
  pausedUntil: number = -Infinity;
  /** Whether the pause is longer than anybody waits: its targets are handed out only to be refused. */
  isRefusing = false;
  // Invariant: in the ring at most once.
  isInRing = false;

  constructor(origin: string) {
    this.origin = origin;
  }

  get isPaused(): boolean {
    return this.pausedUntil !== -Infinity;
  }
}

const NOWHERE = new Host("");

/** One URL of the list. */
export class Target {
  next: Target | null = null;
  /** Set when it enters a schedule. */
  host: Host = NOWHERE;
  /** How often it was requested. */
  attempts = 0;
  /** Counted from 1. */
  readonly index: number;
  /** As it stands in the list. May hold a password: see `shownUrl`. */
  readonly text: string;
  /** Its scheme, name and port. Not the whole URL: thousands of them wait at a time. */
  readonly origin: string;

  constructor(index: number, text: string, origin: string) {
    this.index = index;
    this.text = text;
    this.origin = origin;
  }
}
