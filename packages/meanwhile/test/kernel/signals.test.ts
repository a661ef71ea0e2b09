// SIGINT and SIGTERM, sent to real processes.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Ended, runFixture } from "./child.ts";

type Signal = "SIGINT" | "SIGTERM";

function send(scenario: string, ...signals: Array<[line: string, signal: Signal]>): Promise<Ended> {
  return runFixture("signals.ts", scenario, { signals });
}

describe("A signal", { concurrency: 2 }, () => {
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`cancels main, which cleans up, and the run rejects with the reason ${signal}`, async () => {
      const { lines, code, stderr } = await send("cancelled and caught", ["ready\nready\nready", signal]);
      assert.deepEqual(lines.slice(3), [
        "first cleaned up",
        "second cleaned up",
        "background cleaned up",
        `CancelledError ${signal}`,
      ]);
      assert.equal(code, exitCode);
      assert.equal(stderr, "");
    });
  }

  it("gives the exit code also if nobody catches the error, which says what happened", async () => {
    const { lines, code, stderr } = await send("cancelled and not caught", ["ready", "SIGINT"]);
    assert.deepEqual(lines, ["ready", "main cleaned up"]);
    assert.equal(code, 130);
    assert.match(stderr, /CancelledError: Cancelled: SIGINT\n[^]* at async .*signals\.ts/);
  });

  it("gives the exit code also if main swallows it, whose value is returned, and over any other code", async () => {
    const { lines, code } = await send("swallowed", ["ready", "SIGTERM"]);
    assert.deepEqual(lines, ["ready", "main cleaned up", "value"]);
    assert.equal(code, 143);
  });

  it("ends the process at once when it is the second one", async () => {
    const { lines, code } = await send("stubborn", ["ready", "SIGTERM"], ["ready again", "SIGINT"]);
    assert.deepEqual(lines, ["ready", "main cleaned up", "ready again"]);
    assert.equal(code, 130);
  });

  it("does what it does without us if handleSignals is false", async () => {
    const { lines, code, signal } = await send("not handled", ["ready", "SIGTERM"]);
    assert.deepEqual(lines, ["ready"]);
    assert.deepEqual([code, signal], [null, "SIGTERM"]);
  });

  it("cancels all runs that are going on", async () => {
    const { lines, code } = await send("two runs at once", ["ready\nready", "SIGINT"]);
    assert.deepEqual(lines.slice(2).toSorted(), [
      "CancelledError SIGINT",
      "CancelledError SIGINT",
      "one cleaned up",
      "two cleaned up",
    ]);
    assert.equal(code, 130);
  });

  it("does what it does without us when no run is left", async () => {
    const { lines, signal } = await send("after the run", ["ready", "SIGINT"], ["ready again", "SIGINT"]);
    assert.equal(lines.at(-1), "ready again");
    assert.equal(signal, "SIGINT");
  });

  it("does not take back the value of a main that has ended", async () => {
    const { lines, code } = await send("during shutdown", ["ready again", "SIGINT"]);
    assert.deepEqual(lines, ["ready", "background cleaned up", "ready again", "value"]);
    assert.equal(code, 130);
  });

  it("cancels the run at whatever moment it comes", async () => {
    const { lines, code, stderr } = await send("many moments");
    assert.deepEqual(lines, ["50 cancelled, 0 listeners left, cleaned up: true"], stderr);
    assert.equal(code, 143);
  });
});
