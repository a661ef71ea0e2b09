// What a whole process does: its errors and warnings, its exit code, its memory.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Ended, runProcess } from "./child.ts";

/** Without what Node says of the way through itself and of the process. */
function essence({ code, stdout, stderr }: Ended): readonly unknown[] {
  const text = stderr
    .replaceAll(/^ +at .*(?:node:internal|packages\/meanwhile).*\n/gm, "")
    .replaceAll(/:\d+\)$/gm, ")");
  return [code, stdout, text];
}

describe("an error that nobody awaits", () => {
  it("ends the process as it would without instrumentation", async () => {
    const [instrumented, plain] = await Promise.all([runProcess("unhandled"), runProcess("unhandled", false)]);
    assert.match(plain.stderr, /RangeError: nobody awaits this\n {4}at fails/);
    assert.equal(plain.code, 1);
    const withoutSource = (text: string): string => text.replace(/^(.*\.ts:\d+)\n.*\n *\^\n/, "$1\n");
    assert.deepEqual(
      essence({ ...instrumented, stderr: withoutSource(instrumented.stderr) }),
      essence({ ...plain, stderr: withoutSource(plain.stderr) }),
    );
  });
});

describe("where a program waits", () => {
  it("is told by a deadlock: each wait, with the functions that wait", async () => {
    const { code, stderr } = await runProcess("deadlock");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /task 1 "main" waits for Event\.wait in waits \(.*deadlock\.ts:6:3\) and new Promise\(\(\) => \{\}\) in waitsForForeign \(.*deadlock\.ts:10:3\)\n {2}Event\.wait in waits \(.*deadlock\.ts:6:3\)\n {4}at main \(.*deadlock\.ts:14:3\)\n/,
    );
  });

  it("is told of a task that goes on although it was cancelled", async () => {
    const { code, stderr } = await runProcess("stuck");
    assert.equal(code, 0);
    assert.match(
      stderr,
      /MW_WARN_STILL_SUSPENDED.* it waits for new Promise\(untilWarned\) in <anonymous> \(.*stuck\.ts:15:5\)/,
    );
  });
});

describe("memory", () => {
  it("is not kept by 100 000 calls, nor by a chain of calls each of which outlives the one before", async () => {
    const { stdout, stderr } = await runProcess("garbage");
    assert.deepEqual([stdout, stderr], ["nothing is kept\n", ""]);
  });
});
