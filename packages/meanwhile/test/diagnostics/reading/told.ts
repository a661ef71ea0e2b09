// Messages as a program would tell them.

import type {
  Block,
  DeltaMessage,
  Hello,
  Place,
  Snapshot,
  TaskEvent,
  TaskRecord,
  Wait,
  Warning,
} from "../../../src/diagnostics/protocol.ts";

const LOOP = { maxMs: 3, meanMs: 0.2, p50Ms: 0.1, p99Ms: 2 };
const COUNTS = {
  created: 3,
  succeeded: 1,
  failed: 0,
  cancelled: 0,
  live: 2,
  unrecorded: 0,
  waits: 5,
  events: 9,
};

export function hello(changes: Partial<Hello> = {}): Hello {
  const program = { pid: 4242, script: "/srv/app.ts", node: "v26.0.0", timeOriginMs: 1_000_000 };
  return {
    type: "hello",
    protocol: 1,
    program,
    level: 2,
    sampling: 1,
    eventCapacity: 1024,
    allowed: [],
    atMs: 0,
    ...changes,
  };
}

export function place(name: string, line = 1): Place {
  return { function: name, file: "/srv/app.ts", line, column: 5 };
}

export function wait(what: string, changes: Partial<Wait> = {}): Wait {
  return { for: what, resource: null, task: null, foreign: false, sinceMs: 10, stack: [], ...changes };
}

export function task(id: number, name: string, changes: Partial<TaskRecord> = {}): TaskRecord {
  const waits = changes.waits ?? [wait("Queue.get (it is empty)")];
  return {
    id,
    name,
    parent: id === 1 ? null : 1,
    activity: waits.length > 0 ? "waiting" : "running",
    createdAtMs: 1,
    createdAt: [],
    sinceMs: 10,
    waits,
    scopes: [],
    cancelledAtMs: null,
    steps: 1,
    waitedMs: 0,
    ...changes,
  };
}

export function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    type: "snapshot",
    seq: 0,
    atMs: 100,
    cut: "exact",
    answered: true,
    blocked: null,
    loop: LOOP,
    counts: COUNTS,
    tasks: [],
    ended: [],
    resources: [],
    cycles: [],
    warnings: [],
    blocks: [],
    ...changes,
  };
}

export function delta(changes: Partial<DeltaMessage> = {}): DeltaMessage {
  return {
    type: "delta",
    seq: 0,
    atMs: 350,
    cut: "exact",
    blocked: null,
    loop: LOOP,
    counts: COUNTS,
    tasks: [],
    ended: [],
    gone: [],
    resources: null,
    cycles: null,
    ...changes,
  };
}

export function block(changes: Partial<Block> = {}): Block {
  return {
    id: 1,
    startedAtMs: 200,
    durationMs: 80,
    ongoing: false,
    task: { id: 2, name: "cruncher" },
    stack: [place("crunch", 12)],
    repeated: 0,
    message: "The event loop was blocked for 80 ms",
    ...changes,
  };
}

export function warning(changes: Partial<Warning> = {}): Warning {
  return {
    id: 1,
    kind: "no-deadline",
    severity: "warning",
    message: 'Task 2 "writer" waits for 61 s and has no deadline',
    remedy: "give it a timeout",
    tasks: [2],
    place: null,
    resource: null,
    sinceMs: 20,
    count: 1,
    overAtMs: null,
    ...changes,
  };
}

export function events(...list: TaskEvent[]): { readonly type: "events"; readonly events: TaskEvent[] } {
  return { type: "events", events: list };
}
