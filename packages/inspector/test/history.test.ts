// How the past of a run is put together from messages, in whatever order they come.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { StreamMessage } from "meanwhile/diagnostics";

import { RunHistory } from "../src/index.ts";
import { orderLanes } from "../src/timeline/lane-order.ts";
import { type Lane, reasonAt, stateAt, sumsOf } from "../src/timeline/lane.ts";
import { LoadCurve } from "../src/timeline/load-curve.ts";
import { eachSegment } from "../src/timeline/segments.ts";
import { durationText, ticksOf } from "../src/timeline/time-scale.ts";
import { largeRun } from "./support/large-run.ts";
import { EventMaker, snapshot, task } from "./support/messages.ts";

function historyOf(...messages: StreamMessage[]): RunHistory {
  const history = new RunHistory();
  for (const message of messages) history.apply(message);
  return history;
}

function eventsOf(make: (events: EventMaker) => void): StreamMessage {
  const maker = new EventMaker();
  make(maker);
  return { type: "events", events: maker.events };
}

function laneOf(history: RunHistory, id: number): Lane {
  const lane = history.lanes.get(id);
  assert.ok(lane !== undefined);
  return lane;
}

/** Waits from 10 to 20 and from 25 on. */
const WAITS = eventsOf((make) => {
  make.created(0, 1, "worker");
  make.wait(10, 1, "sleep");
  make.resume(20, 1);
  make.wait(25, 1, "Lock.acquire");
});

describe("RunHistory", () => {
  it("knows when a task ran and waited, and for what", () => {
    const history = historyOf(WAITS, { type: "bye", atMs: 30 });
    const lane = laneOf(history, 1);
    assert.deepEqual(
      [5, 15, 22, 28].map((at) => stateAt(lane, at)),
      ["running", "waiting", "running", "waiting"],
    );
    assert.equal(history.texts.text(reasonAt(lane, 28)), "Lock.acquire");
    assert.deepEqual(sumsOf(lane, history.nowMs), { runningMs: 15, waitingMs: 15, unknownMs: 0 });
  });

  it("says of a task that was there before only what the state tells", () => {
    const waits = [{ for: "sleep", resource: null, task: null, foreign: false, sinceMs: 80, stack: [] }];
    const state = snapshot({ atMs: 100, tasks: [task(1, { activity: "waiting", sinceMs: 80, steps: 5, waits })] });
    const lane = laneOf(historyOf(state), 1);
    assert.deepEqual(
      [40, 90].map((at) => stateAt(lane, at)),
      ["unknown", "waiting"],
    );
  });

  it("takes events that come after the state that they have led to", () => {
    const waits = [{ for: "Lock.acquire", resource: null, task: null, foreign: false, sinceMs: 25, stack: [] }];
    const state = snapshot({
      seq: 4,
      atMs: 30,
      tasks: [task(1, { name: "worker", activity: "waiting", sinceMs: 25, steps: 2, waits })],
    });
    const lane = laneOf(historyOf(state, WAITS), 1);
    assert.deepEqual(lane.edges, [10, 20, 25]);
    assert.deepEqual(lane.unknown, []);
  });

  it("knows nothing of the time before the first event that is left of a task", () => {
    const state = snapshot({ seq: 9, atMs: 30, tasks: [task(1, { activity: "running", sinceMs: 20, steps: 3 })] });
    const late = eventsOf((make) => {
      make.wait(12, 1, "sleep");
      make.resume(20, 1);
    });
    for (const history of [historyOf(state, late), historyOf(late, state)]) {
      const lane = laneOf(history, 1);
      assert.deepEqual(
        [5, 15, 25].map((at) => stateAt(lane, at)),
        ["unknown", "waiting", "running"],
      );
    }
  });

  it("shows a gap as unknown, never as a state", () => {
    const after: StreamMessage = { type: "events", events: [[50, 60, "resume", 1, 0]] };
    const lane = laneOf(historyOf(WAITS, { type: "gap", from: 5, to: 49 }, after, { type: "bye", atMs: 70 }), 1);
    assert.deepEqual(
      [24, 26, 40, 65].map((at) => stateAt(lane, at)),
      ["running", "unknown", "unknown", "running"],
    );
  });

  it("says that an end was not seen, until it is told after all", () => {
    const history = historyOf(WAITS, snapshot({ seq: 9, atMs: 40 }));
    assert.equal(laneOf(history, 1).isGone, true);
    history.apply({ type: "events", events: [[5, 33, "ended", 1, "failed"]] });
    assert.deepEqual([laneOf(history, 1).endedAtMs, laneOf(history, 1).outcome], [33, "failed"]);
  });

  it("follows deltas where there are no events", () => {
    const { loop, counts } = snapshot();
    const delta = {
      type: "delta",
      seq: 0,
      cut: "exact",
      blocked: null,
      loop,
      counts,
      ended: [],
      gone: [],
      resources: null,
      cycles: null,
    } as const;
    const waits = [{ for: "sleep", resource: null, task: null, foreign: false, sinceMs: 40, stack: [] }];
    const history = historyOf(
      snapshot({ tasks: [task(1)] }),
      { ...delta, atMs: 50, tasks: [task(1, { activity: "waiting", sinceMs: 40, steps: 1, waits })] },
      { ...delta, atMs: 100, tasks: [task(1, { activity: "running", sinceMs: 90, steps: 1 })] },
      { ...delta, atMs: 150, tasks: [], gone: [1] },
    );
    assert.deepEqual(
      [20, 60, 95].map((at) => stateAt(laneOf(history, 1), at)),
      ["running", "waiting", "running"],
    );
    assert.equal(laneOf(history, 1).isGone, true);
  });

  it("counts how many tasks there were, and how many ran, in whatever order it is told", () => {
    const waits = [{ for: "Lock.acquire", resource: null, task: null, foreign: false, sinceMs: 25, stack: [] }];
    const record = task(1, { name: "worker", activity: "waiting", sinceMs: 25, steps: 2, waits });
    const state = snapshot({ seq: 4, atMs: 30, tasks: [record] });
    for (const history of [historyOf(WAITS, state), historyOf(state, WAITS)]) checkLoad(history);
  });

  function checkLoad(history: RunHistory): void {
    const valueAt = (curve: LoadCurve, atMs: number): number =>
      curve.values()[Math.floor((atMs - curve.fromMs) / curve.partMs)] ?? -1;
    assert.deepEqual(
      [5, 15, 22, 28].map((at) => valueAt(history.alive, at)),
      [1, 1, 1, 1],
    );
    assert.deepEqual(
      [5, 15, 22, 28].map((at) => valueAt(history.running, at)),
      [1, 0, 1, 0],
    );
  }

  it("takes in a large run", () => {
    const history = historyOf(...largeRun({ tasks: 500, events: 10_000 }));
    assert.equal(history.lanes.size, 500);
    assert.equal(history.events, 10_000);
    assert.equal(
      [...history.lanes.values()].some(({ unknown }) => unknown.length > 0),
      false,
    );
  });
});

