// The events of Chrome's trace format that a trace of tasks is made of.
//
// Perfetto wants: slices of a thread nest (phase X), spans of one id nest and are closed (phases b and e), times are numbers.

import type { TimeMs } from "../protocol.ts";

/** One event of a trace. Times are in microseconds. */
export interface TraceEvent {
  name: string;
  readonly ph: "M" | "X" | "b" | "e" | "n" | "i" | "C";
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly cat?: string;
  readonly dur?: number;
  readonly id?: string;
  readonly s?: "p" | "t";
  readonly args?: Readonly<Record<string, unknown>>;
}

/** The rows of the program in a viewer. */
export const ROWS = { steps: 1, loop: 2 } as const;

/** Takes the events of a trace, in any order. */
export type Emit = (event: TraceEvent) => void;

/** Makes the events of one process. */
export class TraceEvents {
  readonly #pid: number;
  readonly #emit: Emit;

  constructor(pid: number, emit: Emit) {
    this.#pid = pid;
    this.#emit = emit;
  }

  /** Names the process, or one of its rows. */
  name(what: "process_name" | "thread_name", row: number, name: string): void {
    this.#emit({ name: what, ph: "M", pid: this.#pid, tid: row, ts: 0, args: { name } });
  }

  /** Something that a row did for a while. */
  slice(row: number, from: TimeMs, until: TimeMs, what: Described): void {
    const ts = toMicroseconds(from);
    const dur = toMicroseconds(until) - ts;
    this.#emit({ name: what.name, cat: what.cat, ph: "X", pid: this.#pid, tid: row, ts, dur, args: what.args ?? {} });
  }

  /** A moment of the whole process. */
  instant(atMs: TimeMs, { name, cat, args = {} }: Described): void {
    this.#emit({ name, cat, ph: "i", s: "p", pid: this.#pid, tid: ROWS.loop, ts: toMicroseconds(atMs), args });
  }

  /** Numbers as they are from now on. */
  counter(name: string, atMs: TimeMs, args: Readonly<Record<string, number>>): void {
    this.#emit({ name, ph: "C", pid: this.#pid, tid: ROWS.steps, ts: toMicroseconds(atMs), args });
  }

  /** The begin, end or a moment of a span of a task; not handed over, because the task may have no name yet. */
  span(ph: "b" | "e" | "n", task: number, atMs: TimeMs, { name, args = {} }: Omit<Described, "cat">): TraceEvent {
    const [id, ts] = [`0x${task.toString(16)}`, toMicroseconds(atMs)];
    return { name, cat: "task", ph, id, pid: this.#pid, tid: ROWS.steps, ts, args };
  }
}

interface Described {
  readonly name: string;
  readonly cat: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

function toMicroseconds(ms: TimeMs): number {
  return Math.round(ms * 1_000);
}
