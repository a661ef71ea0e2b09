// The moves between the states of a task.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { isFinal, NEW, RUNNING, type TaskState, transition } from "../../src/kernel/task-state.ts";

const ENDS: readonly TaskState[] = [
  { kind: "succeeded", value: 1 },
  { kind: "failed", error: 1 },
  { kind: "cancelled", error: 1 },
];

describe("The state of a task", () => {
  it("goes from new to running to one of three ends", () => {
    assert.equal(transition(NEW, RUNNING), RUNNING);
    for (const end of ENDS) assert.equal(transition(RUNNING, end), end);
    assert.deepEqual([NEW, RUNNING, ...ENDS].map(isFinal), [false, false, true, true, true]);
  });

  it("goes no other way", () => {
    const forbidden: ReadonlyArray<readonly [TaskState, TaskState]> = [
      [NEW, NEW],
      [RUNNING, NEW],
      [RUNNING, RUNNING],
      ...ENDS.map((end) => [NEW, end] as const),
      ...ENDS.flatMap((end) => [NEW, RUNNING, ...ENDS].map((next) => [end, next] as const)),
    ];
    for (const [from, to] of forbidden) {
      assert.throws(() => transition(from, to), {
        code: "MW_ERR_INTERNAL",
        message: new RegExp(`^task went from ${from.kind} to ${to.kind}`),
      });
    }
  });
});
