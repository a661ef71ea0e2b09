// What runs in a scope or a task without being an async function of the program itself.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "./harness.ts";
import type * as Bodies from "./programs/bodies.ts";

const { instrumented: program } = await load<typeof Bodies>("bodies");
const LATE =
  "Cannot finish in time: the timeout of 50 ms has passed; it waited for a promise that is not one of meanwhile";

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

describe("a timeout outside of any run", () => {
  it("reaches every await of its body", async () => {
    const log: string[] = [];
    await program.outsideOfRuns((line) => log.push(line));
    assert.equal(log[0], "cleaned up");
    assert.match(
      log[1] ?? "",
      /it waited for Promise\.all\(\[never\(\), turns\(1\)\]\) in <anonymous> \(bodies\.ts\)$/,
    );
  });
});

describe("the task tree", () => {
  it("has the stack of each wait of a task", async () => {
    const [tree = ""] = await logOf(program.twoWaitsOfOneTask, { isRealTime: true });
    const lines = tree
      .replaceAll(/\(\S*\/(\w+\.ts):\d+:\d+\)/g, "($1)")
      .split("\n")
      .map((line) => line.trim());
    assert.match(
      lines[0] ?? "",
      /waits for never\(\) in inner \(bodies\.ts\) and sleep \(.*\) in <anonymous> \(bodies\.ts\)$/,
    );
    assert.deepEqual(lines.filter((line) => line.startsWith("at ")).slice(0, 2), [
      "at <anonymous> (bodies.ts)",
      "at twoWaitsOfOneTask (bodies.ts)",
    ]);
    assert.ok(lines.includes("never() in inner (bodies.ts)"));
  });
});

describe("a cleanup with a limit of its own", () => {
  it("ends there, and not when graceMs are over", async () => {
    const log = await logOf(program.limitOfCleanup, { graceMs: 60_000, isRealTime: true });
    assert.equal(log.length, 4);
    for (const line of log.slice(0, 2)) assert.match(line, /the shield's timeout of 50 ms has passed/);
    assert.deepEqual(log.slice(2), ["cleaned up", "returns"]);
  });
});
