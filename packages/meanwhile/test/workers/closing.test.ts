import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, isCancelled, moveOnAfter } from "meanwhile";

import { cell, reached, set, threads } from "./pools.ts";

describe("closing a WorkerPool", () => {
  it("waits for the jobs there are, and takes no more", async () => {
    const pool = threads();
    const [started, go] = [cell(), cell()];
    const calls = Array.from({ length: 3 }, () => pool.call("blockUntil", go, started));
    await reached(started, 1);
    const closed = pool.close();
    await assert.rejects(() => pool.call("add", 1, 2), { code: "MW_ERR_WORKER_CLOSED" });
    assert.throws(() => pool.start("add", [1, 2]), { code: "MW_ERR_WORKER_CLOSED" });
    set(go);
    await closed;
    assert.deepEqual(await Promise.all(calls), ["unblocked", "unblocked", "unblocked"]);
    assert.equal(pool.statistics().threads, 0);
    await pool.close();
    await pool.terminate();
  });

  it("cancels what is left when its time is up", async () => {
    const pool = threads({ graceMs: 5 });
    const started = cell();
    const calls = [pool.call("computeForever", started), pool.call("add", 1, 2)].map((call) =>
      call.catch((error: unknown) => error),
    );
    await reached(started, 1);
    await pool.close({ timeoutMs: 1 });
    for (const error of await Promise.all(calls)) {
      assert.equal((error as { code?: string }).code, "MW_ERR_TASK_CANCELLED");
    }
    assert.equal(pool.statistics().threads, 0);
  });

  it("cancels the jobs when it is cancelled itself, and still waits until all have left", async () => {
    const pool = threads({ graceMs: 5 });
    const started = cell();
    const call = pool.call("computeForever", started).catch((error: unknown) => error);
    await reached(started, 1);
    await cancelScope(async (scope) => {
      scope.cancel();
      await assert.rejects(() => pool.close(), isCancelled);
      assert.equal(pool.statistics().threads, 0);
    });
    assert.equal(((await call) as { code?: string }).code, "MW_ERR_TASK_CANCELLED");
  });

  it("cancels what is left at the end of its block", async () => {
    const [started, cleaned] = [cell(), cell()];
    let call: Promise<unknown>;
    let queued: Promise<unknown>;
    {
      await using pool = threads();
      call = pool.call("cleanUp", started, cleaned).catch((error: unknown) => error);
      queued = pool.call("add", 1, 2).catch((error: unknown) => error);
      await reached(started, 1);
    }
    assert.equal(Atomics.load(cleaned, 0), 1);
    for (const error of [await call, await queued]) {
      assert.equal((error as { code?: string }).code, "MW_ERR_TASK_CANCELLED");
    }
  });

  it("leaves its block although the scope is cancelled", async () => {
    const started = cell();
    const outcome = await moveOnAfter(9, async () => {
      await using pool = threads();
      await pool.call("waitForever", started);
    });
    assert.equal(outcome, undefined);
  });

  it("kills everything at once when it is terminated", async () => {
    const pool = threads({ threads: 2 });
    const started = cell();
    const calls = Array.from({ length: 4 }, () =>
      pool.call("computeForever", started).catch((error: unknown) => error),
    );
    await reached(started, 2);
    await pool.terminate();
    for (const error of await Promise.all(calls)) {
      assert.equal((error as { code?: string }).code, "MW_ERR_WORKER_TERMINATED");
    }
    assert.equal(pool.statistics().threads, 0);
    await assert.rejects(() => pool.call("add", 1, 2), { code: "MW_ERR_WORKER_CLOSED" });
  });

  it("can be closed, terminated or left before anything was started", async () => {
    await threads().close();
    await threads().terminate();
    await threads()[Symbol.asyncDispose]();
    const starting = threads({ threads: 2 });
    const call = starting.call("add", 1, 2).catch((error: unknown) => error);
    await starting.terminate();
    assert.equal(((await call) as { code?: string }).code, "MW_ERR_WORKER_TERMINATED");
  });

  it("tells those who wait for room that it is closed", async () => {
    const pool = threads({ maxQueued: 1 });
    const [started, go] = [cell(), cell()];
    const long = pool.call("blockUntil", go, started);
    await reached(started, 1);
    const others = [1, 2].map((n) => pool.call("echo", n));
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = pool.call("echo", 3).catch((error: unknown) => error);
    const closed = pool.close();
    set(go);
    assert.equal(((await waiting) as { code?: string }).code, "MW_ERR_WORKER_CLOSED");
    assert.deepEqual(await Promise.all([long, ...others]), ["unblocked", 1, 2]);
    await closed;
  });

  it("refuses a time that is none", () => {
    const pool = threads();
    assert.throws(() => void pool.close({ timeoutMs: -1 }), { code: "MW_ERR_WORKER_INVALID_ARGUMENT" });
  });
});
