// One connection of a pool, and who has it.
//
//   opening ──▶ held ◀──▶ idle
//      │         │ ▲        │
//      │         ▼ │        │
//      │     resetting      │
//      └─────────┴──────────┴──▶ gone
//
// One that is opening has no object yet: openings.ts counts it.

import { currentScopeNode, type Task } from "meanwhile/lowlevel";

import type { ConnectionHolder } from "./errors.ts";
import type { Link } from "./link.ts";

export type MemberState = "held" | "resetting" | "idle" | "gone";

/** Where it was acquired: something with a stack, or the statement that a call of the pool runs. */
export type Place = string | { readonly stack?: string };

const { performance } = globalThis;

export class Member {
  // Invariant: `place` and `task` say who has it while it is held or resetting.
  state: MemberState = "held";
  readonly link: Link;
  readonly openedAt: number = performance.now();
  /** Since when it is in its state. */
  since = 0;
  /** How often it was given out. */
  uses = 0;
  /** Whether it is not to be used again. */
  isExpired = false;
  /** Whether its user may have changed the session. */
  isTouched = false;
  place: Place = "";
  /** The object its user has; null if there is none, or if it is watched. */
  borrower: object | null = null;
  task: Task<unknown> | null = null;

  constructor(link: Link) {
    this.link = link;
  }

  /** Gives it to the running task. */
  holdAt(place: Place): void {
    this.state = "held";
    this.since = performance.now();
    this.uses += 1;
    this.place = place;
    this.task = currentScopeNode().task;
  }

  /** Nobody has it any more: what it knew of its holder could keep that in memory. */
  leave(state: "idle" | "gone", at: number = performance.now()): void {
    this.state = state;
    this.since = at;
    this.place = "";
    this.borrower = null;
    this.task = null;
  }

  /** Who has it. */
  holder(now: number): ConnectionHolder {
    const { place, task } = this;
    const running = this.state === "held" ? this.link.running : null;
    const statement = typeof place === "string" ? place : (running ?? undefined);
    const where = typeof place === "string" ? "a call of the pool" : lineOf(place);
    const whose = task === null ? "" : ` in task ${task.id} "${task.name}"${task.done ? ", which has ended" : ""}`;
    return { heldMs: Math.round(now - this.since), acquiredAt: `${where}${whose}`, statement };
  }
}

const UNKNOWN_PLACE = "a place that is not known";

/**
 * Notes who calls the function that calls this one. Each acquire pays for it, more than for all the rest, so that any can be
 * named that is not given back: three frames and no more, of which the text is made only when it is read. With
 * `MEANWHILE_DEBUG=1` it has as many as V8 gives.
 */
export function placeOfCall(): Place {
  if (isDebug) return new Error();
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = OUR_FRAMES + 1;
  const place = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return place;
}

const isDebug = process.env["MEANWHILE_DEBUG"] === "1";
/** `placeOfCall`, and who calls it. */
const OUR_FRAMES = 2;

/** The line of a stack that a place stands for. */
export function lineOf(place: Place): string {
  if (typeof place === "string") return place;
  const frames = String(place.stack)
    .split("\n")
    .map((line) => line.trim());
  const frame = frames.filter((line) => line.startsWith("at "))[OUR_FRAMES];
  return frame?.replace(/^at (?:async )?/, "") ?? UNKNOWN_PLACE;
}
