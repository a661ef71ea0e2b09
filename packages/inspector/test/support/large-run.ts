// A recording as large as the page has to bear: many tasks that are alive, and a million events.

import type { StreamMessage, TaskEvent, TaskRecord } from "meanwhile/diagnostics";

import { block, hello, snapshot, task } from "./messages.ts";

const REASONS = [
  "sleep",
  'Lock.acquire (held by task 3 "writer")',
  "Queue.get",
  "fetch api.example.org",
  "Semaphore.acquire",
];
const PER_LINE = 2_000;

/** How large it is. */
export interface LargeRun {
  readonly tasks: number;
  readonly events: number;
}

/** Its messages, one after the other: as a whole they would fill the memory. */
export function* largeRun({ tasks, events }: LargeRun): Generator<StreamMessage> {
  yield hello("/srv/shop/load-test.ts");
  yield snapshot();
  let batch: TaskEvent[] = [];
  const random = randomFrom(7);
  let seq = 0;
  const waiting = new Uint8Array(tasks + 1);
  for (let at = 0; at < events; at += 1) {
    seq += 1;
    const atMs = Math.round(seq * 12) / 1_000;
    if (at < tasks)
      batch.push([seq, atMs, "created", at + 1, parentOf(at + 1), `${at % 7 === 0 ? "session" : "worker"} ${at + 1}`]);
    else {
      const id = 1 + Math.floor(random() ** 2 * tasks);
      if (waiting[id] === 0) batch.push([seq, atMs, "wait", id, REASONS[id % REASONS.length] ?? "", 0, 0]);
      else batch.push([seq, atMs, "resume", id, 0]);
      waiting[id] = 1 - (waiting[id] ?? 0);
    }
    if (batch.length < PER_LINE) continue;
    yield { type: "events", events: batch };
    batch = [];
  }
  yield { type: "events", events: batch };
  const endMs = seq * 0.012;
  for (let id = 1; id <= 20; id += 1)
    yield { type: "block", block: block(id, { startedAtMs: (endMs / 21) * id, durationMs: 30 }) };
  const alive = Array.from({ length: tasks }, (_, at) => recordOf(at + 1, waiting[at + 1] === 1, endMs));
  yield snapshot({ atMs: endMs, seq, tasks: alive });
  yield { type: "bye", atMs: endMs };
}

function parentOf(id: number): number {
  return id <= 10 ? 0 : 1 + (id % 10) * Number(id < 5_000) + Number(id >= 5_000) * (10 + (id % 900));
}

function recordOf(id: number, isWaiting: boolean, atMs: number): TaskRecord {
  const reason = REASONS[id % REASONS.length] ?? "";
  const wait = { for: reason, resource: null, task: null, foreign: false, sinceMs: atMs, stack: [] };
  const name = `${(id - 1) % 7 === 0 ? "session" : "worker"} ${id}`;
  const parent = parentOf(id);
  return task(id, {
    name,
    parent: parent === 0 ? null : parent,
    activity: isWaiting ? "waiting" : "running",
    waits: isWaiting ? [wait] : [],
    createdAtMs: id * 0.012,
    sinceMs: atMs,
    steps: 10,
  });
}

/** The same numbers every time, from 0 to 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
