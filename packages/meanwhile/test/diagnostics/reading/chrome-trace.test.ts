// A recording as a trace: compared with golden files, and with what the importer of a viewer wants.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";

import { ChromeTrace, parseMessage, type StreamMessage, type TaskEvent } from "meanwhile/diagnostics";

import { block, delta, events, hello, snapshot, task, wait, warning } from "./told.ts";
import { breachesIn, type WrittenEvent, type WrittenTrace } from "./trace-rules.ts";

function textOf(messages: Iterable<StreamMessage>): string {
  const trace = new ChromeTrace();
  let text = "";
  for (const message of messages) text += trace.add(message);
  return text + trace.end();
}

function traceOf(...messages: StreamMessage[]): WrittenTrace {
  const trace = JSON.parse(textOf(messages)) as WrittenTrace;
  assert.deepEqual(breachesIn(trace), []);
  return trace;
}

const named = ({ traceEvents }: WrittenTrace, name: string): WrittenEvent[] =>
  traceEvents.filter((event) => event.name === name);

const showSpan = ({ ph, ts, args }: WrittenEvent): unknown[] => [ph, ts, args?.["begin"] ?? args?.["end"] ?? ""];

/** Set UPDATE_GOLDEN=1 to write them anew; then read the difference. */
function matchesGolden(name: string, messages: readonly StreamMessage[]): void {
  const file = new URL(`./golden/${name}.trace`, import.meta.url);
  const text = textOf(messages);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
  assert.deepEqual(breachesIn(JSON.parse(text) as WrittenTrace), []);
}

const LIFE: readonly StreamMessage[] = [
  hello(),
  events(
    [1, 10, "created", 1, 0, "main"],
    [2, 11, "created", 2, 1, "cruncher"],
    [3, 11.5, "wait", 1, "its tasks", 0, 2],
    [4, 12, "wait", 2, "Queue.get", 65_537, 0],
    [5, 30, "resume", 2, 0],
    [6, 31, "scope-opened", 2, 1],
  ),
  { type: "block", block: block({ startedAtMs: 31, durationMs: 60, ongoing: true }) },
  { type: "block", block: block({ startedAtMs: 31, durationMs: 80 }) },
  { type: "warning", warning: warning() },
  { type: "warning", warning: warning({ count: 2, overAtMs: 130 }) },
  events(
    [7, 112, "scope-closed", 2, 1],
    [8, 112.25, "wait", 2, "sleep", 0, 0],
    [9, 120, "cancelled", 2, "deadline", true],
    [10, 120.5, "resume", 2, 0],
    [11, 121, "ended", 2, "cancelled"],
    [12, 121.5, "resume", 1, 0],
    [13, 122, "ended", 1, "failed"],
  ),
  delta({ atMs: 250 }),
  { type: "bye", atMs: 251 },
];

