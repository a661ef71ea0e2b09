// One task on the timeline: when it lived, when it waited, and what of that is not known. Numbers only, for a million events.

import type { TaskOutcome, TimeMs } from "meanwhile/diagnostics";

/** A task on the timeline. */
export interface Lane {
  readonly id: number;
  name: string;
  /** 0 for none. */
  parent: number;
  createdAtMs: TimeMs;
  endedAtMs: TimeMs | null;
  outcome: TaskOutcome | null;
  /** Gone without an end that was seen. */
  isGone: boolean;
  /**
   * When waits begin and end, in turns. Invariant: ascending. An odd length says that it waits now; between creation and
   * the first wait, and after every second one, it runs.
   */
  readonly edges: number[];
  /** What each wait is for: a number of {@link Texts}. */
  readonly reasons: number[];
  /** When it was cancelled. */
  readonly cancels: number[];
  /** From when to when, in turns, nothing is known of it but that it lived. */
  readonly unknown: number[];
  /** Whether its waits come as events, so that the coarser news of deltas are not needed. */
  hasEvents: boolean;
  /** Whether it was seen to be made: then nothing before its first wait is unknown. */
  isSeenFromStart: boolean;
}

/** What a task does at a moment; `none` before and after its life. */
export type LaneState = "none" | "running" | "waiting" | "unknown";

/** Texts by number: a million waits are for few things. */
export class Texts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  /** The number of a text. */
  number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  /** The text with a number. */
  text(number: number): string {
    return this.#texts[number] ?? "";
  }
}

/** A lane of which nothing has happened yet. */
export function newLane(id: number, name: string, parent: number, createdAtMs: TimeMs): Lane {
  const times = { createdAtMs, endedAtMs: null, outcome: null };
  const lists = { edges: [], reasons: [], cancels: [], unknown: [] };
  return { id, name, parent, ...times, isGone: false, ...lists, hasEvents: false, isSeenFromStart: false };
}

/** Whether the task waits, as far as is known. */
export function isWaiting(lane: Lane): boolean {
  return lane.edges.length % 2 === 1;
}

/** Begins a wait. What is older than what is known already is left out. */
export function beginWait(lane: Lane, atMs: TimeMs, reason: number): void {
  if (isWaiting(lane) || atMs < (lane.edges.at(-1) ?? lane.createdAtMs)) return;
  lane.edges.push(atMs);
  lane.reasons.push(reason);
}

/** Ends a wait. */
export function endWait(lane: Lane, atMs: TimeMs): void {
  if (isWaiting(lane)) lane.edges.push(Math.max(atMs, lane.edges.at(-1) ?? atMs));
}

/**
 * Goes back to a moment, because what follows comes now in full: what was taken from a later state is left out, and no more
 * is unknown than what is before that moment.
 */
export function rewind(lane: Lane, atMs: TimeMs): void {
  while ((lane.edges.at(-1) ?? -Infinity) >= atMs) {
    if (isWaiting(lane)) lane.reasons.pop();
    lane.edges.pop();
  }
  const knownFromMs = lane.isSeenFromStart ? lane.createdAtMs : atMs;
  const [from, to] = [lane.unknown.at(-2), lane.unknown.at(-1)];
  if (from === undefined || to === undefined || to <= knownFromMs) return;
  lane.unknown.length -= 2;
  forget(lane, from, knownFromMs);
}

/** Ends the task; an end that is seen counts more than one that was not. */
export function endLane(lane: Lane, atMs: TimeMs, outcome: TaskOutcome | null): void {
  if (lane.endedAtMs !== null && !lane.isGone) return;
  lane.isGone = outcome === null;
  endWait(lane, atMs);
  lane.endedAtMs = Math.max(atMs, lane.edges.at(-1) ?? atMs);
  lane.outcome = outcome;
}

/** Says that nothing is known of a time. */
export function forget(lane: Lane, fromMs: TimeMs, toMs: TimeMs): void {
  if (toMs <= fromMs) return;
  if (lane.unknown.at(-1) === fromMs) lane.unknown[lane.unknown.length - 1] = toMs;
  else lane.unknown.push(fromMs, toMs);
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
  return at % 2 === 1 ? (lane.reasons[(at - 1) / 2] ?? -1) : -1;
}

/** How long a task has run and waited up to a moment, as far as is known; in milliseconds. */
export function sumsOf(lane: Lane, nowMs: TimeMs): { runningMs: number; waitingMs: number; unknownMs: number } {
  const end = lane.endedAtMs ?? Math.max(nowMs, lane.createdAtMs);
  let waitingMs = 0;
  let unknownMs = 0;
  for (let at = 0; at < lane.edges.length; at += 2) waitingMs += (lane.edges[at + 1] ?? end) - (lane.edges[at] ?? end);
  for (let at = 0; at < lane.unknown.length; at += 2) {
    unknownMs += (lane.unknown[at + 1] ?? end) - (lane.unknown[at] ?? end);
  }
  return { runningMs: Math.max(0, end - lane.createdAtMs - waitingMs - unknownMs), waitingMs, unknownMs };
}
