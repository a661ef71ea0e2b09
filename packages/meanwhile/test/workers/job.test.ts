import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, gather, isCancelled, TaskCancelledError, TimeoutError } from "meanwhile";
import { isCancelRequested, reportProgress } from "meanwhile/workers";

import { cell, reached, set, threads } from "./pools.ts";

async function all(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const value of values) seen.push(value);
  return seen;
}

describe("a job that was started", () => {
  it("is awaited for its result, as often as one likes", async () => {
    await using pool = threads();
    const job = pool.start("add", [1, 2]);
    assert.equal(job.name, "add");
    assert.equal(job.done, false);
    assert.equal(await job, 3);
    assert.equal(await job, 3);
    assert.equal(job.done, true);
  });

  it("fails with what the function throws, and the stack of where it was started", async () => {
    await using pool = threads();
    const job = pool.start("refuse", ["no"]);
    const error = await Promise.resolve(job).catch((thrown: unknown) => thrown);
    assert.match((error as Error).stack ?? "", /modules\/jobs\.ts[\s\S]*job\.test\.ts/);
  });

  it("tells its progress while it runs", async () => {
    await using pool = threads();
    const job = pool.start("report", [[1, "two", { three: 3 }]]);
    assert.deepEqual(await all(job.progress), [1, "two", { three: 3 }]);
    assert.equal(await job, "reported");
    assert.deepEqual(await all(job.progress), []);
  });

  it("tells its progress though it computes without a pause", async () => {
    await using pool = threads();
    const go = cell();
    await using job = pool.start("reportAndCompute", ["half", go]);
    for await (const value of job.progress) {
      assert.equal(value, "half");
      set(go);
    }
    await job;
  });

  it("keeps the newest progress for who asks late", async () => {
    await using pool = threads();
    const job = pool.start("report", [[1, 2, 3]]);
    await job;
    assert.deepEqual(await all(job.progress), [3]);
  });

  it("is cancelled and waited for at the end of its block", async () => {
    await using pool = threads();
    const [started, cleaned] = [cell(), cell()];
    {
      await using _job = pool.start("cleanUp", [started, cleaned]);
      await reached(started, 1);
    }
    assert.equal(Atomics.load(cleaned, 0), 1);
  });

  it("tells who awaits it that somebody cancelled it", async () => {
    await using pool = threads();
    const started = cell();
    const job = pool.start("waitForever", [started]);
    await reached(started, 1);
    const queued = pool.start("add", [1, 2]);
    job.cancel();
    job.cancel();
    queued.cancel();
    await assert.rejects(async () => await job, TaskCancelledError);
    await assert.rejects(async () => await queued, TaskCancelledError);
    job.cancel();
  });

  it("is not cancelled with who awaits it", async () => {
    await using pool = threads();
    const [started, go] = [cell(), cell()];
    const job = pool.start("blockUntil", [go, started]);
    await reached(started, 1);
    await cancelScope(async (scope) => {
      const waiting = (async () => await job)();
      scope.cancel();
      await assert.rejects(() => waiting, isCancelled);
    });
    set(go);
    assert.equal(await job, "unblocked");
  });

  it("fails when its time is up, in the queue, running, or deaf", async () => {
    await using pool = threads({ graceMs: 5 });
    await pool.warmUp();
    const started = cell();
    const jobs = [
      pool.start("waitForever", [started], { timeoutMs: 5 }),
      pool.start("add", [1, 2], { timeoutMs: 1 }),
      pool.start("computeForever", [started], { timeoutMs: 8, graceMs: 1 }),
    ];
    for (const outcome of await gather(
      jobs.map((job) => async () => await Promise.resolve(job).catch((e: unknown) => e)),
    )) {
      assert.ok(outcome instanceof TimeoutError || outcome === 3, String(outcome));
    }
    assert.equal(await pool.call("add", 1, 2), 3);
  });

  it("is refused if there is no room in the queue", async () => {
    await using pool = threads({ maxQueued: 1 });
    const job = pool.start("add", [1, 2]);
    assert.throws(() => pool.start("add", [1, 2]), { code: "MW_ERR_WORKER_QUEUE_FULL" });
    assert.equal(await job, 3);
  });

  it("is refused with options that make no sense", async () => {
    await using pool = threads();
    const code = "MW_ERR_WORKER_INVALID_ARGUMENT";
    assert.throws(() => pool.start("add", [1, 2], { timeoutMs: -1 }), { code });
    assert.throws(() => pool.start("add", [1, 2], { graceMs: "1" as never }), { code });
    assert.throws(() => pool.start("add", [1, 2], { transfer: 1 as never }), { code });
    for (const object of [5, "x", null, {}, [], new Uint8Array(1)]) {
      assert.throws(() => pool.start("add", [1, 2], { transfer: [object] as never }), {
        code,
        message: /transfer\[0\]/,
      });
    }
  });
});

describe("outside of a worker", () => {
  it("reportProgress does nothing, and isCancelRequested asks the scope", async () => {
    reportProgress(1);
    assert.equal(isCancelRequested(), false);
    await cancelScope((scope) => {
      scope.cancel();
      assert.equal(isCancelRequested(), true);
    });
  });
});
