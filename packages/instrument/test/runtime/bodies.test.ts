// What runs in a scope or a task without being an async function of the program itself.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "./harness.ts";
import type * as Bodies from "./programs/bodies.ts";

const { instrumented: program } = await load<typeof Bodies>("bodies");
const LATE =
  "Cannot finish in time: the timeout of 5 ms has passed; it waited for a promise that is not one of meanwhile";

describe("a plain function that returns a promise of somebody else", () => {
  it("can be interrupted as the body of a timeout, whose error names the function around", async () => {
    assert.deepEqual(await logOf(program.timeoutOfForeign, { isRealTime: true }), [
      `${LATE} in limited (bodies.ts)`,
      "returns",
    ]);
  });

  it("can be interrupted in a combinator", async () => {
    assert.deepEqual(await logOf(program.moveOnFromForeign, { isRealTime: true }), ["undefined", "returns"]);
  });

  it("can be interrupted as a job in a list", async () => {
    const [error, ...rest] = await logOf(program.jobsThatAreForeign, { isRealTime: true });
    assert.match(error ?? "", /it waited for a promise that is not one of meanwhile in task "task \d+" and a promise/);
    assert.deepEqual(rest, ["returns"]);
  });

  it("can be interrupted as the job of a task", async () => {
    assert.deepEqual(await logOf(program.taskThatIsForeign, { isRealTime: true }), [
      "TaskCancelledError, ours: false",
      "returns",
    ]);
  });

  it("can be interrupted as the body of a group", async () => {
    assert.deepEqual(await logOf(program.groupBodyThatIsForeign, { isRealTime: true }), [
      "task ends",
      "undefined",
      "returns",
    ]);
  });

  it("gives its value, cancelled or not", async () => {
    assert.deepEqual(await logOf(program.valuesOfPlainBodies, { isRealTime: true }), [
      "a value in a cancelled scope",
      "a promise",
      "returns",
    ]);
  });
});

describe("a cleanup with a limit of its own", () => {
  it("ends there, and not when graceMs are over", async () => {
    const log = await logOf(program.limitOfCleanup, { graceMs: 60_000, isRealTime: true });
    assert.equal(log.length, 4);
    for (const line of log.slice(0, 2)) assert.match(line, /the shield's timeout of 5 ms has passed/);
    assert.deepEqual(log.slice(2), ["cleaned up", "returns"]);
  });
});
