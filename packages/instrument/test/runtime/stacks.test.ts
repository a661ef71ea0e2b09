// Stacks of errors: the same functions and lines as without instrumentation.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { createTask, run, sleepForever, type Task, TimeoutError } from "meanwhile";
import { type TaskNode, tellRemoteTasks } from "meanwhile/lowlevel";
import { MockClock } from "meanwhile/testing";

import { load } from "./harness.ts";
import type * as programs from "./programs/stacks.ts";

const { plain, instrumented } = await load<typeof programs>("stacks");

/** Functions and lines of the program in a stack. */
function linesOf(error: Error): string[] {
  const lines = (error.stack ?? "").split("\n").filter((line) => line.includes("programs/stacks.ts"));
  return lines.map((line) =>
    line
      .trim()
      .replace(/\(?(?:file:)?\/.*\//, "")
      .replace("?plain", "")
      .replace(/:\d+\)?$/, ""),
  );
}

describe("the stack", () => {
  it("of an error three instrumented functions deep has their names and lines", async () => {
    const errors = (await run(instrumented.failures)).map(linesOf);
    assert.deepEqual(errors, (await run(plain.failures)).map(linesOf));
    assert.deepEqual(errors[0], [
      "at inner stacks.ts:7",
      "at async middle stacks.ts:12",
      "at async outer stacks.ts:16",
      "at async failures stacks.ts:28",
    ]);
  });

  it("of a cancellation begins in the function it was thrown into", async () => {
    const error = await run(instrumented.cancellation);
    assert.equal(linesOf(error as Error)[0], "at async waitsForEver stacks.ts:37");
  });

  it("of what a deadline interrupts is in the message of its error", async () => {
    // On a clock of its own: else the time may be over before the wait begins.
    const clock = new MockClock({ autojump: false });
    const ended = run(instrumented.deadline, { clock });
    await turn();
    await clock.advance(1);
    const error = await ended;
    assert.ok(error instanceof TimeoutError);
    assert.match(error.message, /never\(\) in waitsForEver \(.*stacks\.ts:37:3\)/);
  });

  it("of a wait is told to those who look from elsewhere", async () => {
    await run(async () => {
      const job = createTask(instrumented.callsWhoWaits, { name: "job" });
      await turn();
      const [told] = tellRemoteTasks(job as TaskNode).tasks;
      assert.deepEqual(
        told?.waits.flatMap(({ stack }) => stack).map((call) => `${call.function}:${call.line}`),
        ["waitsForEver:37", "callsWhoWaits:41"],
      );
      job.cancel();
    });
  });

  it("of a wait is known also where the call gave the event loop its turn before, or waits once more", async () => {
    await run(async () => {
      for (const job of instrumented.lateWaits) {
        const task = createTask(job) as Task<unknown>;
        for (let turns = 0; turns < 10; turns++) await turn();
        const [told] = tellRemoteTasks(task as TaskNode).tasks;
        assert.deepEqual(
          told?.waits.map(({ stack }) => stack.map((call) => call.function)),
          [[job.name]],
        );
        task.cancel();
        await Promise.resolve(task).catch(() => {});
      }
    });
  });

  it("of a wait that was left behind is that of nobody", async () => {
    await run(async () => {
      const task = createTask(async () => {
        await instrumented.leavesWaitBehind();
        await sleepForever();
      });
      for (let turns = 0; turns < 10; turns++) await turn();
      const [told] = tellRemoteTasks(task as TaskNode).tasks;
      assert.deepEqual(told?.waits.map((wait) => wait.for).toSorted(), ["Event.wait", "sleepForever"]);
      task.cancel();
    });
  });
});
