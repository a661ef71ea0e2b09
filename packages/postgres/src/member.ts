// One connection of a pool, and who has it.
//
//   opening ──▶ held ◀──▶ idle
//      │         │ ▲        │
//      │         ▼ │        │
//      │     resetting      │
//      └─────────┴──────────┴──▶ gone
//
// One that is opening has no object yet: the pool counts it.

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
    const statement = typeof place === "string" ? place : undefined;
    const where = typeof place === "string" ? "a call of the pool" : lineOf(place);
    const whose = task === null ? "" : ` in task ${task.id} "${task.name}"${task.done ? ", which has ended" : ""}`;
    return { heldMs: Math.round(now - this.since), acquiredAt: `${where}${whose}`, statement };
  }
}

const UNKNOWN_PLACE = "a place that is not known";

/** Notes who calls `callee`. One line, because each costs; with `MEANWHILE_DEBUG=1` as many as V8 gives. */
export function placeOfCall(callee: (...args: never[]) => unknown): Place {
  const place: { stack?: string } = {};
  if (isDebug) {
    Error.captureStackTrace(place, callee);
    return place;
  }
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(place, callee);
  Error.stackTraceLimit = stackTraceLimit;
  return place;
}

const isDebug = process.env["MEANWHILE_DEBUG"] === "1";

/** The line of a stack that a place stands for. */
export function lineOf(place: Place): string {
  if (typeof place === "string") return place;
  const [, first] = place.stack?.split("\n") ?? [];
  return first?.trim().replace(/^at (?:async )?/, "") ?? UNKNOWN_PLACE;
}
