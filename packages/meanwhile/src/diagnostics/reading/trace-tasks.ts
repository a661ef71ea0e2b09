// The spans of a trace: one for each task, and in it one for each time it waits.

import type { Snapshot, TaskEvent, TaskRecord, TimeMs } from "../protocol.ts";
import type { Emit, TraceEvent, TraceEvents } from "./trace-events.ts";

/** A task whose span is open. */
interface OpenTask {
  readonly id: number;
  /** Null until something says it: the task was made before the trace began. */
  name: string | null;
  isWaiting: boolean;
  /** What it waits for. */
  waitsFor: string;
  /** When the last thing of it was seen. */
  lastMs: TimeMs;
  /** What cannot be handed over before the name is known. */
  readonly held: TraceEvent[];
}

const NOT_SEEN = { begin: "before the trace" };
const CUT = { end: "after the trace" };

/** Makes the spans. */
export class TaskSpans {
  readonly #events: TraceEvents;
  readonly #emit: Emit;
  readonly #open = new Map<number, OpenTask>();
  // Those that have ended without a name.
  readonly #nameless = new Map<number, OpenTask>();
  readonly #lateNames = new Map<number, string>();
  // Whether every live task is known: a state was told, and no event was lost since.
  #isComplete = false;
  // Until then, those that have ended: a state may still have them.
  readonly #ended = new Set<number>();
  readonly #gone = new Set<number>();
  #waiting = 0;

  constructor(events: TraceEvents, emit: Emit) {
    this.#events = events;
    this.#emit = emit;
  }

  /** How many tasks there are. */
  get live(): number {
    return this.#open.size;
  }

  /** How many of them wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What the task is called; null if that is not known yet. */
  nameOf(task: number): string | null {
    return this.#open.get(task)?.name ?? this.#lateNames.get(task) ?? null;
  }

  /** Something has happened; `edge` is where the trace begins. */
  event(event: TaskEvent, edge: TimeMs): void {
    const [, atMs, kind, id] = event;
    if (id === 0 || this.#gone.has(id)) return;
    if (kind === "created") this.#created(id, atMs, event[5], event[4]);
    else if (kind === "wait") this.#wait(this.#find(id, edge), atMs, { waitsFor: event[4], resource: event[5] });
    else if (kind === "resume") this.#resume(this.#find(id, edge), atMs, event[4]);
    else if (kind === "ended") this.#end(this.#find(id, edge), atMs, { outcome: event[4] });
    else if (kind === "cancelled") {
      const name = `cancelled (${event[4]})`;
      this.#add(this.#find(id, edge), "n", atMs, name, { whole: event[5] });
    }
  }

  /** The state as it is known now: names of tasks that were made before, and tasks to which nothing has happened. */
  snapshot({ tasks, ended, atMs }: Snapshot, edge: TimeMs): void {
    // Its rows need not all be of the same moment.
    const within = (ms: TimeMs): TimeMs => Math.max(edge, Math.min(ms, atMs));
    for (const task of tasks) {
      const known = this.#open.get(task.id);
      if (known !== undefined) this.#call(known, task.name);
      else if (!this.#isComplete && !this.#ended.has(task.id) && !this.#gone.has(task.id)) this.#found(task, within);
    }
    this.#isComplete = true;
    this.#ended.clear();
    for (const { id, name } of ended) {
      const known = this.#nameless.get(id);
      if (known !== undefined) this.#call(known, name);
    }
  }

  /** Closes the span of a task that is gone. */
  gone(id: number, atMs: TimeMs): void {
    const task = this.#open.get(id);
    this.#gone.add(id);
    if (task !== undefined) this.#end(task, atMs, { end: "not seen" });
  }

  /** Closes what is open: what happens from here on is not known. */
  cut(atMs: TimeMs): void {
    for (const task of this.#open.values()) this.#end(task, atMs, CUT);
    this.#isComplete = false;
  }

  /** Hands over what has no name to the end. */
  flush(): void {
    for (const task of this.#nameless.values()) this.#call(task, `task ${task.id}`);
  }

  #created(id: number, atMs: TimeMs, name: string, parent: number): void {
    // One that is open was found by something that is told of it before.
    const known = this.#open.get(id);
    if (known === undefined) this.#begin(id, atMs, name, { task: id, parent });
    else this.#call(known, name);
  }

  #begin(id: number, atMs: TimeMs, name: string | null, args: Readonly<Record<string, unknown>>): OpenTask {
    const held = this.#heldOf(id, name);
    const task: OpenTask = { id, name, isWaiting: false, waitsFor: "", lastMs: atMs, held };
    this.#open.set(id, task);
    this.#add(task, "b", atMs, name ?? "", args);
    return task;
  }

  /** What an earlier span of the task has left, which was cut before its name was known: it comes first in the file. */
  #heldOf(id: number, name: string | null): TraceEvent[] {
    const before = this.#nameless.get(id);
    if (before === undefined) return [];
    if (name !== null) this.#call(before, name);
    this.#nameless.delete(id);
    return before.held;
  }

  #find(id: number, edge: TimeMs): OpenTask {
    return this.#open.get(id) ?? this.#begin(id, edge, null, { task: id, ...NOT_SEEN });
  }

