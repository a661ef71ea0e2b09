// 10 000 URLs at 100 hosts, a tenth of which fail in one of ten ways, again and again.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { noteFigure } from "../../../../tools/figures.ts";
import { fetchAmongFaults, PER_HOST } from "../support/among-faults.ts";

const RUNS = Math.ceil(100 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1));
const PROOF = "fetch among faults";
/** Ten times what a run takes. */
const LIMIT_MS = 100_000;

describe("meanwhile fetch, among faults of ten kinds,", () => {
  it(`ends in each of ${RUNS} runs, with one record for each URL, and spares the hosts`, async () => {
    const started = performance.now();
    const sums = { faults: 0, requests: 0, rests: 0 };
    let [longestMs, latestMs] = [0, 0];
    for (let run = 1; run <= RUNS; run++) {
      const ran = await fetchAmongFaults({
        urls: 10_000,
        hosts: 100,
        retries: 3,
        limitMs: LIMIT_MS,
        random: Math.random,
      });
      const { isHanging, exit, lost, excess, wrong, early } = ran;
      const text = `run ${run}: ${JSON.stringify(ran)}`;
      assert.deepEqual({ isHanging, exit, lost, excess }, { isHanging: false, exit: 1, lost: 0, excess: 0 }, text);
      assert.deepEqual(wrong, [], text);
      assert.equal(early, 0, `no request while a host rests, ${text}`);
      assert.equal(ran.mostRunning, PER_HOST, text);
      for (const key of ["faults", "requests", "rests"] as const) sums[key] += ran[key];
      longestMs = Math.max(longestMs, ran.ms);
      latestMs = Math.max(latestMs, ran.latestMs);
    }
    const ms = performance.now() - started;
    const note = `0 hangs, the longest ${(longestMs / 1_000).toFixed(1)} s; 0 lost; never more than ${PER_HOST} at a host`;
    noteFigure(PROOF, { count: RUNS, unit: "runs of 10 000 URLs", ms, note });
    noteFigure(PROOF, { count: sums.faults, unit: "faults", ms: 0, note: `${sums.requests} requests` });
    noteFigure(PROOF, {
      count: sums.rests,
      unit: "times Retry-After",
      ms: 0,
      note: `0 requests before its end, but for those on their way, the last after ${latestMs.toFixed(0)} ms`,
    });
  });
});
