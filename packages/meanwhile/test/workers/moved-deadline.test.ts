import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { checkpoint, timeout, TimeoutError } from "meanwhile";

import { cell, processes, reached, set, threads } from "./pools.ts";

describe("a call whose deadline is moved after it was sent", () => {
  it("goes on beyond the old one", async () => {
    for (const pool of [threads(), processes()]) {
      await using open = pool;
      await open.warmUp();
      const text = await timeout(20, async (scope) => {
        const call = open.call("nap", 40);
        await checkpoint();
        scope.deadline = Infinity;
        return await call;
      });
      assert.equal(text, "rested");
    }
  });

  it("ends at the new one", async () => {
    await using pool = threads();
    await pool.warmUp();
    const started = cell();
    const call = timeout(60_000, async (scope) => {
      const waiting = pool.call("waitForever", started);
      await reached(started, 1);
      scope.deadline = 0;
      return await waiting;
    });
    await assert.rejects(() => call, TimeoutError);
  });
});

describe("a call of a function that sets itself a deadline", () => {
  it("fails as cancelled by nobody here", async () => {
    await using pool = threads();
    await assert.rejects(() => pool.call("limitMyself", 1), { code: "MW_ERR_TASK_CANCELLED" });
    await assert.rejects(() => timeout(60_000, () => pool.call("limitMyself", 1)), { code: "MW_ERR_TASK_CANCELLED" });
  });
});

describe("times that are longer than a timer of Node", () => {
  it("are never", async () => {
    await using pool = threads({ graceMs: 3e9, idleTimeoutMs: 3e9 });
    const [started, go] = [cell(), cell()];
    await using job = pool.start("blockUntil", [go, started], { timeoutMs: 3e9, graceMs: 3e9 });
    await reached(started, 1);
    await new Promise((resolve) => void setTimeout(resolve, 5));
    set(go);
    assert.equal(await job, "unblocked");
    assert.equal(pool.statistics().threads, 1);
  });
});
