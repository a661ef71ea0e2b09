// Hosts that fail: the small version of what test/slow does at length.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { fetchAmongFaults, PER_HOST } from "../support/among-faults.ts";

describe("meanwhile fetch, among faults of ten kinds,", () => {
  it("has one record for each URL, and spares the hosts", async (t) => {
    const options = { urls: 300, hosts: 100, retries: 1, limitMs: 60_000, random: Math.random };
    const { isHanging, exit, lost, excess, wrong, early, ...others } = await fetchAmongFaults(options);
    t.diagnostic(JSON.stringify(others));
    assert.deepEqual({ isHanging, exit, lost, excess }, { isHanging: false, exit: 1, lost: 0, excess: 0 });
    assert.deepEqual(wrong, []);
    assert.equal(early, 0, "no request while a host rests");
    assert.ok(others.mostRunning <= PER_HOST, `${others.mostRunning} at once`);
  });
});
