// SIGINT at fifty moments of the life of a process, the loading of the program included.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runFixture } from "../../kernel/child.ts";

const STARTED = "started";
const MOMENTS = 50;

describe("SIGINT at any moment after the start of the program", { concurrency: 2 }, () => {
  for (let moment = 0; moment < MOMENTS; moment++) {
    it(`ends it with exit code 130, everything cleaned up (moment ${moment})`, async () => {
      const { lines, code, stderr } = await runFixture("long-program.ts", "", {
        signals: [[STARTED, "SIGINT"]],
        delayMs: (moment * 7) % 40,
      });
      const opened = lines.filter((line) => line === "open").length;
      const closed = lines.filter((line) => line === "closed").length;
      assert.equal(opened, closed, lines.join("\n"));
      assert.equal(lines.at(-1), "CancelledError SIGINT", stderr);
      assert.equal(code, 130);
    });
  }
});
