// `kill -9` at 50 random moments, then once to the end.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { killAndResume } from "../support/killing.ts";

describe("meanwhile fetch --state", () => {
  it("loses, doubles and corrupts nothing in 50 kills", async (t) => {
    const kills = 50;
    const killed = await killAndResume(10_000, kills, Math.random);
    t.diagnostic(JSON.stringify(killed));
    const { corrupt, lost, doubled, lastExit, refetched } = killed;
    assert.deepEqual({ corrupt, lost, doubled, lastExit }, { corrupt: 0, lost: 0, doubled: 0, lastExit: 0 });
    assert.ok(refetched <= kills * 60);
  });
});
