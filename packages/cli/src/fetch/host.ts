// What a schedule knows of a host: its targets, how many of them may be requested at once, and when.
//
//   open ──asks for a short rest──▶ open, paused
//    │ └──asks for a long one──▶ deferred ──the rest of the run is done──▶ refusing
//    │                              └──────its time has come──────▶ open ◀───┘
//    └──fails too often in a row──▶ broken                                              (final)

import { Chain } from "./chain.ts";
import type { Target } from "./target.ts";

/** `deferred`: its targets wait for the end of the run. `refusing`, `broken`: they are handed out to be refused. */
export type HostMode = "open" | "deferred" | "refusing" | "broken";

/** The targets of one origin. */
export class Host {
  next: Host | null = null;
  readonly queue: Chain<Target> = new Chain();
  readonly origin: string;
  /** Name and port, as records have it. */
  readonly name: string;
  mode: HostMode = "open";
  /** Targets that are queued, active or postponed. */
  pending = 0;
  /** Those in {@link queue}. */
  queued = 0;
  active = 0;
  /** How many may be active. */
  allowed: number;
  /** No request is made before this time. */
  pausedUntil: number = -Infinity;
  /** When the next start is due by the pace of the host. */
  nextStartAt: number = -Infinity;
  /** Whether it waits for that. */
  isPacing = false;
  /** Answers since `allowed` was changed. */
  successes = 0;
  /** When `allowed` was halved. */
  halvedAt: number = -Infinity;
  /** Attempts in a row without an answer. */
  errorsInRow = 0;
  /** When it answered last. */
  answeredAt: number = -Infinity;
  // Invariant: in the ring at most once.
  isInRing = false;

  constructor(origin: string, allowed: number) {
    this.origin = origin;
    this.name = origin.slice(origin.indexOf("//") + 2);
    this.allowed = allowed;
  }

  get isPaused(): boolean {
    return this.pausedUntil !== -Infinity;
  }

  /** Whether its targets are handed out only to be refused. */
  get isRefusing(): boolean {
    return this.mode === "refusing" || this.mode === "broken";
  }
}