  #found({ id, name, parent, createdAtMs, waits }: TaskRecord, within: (ms: TimeMs) => TimeMs): void {
    const beginMs = within(createdAtMs);
    const seen = beginMs === createdAtMs ? {} : NOT_SEEN;
    const task = this.#begin(id, beginMs, name, { task: id, parent: parent ?? 0, ...seen });
    const [wait] = waits;
    if (wait === undefined) return;
    // Only the kind, as events have it: what stands in parentheses is of one moment.
    const waitsFor = wait.for.replace(/ \(.*$/su, "");
    this.#wait(task, within(wait.sinceMs), { waitsFor, resource: wait.resource ?? 0 });
  }

  #wait(task: OpenTask, atMs: TimeMs, { waitsFor, resource }: { waitsFor: string; resource: number }): void {
    const args = resource === 0 ? {} : { resource };
    // Several waits of one task need not nest; the span is that of all of them.
    if (task.isWaiting) return this.#add(task, "n", atMs, `waits for ${waitsFor}, too`, args);
    task.isWaiting = true;
    task.waitsFor = waitsFor;
    this.#waiting += 1;
    this.#add(task, "b", atMs, waitsFor, args);
  }

  #resume(task: OpenTask, atMs: TimeMs, left: number): void {
    if (!task.isWaiting) this.#wait(task, task.lastMs, { waitsFor: "something", resource: 0 });
    if (left === 0) this.#stopWaiting(task, atMs);
  }

  #stopWaiting(task: OpenTask, atMs: TimeMs, args: Readonly<Record<string, unknown>> = {}): void {
    task.isWaiting = false;
    this.#waiting -= 1;
    this.#add(task, "e", atMs, task.waitsFor, args);
  }

  #end(task: OpenTask, atMs: TimeMs, args: Readonly<Record<string, unknown>>): void {
    if (task.isWaiting) this.#stopWaiting(task, atMs, args === CUT ? CUT : {});
    this.#add(task, "e", atMs, task.name ?? "", args);
    this.#open.delete(task.id);
    if (!this.#isComplete) this.#ended.add(task.id);
    if (task.name === null) this.#nameless.set(task.id, task);
  }

  #add(task: OpenTask, ph: "b" | "e" | "n", atMs: TimeMs, name: string, args: Readonly<Record<string, unknown>>): void {
    task.lastMs = Math.max(task.lastMs, atMs);
    const event = this.#events.span(ph, task.id, task.lastMs, { name, args });
    if (task.name === null) task.held.push(event);
    else this.#emit(event);
  }

  #call(task: OpenTask, name: string): void {
    if (task.name !== null) return;
    task.name = name;
    this.#lateNames.set(task.id, name);
    this.#nameless.delete(task.id);
    for (const event of task.held.splice(0)) {
      if (event.name === "") event.name = name;
      this.#emit(event);
    }
  }
}
