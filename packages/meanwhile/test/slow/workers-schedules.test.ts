import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { currentScopeNode } from "meanwhile/lowlevel";

import { cell, threads } from "../workers/pools.ts";
import { Schedule } from "../workers/schedule.ts";

const SCHEDULES = Number(process.env["SCHEDULES"] ?? 200);

describe("workers under 10 000 random calls, cancellations and crashes", { timeout: 900_000 }, () => {
  it("leave no thread, no job and no wait behind", async () => {
    const before = currentScopeNode().members().length;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const concurrency = 1 + (seed % 3);
      await using pool = threads({ threads: 2, concurrency, graceMs: 5, maxQueued: seed % 2 === 0 ? 3 : Infinity });
      const counted = cell();
      const schedule = new Schedule(pool, seed, concurrency === 1, counted);
      await schedule.run(50);
      const runs = Atomics.load(counted, 0);
      assert.ok(runs >= schedule.returned && runs <= schedule.returned + schedule.unclear, `seed ${seed}`);
      await pool.close();
      const { threads: left, running, queued, waiting } = pool.statistics();
      assert.deepEqual([left, running, queued, waiting], [0, 0, 0, 0], `seed ${seed}`);
    }
    assert.equal(currentScopeNode().members().length, before);
  });
});
