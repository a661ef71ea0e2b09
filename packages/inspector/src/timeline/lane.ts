// One task on the timeline: when it lived, when it waited, and what of that is not known.

import type { TaskOutcome, TimeMs } from "meanwhile/diagnostics";

import { NO_ENTRY, type WaitLog } from "./wait-log.ts";

/** What a task does at a moment; `none` before and after its life. */
export type LaneState = "none" | "running" | "waiting" | "unknown";

/** A task on the timeline. */
export class Lane {
  /** Unique in the run. */
  readonly id: number;
  /** Given by its creator, else that of its function. */
  name: string;
  /** The task it belongs to; 0 for none. */
  parent: number;
  /** When it was made. */
  createdAtMs: TimeMs;
  /** When it ended; null if it has not. */
  endedAtMs: TimeMs | null = null;
  /** How it ended; null if it has not, or that was not seen. */
  outcome: TaskOutcome | null = null;
  /** When it was cancelled. */
  readonly cancels: number[] = [];
  /** From when to when, in turns, nothing is known of it but that it lived. */
  readonly unknown: number[] = [];
  /** Since when it waits; null if it does not. */
  waitingSinceMs: TimeMs | null = null;
  /** What it waits for, or has waited for last, as the number of a text. */
  lastReason: number = NO_ENTRY;
  /** From when on it counts among the tasks that are alive. */
  countedFromMs: TimeMs;
  /** From when on it counts as waiting, if it does. */
  countedWaitMs: TimeMs = 0;
  /** Whether its waits come as events, so that the coarser news of deltas are not needed. */
  hasEvents = false;
  /** Whether it was seen to be made: then nothing before its first wait is unknown. */
  isSeenFromStart = false;
  readonly #log: WaitLog;
  // What is in the log and not yet in the lists lies between the two.
  #last = NO_ENTRY;
  #known = NO_ENTRY;
  readonly #edges: number[] = [];
  readonly #reasons: number[] = [];

  constructor(id: number, name: string, parent: number, createdAtMs: TimeMs, log: WaitLog) {
    this.id = id;
    this.name = name;
    this.parent = parent;
    this.createdAtMs = createdAtMs;
    this.countedFromMs = createdAtMs;
    this.#log = log;
  }

  /** Whether it has ended, and nobody has seen how. */
  get isGone(): boolean {
    return this.endedAtMs !== null && this.outcome === null;
  }

  /**
   * When waits begin and end, in turns: ascending. An odd length says that it waits now; between creation and the first
   * wait, and after every second one, it runs.
   */
  get edges(): readonly number[] {
    this.#settle();
    return this.#edges;
  }

  /** What each wait is for, as the number of a text. */
  get reasons(): readonly number[] {
    this.#settle();
    return this.#reasons;
  }

  /** Begins a wait; nothing if it waits already. */
  beginWait(atMs: TimeMs, reason: number): void {
    if (this.waitingSinceMs !== null) return;
    this.waitingSinceMs = atMs;
    this.lastReason = reason;
    this.#last = this.#log.add(atMs, reason, this.#last);
  }

  /** Ends a wait, if it waits. */
  endWait(atMs: TimeMs): void {
    if (this.waitingSinceMs === null) return;
    const end = Math.max(atMs, this.waitingSinceMs);
    this.waitingSinceMs = null;
    this.#last = this.#log.add(end, NO_ENTRY, this.#last);
  }

  /** Ends the task; an end that is seen counts more than one that was not. */
  end(atMs: TimeMs, outcome: TaskOutcome | null): void {
    if (this.endedAtMs !== null && !this.isGone) return;
    this.endWait(atMs);
    this.endedAtMs = Math.max(atMs, this.createdAtMs);
    this.outcome = outcome;
  }

  /** It was cancelled. The same is told as an event and in the records. */
  cancel(atMs: TimeMs): void {
    if (!this.cancels.some((known) => Math.abs(known - atMs) < 1)) this.cancels.push(atMs);
  }

  /** Says that nothing is known of a time. */
  forget(fromMs: TimeMs, toMs: TimeMs): void {
    if (toMs <= fromMs) return;
    if (this.unknown.at(-1) === fromMs) this.unknown[this.unknown.length - 1] = toMs;
    else this.unknown.push(fromMs, toMs);
  }

  /**
   * Goes back to a moment, because what follows comes now in full: what was taken from a later state is left out, and no
   * more is unknown than what is before that moment.
   */
  rewind(atMs: TimeMs): void {
    this.#settle();
    while ((this.#edges.at(-1) ?? -Infinity) >= atMs) {
      if (this.#edges.length % 2 === 1) this.#reasons.pop();
      this.#edges.pop();
    }
    this.waitingSinceMs = this.#edges.length % 2 === 1 ? (this.#edges.at(-1) ?? null) : null;
    const knownFromMs = this.isSeenFromStart ? this.createdAtMs : atMs;
    const [from, to] = [this.unknown.at(-2), this.unknown.at(-1)];
    if (from === undefined || to === undefined || to <= knownFromMs) return;
    this.unknown.length -= 2;
    this.forget(from, knownFromMs);
  }

  #settle(): void {
    if (this.#last === this.#known) return;
    this.#log.each(this.#last, this.#known, (atMs, reason) => {
      // A clock that goes back is no reason for a list that does.
      this.#edges.push(Math.max(atMs, this.#edges.at(-1) ?? atMs));
      if (reason !== NO_ENTRY) this.#reasons.push(reason);
    });
    this.#known = this.#last;
  }
}

/** The number of the first time in an ascending list that is later. */
export function firstAfter(times: readonly number[], atMs: TimeMs): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a task does at a moment. */
export function stateAt(lane: Lane, atMs: TimeMs): LaneState {
  if (atMs < lane.createdAtMs || (lane.endedAtMs !== null && atMs > lane.endedAtMs)) return "none";
  if (firstAfter(lane.unknown, atMs) % 2 === 1) return "unknown";
  return firstAfter(lane.edges, atMs) % 2 === 1 ? "waiting" : "running";
}

/** What a task waits for at a moment, as the number of a text; -1 if it does not wait. */
export function reasonAt(lane: Lane, atMs: TimeMs): number {
  const at = firstAfter(lane.edges, atMs);
  return at % 2 === 1 ? (lane.reasons[(at - 1) / 2] ?? NO_ENTRY) : NO_ENTRY;
}

/** How long a task has run and waited up to a moment, as far as is known; in milliseconds. */
export function sumsOf(lane: Lane, nowMs: TimeMs): { runningMs: number; waitingMs: number; unknownMs: number } {
  const { edges, unknown, createdAtMs } = lane;
  const end = lane.endedAtMs ?? Math.max(nowMs, createdAtMs);
  let waitingMs = 0;
  let unknownMs = 0;
  for (let at = 0; at < edges.length; at += 2) waitingMs += (edges[at + 1] ?? end) - (edges[at] ?? end);
  for (let at = 0; at < unknown.length; at += 2) unknownMs += (unknown[at + 1] ?? end) - (unknown[at] ?? end);
  return { runningMs: Math.max(0, end - createdAtMs - waitingMs - unknownMs), waitingMs, unknownMs };
}
