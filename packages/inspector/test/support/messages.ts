// Messages of a program that does not exist: as small or as large as a test needs.

import type {
  Block,
  Counts,
  Hello,
  Resource,
  Snapshot,
  StreamMessage,
  TaskEvent,
  TaskRecord,
  Warning,
} from "meanwhile/diagnostics";

const LOOP = { maxMs: 212, meanMs: 1.1, p50Ms: 1, p99Ms: 14 };
const COUNTS: Counts = {
  created: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  live: 0,
  unrecorded: 0,
  waits: 0,
  events: 0,
};

/** The first line of everything. */
export function hello(script = "/srv/shop/server.ts"): Hello {
  const program = { pid: 4242, script, node: "v26.10.0", timeOriginMs: 1_700_000_000_000 };
  return { type: "hello", protocol: 1, program, level: 2, sampling: 1, eventCapacity: 65_536, allowed: [], atMs: 0 };
}

/** A live task. */
export function task(id: number, fields: Partial<TaskRecord> = {}): TaskRecord {
  const times = { createdAtMs: 0, sinceMs: 0, cancelledAtMs: null, waitedMs: 0 };
  return {
    id,
    name: `task ${id}`,
    parent: null,
    activity: "running",
    createdAt: [],
    waits: [],
    scopes: [],
    steps: 0,
    ...times,
    ...fields,
  };
}

/** The state of the program. */
export function snapshot(fields: Partial<Snapshot> = {}): Snapshot {
  const tasks = fields.tasks ?? [];
  const lists = { ended: [], resources: [], cycles: [], warnings: [], blocks: [] };
  const counts = { ...COUNTS, live: tasks.length, created: tasks.length };
  const state = { seq: 0, atMs: 0, cut: "exact", answered: true, blocked: null, loop: LOOP } as const;
  return { type: "snapshot", ...state, counts, ...lists, ...fields, tasks };
}

/** A time in which the loop did not turn. */
export function block(id: number, fields: Partial<Block> = {}): Block {
  const times = { startedAtMs: 0, durationMs: 200, ongoing: false, repeated: 0 };
  const stack = [{ function: "parse", file: "/srv/shop/catalog.ts", line: 41, column: 9 }];
  const message = "The event loop was blocked for 200 ms by parse; do it in pieces with checkpoint(), or in a thread";
  return { id, ...times, task: null, stack, message, ...fields };
}

/** Something that is probably a mistake. */
export function warning(id: number, fields: Partial<Warning> = {}): Warning {
  const texts = { message: "A coroutine was never awaited", remedy: "Await it, or give it to createTask" };
  const rest = { tasks: [], place: null, resource: null, sinceMs: 0, count: 1, overAtMs: null } as const;
  return { id, kind: "never-awaited", severity: "warning", ...texts, ...rest, ...fields };
}

/** Something that is waited for. */
export function resource(id: number, fields: Partial<Resource> = {}): Resource {
  const kind = fields.kind ?? "Lock.acquire";
  return { id, kind, description: kind, holders: [], waiters: [], mostWaiters: 0, waits: 0, ...fields };
}

/** A recording as text. */
export function linesOf(messages: Iterable<StreamMessage>): string {
  return [...messages].map((message) => `${JSON.stringify(message)}\n`).join("");
}

/** Makes events in order: each call is one. */
export class EventMaker {
  readonly events: TaskEvent[] = [];

  created(atMs: number, id: number, name: string, parent = 0): void {
    this.events.push([this.#next, atMs, "created", id, parent, name]);
  }

  wait(atMs: number, id: number, waitsFor: string, other = 0): void {
    this.events.push([this.#next, atMs, "wait", id, waitsFor, 0, other]);
  }

  resume(atMs: number, id: number): void {
    this.events.push([this.#next, atMs, "resume", id, 0]);
  }

  ended(atMs: number, id: number, outcome: "succeeded" | "failed" | "cancelled" = "succeeded"): void {
    this.events.push([this.#next, atMs, "ended", id, outcome]);
  }

  cancelled(atMs: number, id: number): void {
    this.events.push([this.#next, atMs, "cancelled", id, "call", true]);
  }

  get #next(): number {
    return this.events.length + 1;
  }
}
