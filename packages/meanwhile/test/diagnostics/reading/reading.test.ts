// What readers of a program's answers have in common: lines, the state that a stream keeps, and what is alike.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { groupAlike, LiveState, parseMessage, shapeOf } from "meanwhile/diagnostics";

import { block, delta, events, hello, place, snapshot, task, wait, warning } from "./told.ts";

const read = (message: unknown): unknown => parseMessage(JSON.stringify(message));

describe("A line of a recording", () => {
  it("is a message of the protocol", () => {
    for (const message of [hello(), snapshot({ tasks: [task(1, "main")] }), delta(), { type: "bye", atMs: 1 }]) {
      assert.deepEqual(read(message), message);
    }
  });

  it("is left out if it is of a kind that is not known, or was not written to its end", () => {
    assert.equal(read({ type: "news" }), null);
    assert.equal(read({ type: "toString" }), null);
    assert.equal(parseMessage('{"type":"events","events":[[1,2'), null);
    assert.equal(parseMessage(""), null);
    assert.equal(parseMessage("null"), null);
  });

  it("is left out if it has not what its kind has", () => {
    assert.equal(read({ ...snapshot(), tasks: [{ id: 1 }] }), null);
    assert.equal(read({ ...snapshot(), warnings: undefined }), null);
    assert.equal(read({ ...delta(), ended: [1] }), null);
    assert.equal(read({ type: "block", block: null }), null);
    assert.equal(read({ type: "gap", from: "1", to: 2 }), null);
  });

  it("has only those events that are some", () => {
    const good = [1, 2.5, "ended", 3, "failed"] as const;
    assert.deepEqual(read({ type: "events", events: [good, null, [1, "2", "ended", 3], {}] }), events(good));
  });

  it("of a newer protocol is refused", () => {
    assert.throws(() => read(hello({ protocol: 2 })), /use a newer meanwhile/);
  });
});

describe("The state that a stream keeps", () => {
  it("has the tasks as they are now", () => {
    const state = new LiveState();
    state.apply(hello());
    state.apply(snapshot({ tasks: [task(1, "main"), task(2, "gone"), task(3, "ended")] }));
    const ended = {
      id: 3,
      name: "ended",
      parent: 1,
      createdAtMs: 1,
      endedAtMs: 2,
      outcome: "failed",
      cancelledAtMs: null,
      steps: 1,
      waitedMs: 1,
    } as const;
    state.apply(delta({ tasks: [task(1, "main", { steps: 9 }), task(4, "new")], gone: [2], ended: [ended] }));
    assert.deepEqual(
      [...state.tasks.values()].map(({ id, steps }) => [id, steps]),
      [
        [1, 9],
        [4, 1],
      ],
    );
    assert.equal(state.atMs, 350);
  });

  it("begins anew with each snapshot", () => {
    const state = new LiveState();
    state.apply(snapshot({ tasks: [task(1, "main")] }));
    state.apply({ type: "gap", from: 1, to: 2 });
    state.apply(snapshot({ tasks: [task(2, "other")] }));
    assert.deepEqual([...state.tasks.keys()], [2]);
  });

  it("has warnings and blocks as they were told last, and the block that lasts", () => {
    const state = new LiveState();
    state.apply({ type: "warning", warning: warning() });
    state.apply({ type: "warning", warning: warning({ overAtMs: 5 }) });
    state.apply({ type: "block", block: block({ ongoing: true }) });
    assert.equal(state.blocked?.id, 1);
    state.apply({ type: "block", block: block({ durationMs: 900 }) });
    assert.deepEqual([state.blocked, state.warnings.length, state.warnings[0]?.overAtMs], [null, 1, 5]);
    assert.deepEqual(
      state.blocks.map(({ durationMs }) => durationMs),
      [900],
    );
  });

  it("forgets the oldest of a thousand warnings", () => {
    const state = new LiveState();
    for (let id = 1; id <= 1_200; id += 1) state.apply({ type: "warning", warning: warning({ id }) });
    assert.deepEqual([state.warnings.length, state.warnings[0]?.id], [1_000, 201]);
  });
});

describe("Tasks are alike", () => {
  const sizes = (...tasks: Parameters<typeof groupAlike>[0][]): number[] =>
    tasks.flatMap((list) => groupAlike(list).map(({ length }) => length));
  const at = (name: string, line: number) => ({
    waits: [wait("Lock.acquire (held by task 3)", { stack: [place("take", line)] })],
    name,
  });

  it("if they wait for the same at the same place, whatever they are called", () => {
    assert.deepEqual(
      sizes([task(1, "a", at("ann", 7)), task(2, "b", at("bob", 7)), task(3, "c", at("cid", 8))]),
      [2, 1],
    );
  });

  it("where no place is known, if their names differ in numbers only", () => {
    assert.deepEqual(sizes([task(1, "worker 1"), task(2, "worker 22"), task(3, "main")]), [2, 1]);
  });

  it("whoever holds what they wait for, and whatever is left of a time", () => {
    const waiting = (what: string) => ({ waits: [wait(what)] });
    const tasks = [task(1, "w 1", waiting('task "worker 1"')), task(2, "w 2", waiting('task "other"'))];
    assert.deepEqual(sizes(tasks), [2]);
    assert.deepEqual(
      sizes([task(1, "w", waiting("sleep (3 ms left)")), task(2, "w", waiting("sleep (9 ms left)"))]),
      [2],
    );
  });

  it("not if only one of them is cancelled", () => {
    assert.deepEqual(sizes([task(1, "w", { cancelledAtMs: 3 }), task(2, "w")]), [1, 1]);
  });

  it("and what they have in common has stars where they differ", () => {
    assert.equal(shapeOf('task 12 "worker \\" 3" of 4'), 'task * "*" of *');
  });
});
