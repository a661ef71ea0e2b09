// Test tools replace the timers and queues of the process, some of them all: the runtime goes on with the real ones.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runFixture } from "./child.ts";

describe("With a fake for every timer and queue", () => {
  it("runs start tasks, wait, cancel and end", async () => {
    const { code, lines, stderr } = await runFixture("fake-timers.ts", "");
    assert.deepEqual(lines, ["a task", "cancelled"], stderr);
    assert.equal(code, 0);
  });
});