describe("the order of lanes", () => {
  it("is a tree, also when parents are missing, filtered or folded", () => {
    const { lanes } = historyOf(
      eventsOf((make) => {
        make.created(0, 1, "main");
        make.created(1, 2, "a", 1);
        make.created(2, 3, "b", 1);
        make.created(3, 4, "under a", 2);
        make.created(4, 9, "orphan", 7);
        make.created(5, 10, "own parent", 10);
      }),
    );
    const shown = (filter = {}): string[] =>
      orderLanes(lanes, filter).map(({ lane, depth }) => `${depth} ${lane.name}`);
    assert.deepEqual(shown(), ["0 main", "1 a", "2 under a", "1 b", "0 orphan", "0 own parent"]);
    assert.deepEqual(shown({ collapsed: new Set([2]) }), ["0 main", "1 a", "1 b", "0 orphan", "0 own parent"]);
    assert.deepEqual(shown({ shows: ({ id }: Lane) => id === 4 }), ["0 main", "1 a", "2 under a"]);
  });
});

describe("the segments of a lane", () => {
  it("are no more than there are pixels, however much happens", () => {
    const history = historyOf(
      eventsOf((make) => {
        make.created(0, 1, "busy");
        for (let at = 1; at < 10_000; at += 2) {
          make.wait(at / 10, 1, "x");
          make.resume((at + 1) / 10, 1);
        }
        make.wait(1_000, 1, "rest");
      }),
      { type: "bye", atMs: 2_000 },
    );
    const kinds: string[] = [];
    const view = { fromMs: 0, toMs: 2_000, nowMs: history.nowMs, resolutionMs: 20 };
    eachSegment(laneOf(history, 1), view, (kind, fromMs, toMs) =>
      kinds.push(`${kind} ${Math.round(fromMs)}-${Math.round(toMs)}`),
    );
    assert.deepEqual(kinds, ["mixed 0-1000", "waiting 1000-2000"]);
  });
});

describe("LoadCurve", () => {
  it("keeps its numbers when the run gets longer, to both sides", () => {
    const curve = new LoadCurve();
    curve.add(1_000, 3);
    curve.add(1_050, -1);
    curve.add(90_000, -2);
    curve.add(-5_000, 1);
    const values = curve.values();
    const valueAt = (atMs: number): number =>
      Math.round(values[Math.floor((atMs - curve.fromMs) / curve.partMs)] ?? -1);
    assert.deepEqual([-2_000, 40_000, 89_000, 95_000].map(valueAt), [1, 3, 3, 1]);
    assert.equal(Math.round(curve.last), 1);
  });
});

describe("the axis", () => {
  it("has round times, and texts for people", () => {
    assert.deepEqual(ticksOf({ fromMs: 103, toMs: 160 }, 100, 6), [110, 120, 130, 140, 150, 160]);
    assert.deepEqual(ticksOf({ fromMs: 0, toMs: 300_000 }, 0, 5), [0, 60_000, 120_000, 180_000, 240_000, 300_000]);
    const texts = [0, 0.25, 1.54, 17, 999.6, 1_250, 12_345, 59_960, 125_000, 10_920_000].map(durationText);
    assert.deepEqual(texts, [
      "0 ms",
      "0.25 ms",
      "1.5 ms",
      "17 ms",
      "1 s",
      "1.25 s",
      "12.3 s",
      "1 min 0 s",
      "2 min 5 s",
      "3 h 2 min",
    ]);
  });
});
