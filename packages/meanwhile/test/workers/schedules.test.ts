import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { currentScopeNode } from "meanwhile/lowlevel";

import { cell, processes, threads } from "./pools.ts";
import { Schedule } from "./schedule.ts";

describe("any schedule of calls, cancellations and crashes", () => {
  it("ends with every call ended, once, and nothing left", async () => {
    const before = currentScopeNode().members().length;
    for (const concurrency of [1, 3]) {
      await using pool = threads({ threads: 2, concurrency, graceMs: 5 });
      for (let seed = 1; seed <= 5; seed++) {
        const counted = cell();
        const schedule = new Schedule(pool, seed, concurrency === 1, counted);
        await schedule.run(20);
        const runs = Atomics.load(counted, 0);
        assert.ok(runs >= schedule.returned && runs <= schedule.returned + schedule.unclear, `seed ${seed}`);
      }
      const { running, queued, waiting } = pool.statistics();
      assert.deepEqual([running, queued, waiting], [0, 0, 0]);
      assert.equal(await pool.call("add", 1, 2), 3);
      await pool.close();
      assert.equal(pool.statistics().threads, 0);
    }
    assert.equal(currentScopeNode().members().length, before);
  });

  it("ends so with processes too", async () => {
    await using pool = processes({ threads: 2, graceMs: 5 });
    for (let seed = 1; seed <= 2; seed++) await new Schedule(pool, seed, true, null).run(15);
    await pool.close();
    assert.deepEqual([pool.statistics().threads, pool.statistics().running], [0, 0]);
  });
});
