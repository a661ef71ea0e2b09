// `kill -9` at 50 random moments, then once to the end.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { noteFigure } from "../../../../tools/figures.ts";
import { killAndResumeFiles } from "../support/killing-files.ts";
import { killAndResume } from "../support/killing.ts";

const KILLS = Math.max(5, Math.ceil(50 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1)));
const PROOF = "kill -9, and again";

describe(`meanwhile fetch, killed ${KILLS} times,`, () => {
  it("loses, doubles and corrupts no record", async () => {
    const started = performance.now();
    const killed = await killAndResume(200 * KILLS, KILLS, Math.random);
    const { corrupt, lost, doubled, lastExit, refetched } = killed;
    assert.deepEqual({ corrupt, lost, doubled, lastExit }, { corrupt: 0, lost: 0, doubled: 0, lastExit: 0 });
    assert.ok(refetched <= KILLS * 60, `${refetched} requests in vain`);
    const note = `${200 * KILLS} URLs: 0 corrupt, 0 lost, 0 doubled, ${refetched} fetched again`;
    noteFigure(PROOF, { count: KILLS, unit: "kills with records", ms: performance.now() - started, note });
  });

  it("goes on with large files, and each is what the server has", async () => {
    const started = performance.now();
    const options = { files: 20, bytes: 5_000_000, kills: KILLS, random: Math.random };
    const { killed, corrupt, lost, excess, lastExit, ...others } = await killAndResumeFiles(options);
    const { overhead, unfinished, resumed } = others;
    assert.deepEqual({ corrupt, lost, excess, lastExit }, { corrupt: 0, lost: 0, excess: [], lastExit: 0 });
    assert.ok(killed > 0 && resumed > 0, JSON.stringify({ killed, ...others }));
    const note = `20 files of 5 MB: 0 corrupt, 0 lost; ${resumed} resumed, ${(overhead * 100).toFixed(0)} % sent twice; ${unfinished} parts and notes left`;
    noteFigure(PROOF, { count: killed, unit: "kills with files", ms: performance.now() - started, note });
  });
});
