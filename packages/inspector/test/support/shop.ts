// A small program that has a bit of everything: for pictures, and for tests of what the page shows.

import type { Block, Resource, Snapshot, StreamMessage, Warning } from "meanwhile/diagnostics";

import { block, EventMaker, hello, resource, snapshot, task, warning } from "./messages.ts";

const STACK = [
  { function: "Lock.acquire", file: "/srv/shop/node_modules/meanwhile/dist/sync/lock.js", line: 88, column: 12 },
  { function: "reserve", file: "/srv/shop/stock.ts", line: 31, column: 17 },
  { function: "checkout", file: "/srv/shop/server.ts", line: 102, column: 9 },
];

/** The end of it, in milliseconds. */
const END = 2_400;

/** What happened in it, as a recording tells it. */
export function shopRun(): StreamMessage[] {
  const make = new EventMaker();
  make.created(0, 1, "main");
  make.created(4, 2, "server", 1);
  make.wait(6, 1, "the tasks of a group", 2);
  make.wait(9, 2, "accept");
  make.created(20, 3, "writer", 1);
  for (let id = 10; id < 22; id += 1) request(make, id, 60 + (id - 10) * 120);
  make.wait(30, 3, "Queue.get (empty)");
  make.resume(1_000, 3);
  make.wait(1_240, 3, "fetch stock.example.org");
  make.created(1_500, 30, "<img src=x onerror=alert(1)>", 1);
  make.wait(1_510, 30, "sleep");
  const events = make.events.toSorted((a, b) => a[1] - b[1]);
  return [
    hello(),
    snapshot(),
    { type: "events", events },
    ...shopBlocks().map((each) => ({ type: "block", block: each }) as const),
    ...shopWarnings().map((each) => ({ type: "warning", warning: each }) as const),
    shopState(),
  ];
}

function request(make: EventMaker, id: number, at: number): void {
  make.created(at, id, `checkout ${id - 9}`, 2);
  make.wait(at + 12, id, "fetch stock.example.org");
  make.resume(at + 180, id);
  make.wait(at + 215, id, 'Lock.acquire (held by task 3 "writer")', 3);
  if (id >= 18) return;
  if (id === 14) {
    make.cancelled(at + 420, id);
    return make.ended(at + 460, id, "cancelled");
  }
  make.resume(at + 420, id);
  make.ended(at + 450, id, id === 16 ? "failed" : "succeeded");
}

/** Its state at the end. */
export function shopState(): Snapshot {
  const waits = { resource: 1, task: 3, foreign: false, stack: STACK };
  const lock = 'Lock.acquire (held by task 3 "writer")';
  const stuck = [18, 19, 20, 21].map((id) =>
    task(id, {
      name: `checkout ${id - 9}`,
      parent: 2,
      activity: "waiting",
      createdAtMs: 60 + (id - 10) * 120,
      sinceMs: 275 + (id - 10) * 120,
      steps: 2,
      waitedMs: 168,
      scopes: [{ shielded: false, cancelled: false, deadlineAtMs: END + 600 }],
      waits: [{ ...waits, for: lock, sinceMs: 275 + (id - 10) * 120 }],
    }),
  );
  const none = { resource: null, task: null, foreign: false, stack: [] };
  return snapshot({
    seq: 1_000,
    atMs: END,
    counts: { created: 17, succeeded: 6, failed: 1, cancelled: 1, live: 8, unrecorded: 0, waits: 40, events: 110 },
    tasks: [
      task(1, {
        name: "main",
        activity: "waiting",
        sinceMs: 6,
        steps: 1,
        waits: [{ ...none, task: 2, for: "the tasks of a group", sinceMs: 6 }],
      }),
      task(2, {
        name: "server",
        parent: 1,
        activity: "waiting",
        createdAtMs: 4,
        sinceMs: 9,
        steps: 1,
        waits: [{ ...none, for: "accept", foreign: true, sinceMs: 9 }],
      }),
      task(3, {
        name: "writer",
        parent: 1,
        activity: "waiting",
        createdAtMs: 20,
        sinceMs: 1_240,
        steps: 2,
        waits: [{ ...none, for: "fetch stock.example.org", foreign: true, sinceMs: 1_240, stack: STACK.slice(1) }],
      }),
      ...stuck,
      task(30, {
        name: "<img src=x onerror=alert(1)>",
        parent: 1,
        activity: "waiting",
        createdAtMs: 1_500,
        sinceMs: 1_510,
        steps: 1,
        waits: [{ ...none, for: "sleep", sinceMs: 1_510 }],
      }),
    ],
    resources: shopResources(),
    blocks: shopBlocks(),
    warnings: shopWarnings(),
  });
}

function shopResources(): Resource[] {
  return [
    resource(1, {
      description: 'Lock.acquire (held by task 3 "writer")',
      holders: [3],
      waiters: [18, 19, 20, 21],
      mostWaiters: 6,
      waits: 12,
    }),
    resource(2, { kind: "Queue.get", description: "Queue.get (empty)", mostWaiters: 1, waits: 2 }),
    resource(3, {
      kind: "host stock.example.org",
      description: "host stock.example.org (6 of 6 connections in use)",
      holders: [3],
      mostWaiters: 9,
      waits: 31,
    }),
    resource(4, {
      kind: "Semaphore.acquire",
      description: "Semaphore.acquire (no permit is free)",
      mostWaiters: 3,
      waits: 18,
    }),
  ];
}

function shopBlocks(): Block[] {
  return [block(1, { startedAtMs: 1_000, durationMs: 236, task: { id: 3, name: "writer" } })];
}

function shopWarnings(): Warning[] {
  const place = { function: "audit", file: "/srv/shop/audit.ts", line: 12, column: 5 };
  return [
    warning(1, {
      kind: "lock-held",
      severity: "error",
      message: 'Task 3 "writer" has held a Lock for 5.2 s while 4 tasks wait',
      remedy: "Do slow work outside of the lock, or give it a deadline with timeout()",
      tasks: [3, 18, 19, 20, 21],
      sinceMs: 1_240,
      resource: 1,
    }),
    warning(2, { message: "The coroutine audit() was never awaited", place, tasks: [12], sinceMs: 480, count: 3 }),
    warning(3, {
      kind: "retry-storm",
      severity: "info",
      message: "Six awaits in a loop took 1.1 s one after the other",
      remedy: "Start them together: await gather(...)",
      tasks: [3],
      place,
      sinceMs: 900,
      overAtMs: 2_000,
    }),
  ];
}
