// What is collected and what is reported then, in processes whose collector can be called.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runFixture } from "./child.ts";

async function reportsOf(scenario: string): Promise<string[]> {
  const { code, lines, stderr } = await runFixture("garbage.ts", scenario, { nodeOptions: ["--expose-gc"] });
  assert.equal(code, 0, stderr);
  return lines.map((line) =>
    /^MW_WARN_NEVER_AWAITED Coroutine "work".*at forget \(/.exec(line)?.[0] ? "report" : line,
  );
}

const thousand = Array.from({ length: 1_000 }, () => "report");

describe("Forgotten coroutines", { concurrency: 2 }, () => {
  it("are all reported outside of a run, when they are collected and not before", async () => {
    assert.deepEqual(await reportsOf("a thousand outside of a run"), ["nothing yet", ...thousand]);
  });

  it("are all reported in a run", async () => {
    assert.deepEqual(await reportsOf("a thousand in a run"), thousand);
  });

  it("are reported when they are collected if that comes before the end of the run, and only then", async () => {
    assert.deepEqual(await reportsOf("collected before the run ends"), ["report", "still running"]);
  });

  it("are not among those that were awaited", async () => {
    assert.deepEqual(await reportsOf("awaited and collected"), []);
  });

  it("do not keep those awaited in memory while the event loop gets no turn", async () => {
    assert.deepEqual(await reportsOf("only microtasks"), ["flat"]);
  });
});

describe("A run that has ended", () => {
  it("is collected, although a task in it was cancelled a moment ago", async () => {
    assert.deepEqual(await reportsOf("runs that have ended"), ["collected"]);
  });
});

describe("A task that has ended", () => {
  it("is collected with its result, although a timer that it made lives on", async () => {
    assert.deepEqual(await reportsOf("what a task has made and left"), ["collected"]);
  });
});

describe("A promise that lives long", () => {
  it("does not remember the races and waits that were over before it", async () => {
    assert.deepEqual(await reportsOf("a promise that lives long"), ["flat"]);
  });
});

describe("A coroutine that lives long", () => {
  it("does not remember those who awaited it for a while", async () => {
    assert.deepEqual(await reportsOf("a coroutine that lives long"), ["flat"]);
  });
});
