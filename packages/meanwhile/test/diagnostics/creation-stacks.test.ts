import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Script } from "node:vm";

import { run, type TaskGroup, taskGroup } from "meanwhile";
import { addInstrument } from "meanwhile/lowlevel";

import { CreationStacks } from "../../src/diagnostics/creation-stacks.ts";

/** What is taken of each task that the body creates. */
async function takenOf(stacks: CreationStacks, body: (group: TaskGroup) => void): Promise<number[]> {
  const taken: number[] = [];
  await run(() =>
    taskGroup((group) => {
      using _watch = addInstrument({ taskCreated: () => taken.push(stacks.take(1, 0)) });
      body(group);
    }),
  );
  return taken;
}

/** Creates a task in a line of its own. */
function createIn(line: number, group: TaskGroup): void {
  const script = new Script("(group) => void group.createTask(() => {})", { lineOffset: line });
  (script.runInThisContext() as (of: TaskGroup) => void)(group);
}

describe("The stack of where a task is created", () => {
  it("is told once, however many tasks are created there, and begins with that place", async () => {
    const told: string[] = [];
    const stacks = new CreationStacks(1, (id, stack) => void (told[id] = stack));
    const ids = await takenOf(stacks, (group) => {
      for (let i = 0; i < 3; i++) createHere(group);
    });
    assert.deepEqual(ids, [1, 1, 1]);
    assert.match(told[1] ?? "", /createHere/);
    assert.equal(told.length, 2);
  });

  it("is taken of one task in so many, and of four in 5 ms at most", () => {
    const stacks = new CreationStacks(10, () => {});
    const takenAt = (now: number): number[] =>
      Array.from({ length: 100 }, (_, task) => task).filter((task) => stacks.take(task, now) !== 0);
    assert.deepEqual(takenAt(1), [0, 10, 20, 30]);
    assert.deepEqual(takenAt(3), []);
    assert.deepEqual(takenAt(6), [0, 10, 20, 30]);
  });

  it("is not kept any more when there are 4 096 others", async () => {
    const stacks = new CreationStacks(1, () => {});
    const limit = Error.stackTraceLimit;
    const ids = await takenOf(stacks, (group) => {
      for (const line of [...Array(4_098).keys(), 17]) createIn(line, group);
    });
    assert.deepEqual(ids, [...Array.from({ length: 4_096 }, (_, index) => index + 1), 0, 0, 18]);
    assert.equal(Error.stackTraceLimit, limit);
  });
});

function createHere(group: TaskGroup): void {
  group.createTask(() => {});
}
