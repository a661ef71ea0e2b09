// The slices of the thread in a trace: which task's code ran, from when to when.
//
// A step ends where its task begins to wait or ends, which is known. It began when the task could go on, and not before the
// step in front of it was over: one thread runs one thing at a time. A task may also await a plain promise in it, which
// nothing tells: so a long step counts as work only if the watchdog has seen the loop blocked.

import type { Block, TaskEvent, TimeMs } from "../protocol.ts";
import { ROWS, type TraceEvents } from "./trace-events.ts";

/** Shorter steps are believed. The watchdog tells blocks of so many milliseconds. */
const BELIEVED_MS = 50;

interface Step {
  readonly task: number;
  /** Null until something says it. */
  readonly name: string | null;
  readonly from: TimeMs;
  readonly until: TimeMs;
}

/** Makes the slices. */
export class StepSlices {
  readonly #events: TraceEvents;
  readonly #isSampled: boolean;
  /** Since when a task can go on. */
  readonly #ready = new Map<number, TimeMs>();
  // Of which more has to be known.
  readonly #held: Step[] = [];
  #lastEnd = -Infinity;

  /** @param isSampled - whether the waits of some tasks are left out */
  constructor(events: TraceEvents, isSampled: boolean) {
    this.#events = events;
    this.#isSampled = isSampled;
  }

  /** Something has happened, to a task with this name; null if it is not known yet. */
  event([, atMs, kind, task, left]: TaskEvent, name: string | null): void {
    if (task === 0) return;
    // Of tasks of which waits are left out it is not known when they ran.
    if (kind === "resume" ? left === 0 : kind === "created" && !this.#isSampled) this.#ready.set(task, atMs);
    else if (kind === "wait" || kind === "ended") this.#step(task, name, atMs);
  }

  /** Nothing is known of the tasks from here on. */
  cut(): void {
    this.#ready.clear();
  }

  /** Hands over the rest, when all blocks and names are known that ever will be. */
  end(blocks: readonly Block[], nameOf: (task: number) => string | null): void {
    for (const step of this.#held) {
      const isWork = isShort(step) || blocks.some((block) => overlapMs(step, block) > 0);
      const name = step.name ?? nameOf(step.task) ?? `task ${step.task}`;
      this.#slice(step, isWork ? name : `${name}, or an await of a plain promise`, isWork ? "step" : "unsure");
    }
  }

  #step(task: number, name: string | null, until: TimeMs): void {
    const ready = this.#ready.get(task);
    this.#ready.delete(task);
    const from = Math.max(ready ?? until, this.#lastEnd);
    this.#lastEnd = Math.max(this.#lastEnd, until);
    if (ready === undefined) return;
    const step = { task, name, from, until };
    if (name === null || !isShort(step)) this.#held.push(step);
    else this.#slice(step, name, "step");
  }

  #slice({ task, from, until }: Step, name: string, cat: string): void {
    this.#events.slice(ROWS.steps, from, until, { name, cat, args: { task } });
  }
}

function isShort({ from, until }: Step): boolean {
  return until - from <= BELIEVED_MS;
}

function overlapMs({ from, until }: Step, { startedAtMs, durationMs }: Block): number {
  return Math.min(until, startedAtMs + durationMs) - Math.max(from, startedAtMs);
}
