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

import { withoutPasswords } from "./error-privacy.ts";
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
    return {
      heldMs: Math.round(now - this.since),
      acquiredAt: `${where}${whose}`,
      statement: statement && withoutPasswords(statement),
    };
  }
}

const UNKNOWN_PLACE = "a place that is not known";

const isDebug = process.env["MEANWHILE_DEBUG"] === "1";
/** `placeOfCall`, and who calls it. */
const OUR_FRAMES = 2;
/** How many places are noted in a window, which is 100 000 a second: with a query in between no program comes near. */
const MOST_NOTED = 1_000;
const WINDOW_MS = 10;

/** Of all acquires beyond that. */
const NOT_NOTED: Place = {};

let toBeNoted = MOST_NOTED;
let windowFrom = performance.now();

/**
 * Notes who calls the function that calls this one, so that any connection can be named that is not given back: three frames
 * and no more, of which the text is made only when it is read. That is more than all the rest of an acquire costs, so it has
 * a bound; a loop that does nothing but acquire is beyond it (bench/README.md, `postgres-acquire`). With `MEANWHILE_DEBUG=1`
 * there is none, and as many frames as V8 gives.
 */
export function placeOfCall(): Place {
  if (isDebug) return new Error();
  if (toBeNoted === 0 && !isNextWindow()) return NOT_NOTED;
  toBeNoted -= 1;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = OUR_FRAMES + 1;
  const place = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return place;
}

/** Asked only when all of a window is used up: until then no clock is read. */
function isNextWindow(): boolean {
  const at = performance.now();
  if (at - windowFrom < WINDOW_MS) return false;
  windowFrom = at;
  toBeNoted = MOST_NOTED;
  return true;
}

/** The line of a stack that a place stands for. */
export function lineOf(place: Place): string {
  if (typeof place === "string") return place;
  if (place === NOT_NOTED) {
    return "a place that was not noted (more than 100 000 acquires a second; MEANWHILE_DEBUG=1 notes all)";
  }
  const frames = String(place.stack)
    .split("\n")
    .map((line) => line.trim());
  const frame = frames.filter((line) => line.startsWith("at "))[OUR_FRAMES];
  return frame?.replace(/^at (?:async )?/, "") ?? UNKNOWN_PLACE;
}
