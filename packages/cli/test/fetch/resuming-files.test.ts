// Files that a run has begun and a later one ends: the small version of what test/slow does at length.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { killAndResumeFiles } from "../support/killing-files.ts";

describe("meanwhile fetch -o DIR --resume", () => {
  it("ends with whole files however often it is killed", { timeout: 60_000 }, async () => {
    const options = { files: 3, bytes: 1_000_000, kills: 3, random: Math.random };
    const killed = await killAndResumeFiles(options);
    const { corrupt, lost, excess, lastExit } = killed;
    assert.deepEqual({ corrupt, lost, excess, lastExit }, { corrupt: 0, lost: 0, excess: [], lastExit: 0 });
    assert.ok(killed.killed > 0, JSON.stringify(killed));
  });
});