describe("A Chrome trace", () => {
  it("shows tasks, waits, steps, blocks, cancellations, warnings and counters", () => matchesGolden("life", LIFE));

  it("is the same from the lines of a recording", () => {
    const lines = LIFE.map((message) => JSON.stringify(message));
    const read = lines.flatMap((line) => parseMessage(line) ?? []);
    assert.equal(textOf(read), textOf(LIFE));
  });

  it("of the past takes names from the state behind the events, and shows who waited all the time", () => {
    matchesGolden("past", [
      hello(),
      events(
        [7, 50, "resume", 2, 0],
        [8, 51, "ended", 2, "succeeded"],
        [9, 52, "resume", 3, 0],
        [10, 53, "wait", 3, "sleep", 0, 0],
      ),
      snapshot({
        seq: 10,
        atMs: 60,
        tasks: [task(1, "main", { waits: [wait("2 of its tasks (gather)", { sinceMs: 5 })] }), task(3, "reader")],
        ended: [
          {
            id: 2,
            name: "writer",
            parent: 1,
            createdAtMs: 1,
            endedAtMs: 51,
            outcome: "succeeded",
            cancelledAtMs: null,
            steps: 3,
            waitedMs: 2,
          },
        ],
      }),
      { type: "bye", atMs: 61 },
    ]);
  });

  it("cuts what is open where events were lost, and begins anew with the next state", () => {
    matchesGolden("gap", [
      hello(),
      snapshot({ seq: 4, atMs: 20, tasks: [task(1, "main"), task(2, "writer", { waits: [] })] }),
      events([5, 21, "wait", 2, "sleep", 0, 0]),
      { type: "gap", from: 6, to: 1005 },
      snapshot({ seq: 1005, atMs: 90, tasks: [task(1, "main"), task(3, "reader", { createdAtMs: 70 })] }),
      events([1006, 95, "ended", 3, "succeeded"]),
    ]);
  });

  it("says of what it cuts that it began before, or went on", () => {
    const trace = traceOf(hello(), snapshot({ atMs: 20, tasks: [task(1, "main")] }), { type: "bye", atMs: 30 });
    assert.deepEqual(named(trace, "main").map(showSpan), [
      ["b", 20_000, "before the trace"],
      ["e", 30_000, "after the trace"],
    ]);
  });

  it("takes events that the state told before them contains already for what came before it", () => {
    const trace = traceOf(
      hello(),
      snapshot({ seq: 3, atMs: 20, tasks: [task(2, "writer", { createdAtMs: 11 })] }),
      events(
        [1, 10, "created", 1, 0, "short"],
        [2, 11, "created", 2, 0, "writer"],
        [3, 12, "ended", 1, "succeeded"],
        [4, 25, "ended", 2, "failed"],
      ),
    );
    assert.deepEqual(
      named(trace, "short")
        .filter(({ ph }) => ph !== "X")
        .map(showSpan),
      [
        ["b", 10_000, ""],
        ["e", 12_000, ""],
      ],
    );
    assert.deepEqual(
      named(trace, "writer")
        .filter(({ ph }) => ph === "b")
        .map(showSpan),
      [["b", 11_000, ""]],
    );
  });

  it("leaves out a task that the state has, and of which the end was told before", () => {
    const trace = traceOf(
      hello(),
      events([1, 10, "created", 1, 0, "short"], [2, 12, "ended", 1, "succeeded"]),
      snapshot({ seq: 2, atMs: 13, tasks: [task(1, "short")] }),
    );
    assert.equal(named(trace, "short").filter(({ ph }) => ph === "b").length, 1);
  });

  it("is not led to go back in time by a state told as of just after the events that follow it", () => {
    traceOf(
      hello(),
      snapshot({ seq: 3, atMs: 20, tasks: [task(2, "writer")] }),
      events([4, 19, "resume", 2, 0], [5, 19.5, "wait", 2, "sleep", 0, 0], [6, 25, "ended", 2, "failed"]),
    );
  });

  it("does not call a long step work if nothing has seen the loop blocked", () => {
    const life: TaskEvent[] = [
      [1, 10, "created", 1, 0, "main"],
      [2, 500, "wait", 1, "sleep", 0, 0],
    ];
    const [unsure] = traceOf(hello(), events(...life)).traceEvents.filter(({ ph }) => ph === "X");
    assert.deepEqual([unsure?.cat, unsure?.name], ["unsure", "main, or an await of a plain promise"]);
    const blocked = { type: "block", block: block({ startedAtMs: 300, durationMs: 100 }) } as const;
    const [sure] = traceOf(hello(), blocked, events(...life)).traceEvents.filter(({ ph }) => ph === "X");
    assert.equal(sure?.cat, "step");
  });

  it("has no steps of tasks whose waits were not sampled", () => {
    const trace = traceOf(
      hello({ sampling: 16 }),
      events([1, 10, "created", 1, 0, "main"], [2, 12, "ended", 1, "succeeded"]),
    );
    assert.deepEqual(
      trace.traceEvents.filter(({ ph }) => ph === "X"),
      [],
    );
  });

  it("keeps several waits of one task apart from spans, which must nest", () => {
    const trace = traceOf(
      hello(),
      events(
        [1, 10, "created", 1, 0, "main"],
        [2, 11, "wait", 1, "sleep", 0, 0],
        [3, 12, "wait", 1, "Event.wait", 0, 0],
        [4, 13, "resume", 1, 1],
        [5, 14, "resume", 1, 0],
      ),
    );
    assert.deepEqual(
      named(trace, "sleep").map(({ ph, ts }) => [ph, ts]),
      [
        ["b", 11_000],
        ["e", 14_000],
      ],
    );
    assert.deepEqual(
      named(trace, "waits for Event.wait, too").map(({ ph, ts }) => [ph, ts]),
      [["n", 12_000]],
    );
  });

  it("of nothing is a trace all the same", () => {
    assert.deepEqual(
      traceOf().traceEvents.map(({ ph }) => ph),
      ["M", "M", "M"],
    );
    assert.equal(traceOf(hello()).displayTimeUnit, "ms");
  });

  it("of whatever events, in whatever order, can be imported", () => {
    for (let seed = 1; seed <= 200; seed += 1) traceOf(hello(), ...chaos(seed));
  });
});

/** Messages that no program would tell in this order. */
function chaos(seed: number): StreamMessage[] {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const alive = [task(1, "one"), task(2, "two"), task(5, "five")];
  const over = new Set<number>();
  const eventOf = (seq: number): TaskEvent => {
    // Numbers of tasks are never used again.
    let id = below(4);
    while (over.has(id)) id += 1;
    const atMs = seq + below(3);
    const kinds: readonly TaskEvent[] = [
      [seq, atMs, "created", id, below(4), `task ${id}`],
      [seq, atMs, "wait", id, "sleep", 0, 0],
      [seq, atMs, "resume", id, below(2)],
      [seq, atMs, "ended", id, "succeeded"],
      [seq, atMs, "cancelled", id, "call", true],
    ];
    const event = kinds[below(kinds.length)] as TaskEvent;
    if (event[2] === "ended" && id !== 0) over.add(id);
    return event;
  };
  return Array.from({ length: 60 }, (_, index): StreamMessage => {
    const seq = index + below(5);
    const kind = below(12);
    if (kind === 0) return snapshot({ seq: below(60), atMs: index, tasks: alive.filter(({ id }) => !over.has(id)) });
    if (kind === 1) return { type: "gap", from: seq, to: seq + 3 };
    if (kind === 2) return delta({ atMs: index, gone: [below(4)] });
    if (kind === 3)
      return { type: "block", block: block({ id: below(3), startedAtMs: below(60), durationMs: below(9) }) };
    return events(eventOf(seq), eventOf(seq + 1));
  });
}
