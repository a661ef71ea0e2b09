import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, gather, isCancelled, moveOnAfter, shield, timeout, TimeoutError } from "meanwhile";
import { currentScopeNode } from "meanwhile/lowlevel";

import { cell, reached, set, threads } from "./pools.ts";

describe("cancelling a call of a WorkerPool", () => {
  it("does nothing if the scope is cancelled before", async () => {
    await using pool = threads();
    await cancelScope(async (scope) => {
      scope.cancel();
      await assert.rejects(() => pool.call("add", 1, 2), isCancelled);
    });
    assert.equal(pool.statistics().threads, 0);
  });

  it("takes a job out of the queue at once", async () => {
    await using pool = threads();
    const [started, go] = [cell(), cell()];
    const long = pool.call("blockUntil", go, started);
    await reached(started, 1);
    await cancelScope(async (scope) => {
      const calls = Array.from({ length: 5 }, () => pool.call("blockUntil", go, started).catch(isCancelled));
      await new Promise((resolve) => setImmediate(resolve));
      scope.cancel();
      assert.deepEqual(await Promise.all(calls), [true, true, true, true, true]);
    });
    assert.deepEqual([pool.statistics().cancelled, pool.statistics().running], [5, 1]);
    set(go);
    assert.equal(await long, "unblocked");
    assert.equal(await pool.call("add", 1, 2), 3);
    assert.equal(Atomics.load(started, 0), 1);
  });

  it("lets the function clean up before the call ends", async () => {
    await using pool = threads();
    const [started, cleaned] = [cell(), cell()];
    await cancelScope(async (scope) => {
      const call = pool.call("cleanUp", started, cleaned);
      await reached(started, 1);
      scope.cancel("enough");
      await assert.rejects(() => call, isCancelled);
      assert.equal(Atomics.load(cleaned, 0), 1);
    });
    assert.equal(pool.statistics().crashes, 0);
    assert.equal(await pool.call("add", 1, 2), 3);
  });

  it("delivers what the function returns in spite of it", async () => {
    await using pool = threads();
    const started = cell();
    await cancelScope(async (scope) => {
      const call = pool.call("insist", started);
      await reached(started, 1);
      scope.cancel();
      assert.equal(await call, "all the same");
    });
  });

  it("is seen by code that computes and asks", async () => {
    await using pool = threads();
    const started = cell();
    await cancelScope(async (scope) => {
      const call = pool.call("compute", started);
      await reached(started, 1);
      scope.cancel();
      assert.equal(await call, "told");
    });
    assert.equal(pool.statistics().threads, 1);
  });

  it("ends the thread if the function listens to nobody, and another one takes over", async () => {
    await using pool = threads({ graceMs: 5 });
    const started = cell();
    await cancelScope(async (scope) => {
      const call = pool.call("computeForever", started);
      await reached(started, 1);
      const next = pool.call("add", 1, 2).catch(isCancelled);
      scope.cancel();
      await assert.rejects(() => call, isCancelled);
      assert.equal(await next, true);
    });
    assert.equal(await pool.call("add", 1, 2), 3);
    assert.equal(pool.statistics().crashes, 0);
  });

  it("leaves the jobs alone that wait behind the one that is ended", async () => {
    await using pool = threads({ graceMs: 5 });
    const started = cell();
    let others: Promise<number[]> | undefined;
    const cancelled = cancelScope(async (scope) => {
      const call = pool.call("computeForever", started);
      await reached(started, 1);
      scope.cancel();
      await call;
    });
    await reached(started, 1);
    others = Promise.all(Array.from({ length: 10 }, (_, i) => pool.call("square", i)));
    await cancelled;
    assert.deepEqual(await others, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
  });

  it("waits for the neighbours of a job that does not end, if they can go on", async () => {
    await using pool = threads({ graceMs: 5, concurrency: 2 });
    const [started, go] = [cell(), cell()];
    const neighbour = pool.call("waitUntil", go, started);
    let behind: Promise<number> | undefined;
    await reached(started, 1);
    await cancelScope(async (scope) => {
      const call = pool.call("hang", started);
      await reached(started, 2);
      behind = shield(() => pool.call("add", 1, 2)); // sent ahead to the same thread
      await new Promise((resolve) => setImmediate(resolve));
      scope.cancel();
      await assert.rejects(() => call, isCancelled);
    });
    assert.equal(await behind, 3); // in a new thread
    set(go);
    assert.equal(await neighbour, "unblocked");
    while (pool.statistics().threads > 1) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it("tells the caller of a neighbour that cannot go on", async () => {
    await using pool = threads({ graceMs: 5, concurrency: 2 });
    const started = cell();
    const neighbour = pool.call("waitForever", started).catch((error: unknown) => error);
    await reached(started, 1);
    await cancelScope(async (scope) => {
      const call = pool.call("computeForever", started);
      await reached(started, 2);
      scope.cancel();
      await assert.rejects(() => call, isCancelled);
    });
    assert.equal(((await neighbour) as { code?: string }).code, "MW_ERR_WORKER_CRASHED");
  });

  it("comes from the deadline of the caller, which is known in the thread", async () => {
    await using pool = threads();
    await pool.warmUp();
    const left = await timeout(60_000, () => pool.call("timeLeft"));
    assert.ok(left > 50_000 && left <= 60_000, String(left));
    assert.equal(await pool.call("timeLeft"), Infinity);
    const started = cell();
    await assert.rejects(() => timeout(5, () => pool.call("waitForever", started)), TimeoutError);
    assert.equal(await moveOnAfter(5, () => pool.call("compute", started)), "told");
    assert.deepEqual([pool.statistics().threads, pool.statistics().running], [1, 0]);
  });

  it("reaches all calls of a gather", async () => {
    await using pool = threads({ threads: 2, graceMs: 5 });
    const started = cell();
    const work = gather([
      () => pool.call("waitForever", started),
      () => pool.call("waitForever", started),
      () => pool.call("waitForever", started),
      async () => {
        await reached(started, 2);
        throw new RangeError("one failed");
      },
    ]);
    await assert.rejects(() => work, RangeError);
    assert.equal(pool.statistics().running, 0);
  });

  it("is a failure of the caller if the function cancels itself", async () => {
    await using pool = threads();
    await assert.rejects(() => pool.call("cancelMyself"), { code: "MW_ERR_TASK_CANCELLED" });
  });

  it("leaves no wait behind", async () => {
    await using pool = threads();
    const before = currentScopeNode().members().length;
    const started = cell();
    await cancelScope(async (scope) => {
      const call = pool.call("waitForever", started);
      await reached(started, 1);
      scope.cancel();
      await call.catch(() => {});
    });
    assert.equal(currentScopeNode().members().length, before);
  });
});
