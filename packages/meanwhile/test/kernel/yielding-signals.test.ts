// Signals that are left to the program while it listens itself, sent to real processes.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runFixture } from "./child.ts";

describe("A signal", () => {
  it("is left to whoever else listens to it by one that yields, who is told when nobody does any more", async () => {
    const { lines, code } = await runFixture("signals.ts", "yields to a listener", {
      signals: [
        ["ready", "SIGINT"],
        ["ready again", "SIGINT"],
      ],
    });
    assert.deepEqual(lines, ["listeners: 1", "ready", "ready again", "told of SIGINT"]);
    assert.equal(code, 130);
  });

  it("is not told to one that yields because another one does not", async () => {
    const { lines, code } = await runFixture("signals.ts", "one of two yields", { signals: [["ready", "SIGINT"]] });
    assert.deepEqual(lines, ["ready", "own listener"]);
    assert.equal(code, 130);
  });
});
