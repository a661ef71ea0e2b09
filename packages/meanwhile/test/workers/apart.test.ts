import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { gather } from "meanwhile";
import { moved } from "meanwhile/workers";

import { cell, processes, reached, set, threads } from "./pools.ts";

const notCloneable = { code: "MW_ERR_WORKER_NOT_CLONEABLE" };

describe("jobs of a pool that have nothing to do with each other", () => {
  it("get their own copy of an argument, though they are made at once", async () => {
    for (const open of [threads, processes]) {
      await using pool = open();
      await pool.warmUp();
      const counter = { n: 0 };
      const calls = Array.from({ length: 4 }, () => () => pool.call("bump", counter));
      assert.deepEqual(await gather(calls), [1, 1, 1, 1]);
    }
  });

  it("return copies of their own", async () => {
    await using pool = threads();
    await pool.warmUp();
    const [first, second] = await gather([() => pool.call("shared"), () => pool.call("shared")]);
    assert.notEqual(first, second);
  });

  it("run though one before them holds up what was moved", async () => {
    await using pool = threads({ threads: 2 });
    await pool.warmUp();
    const lengths = await gather([
      () => pool.call("spin", 60),
      () => pool.call("byteLength", moved(new Uint8Array(10))),
      () => pool.call("spin", 1),
      () => pool.call("byteLength", moved(new Uint8Array(20))),
    ]);
    assert.deepEqual([lengths[1], lengths[3]], [10, 20]);
  });

  it("are not harmed by a getter that throws, in an argument or in a result", async () => {
    await using pool = threads();
    const thrower = {
      get inner(): never {
        throw new RangeError("from a getter");
      },
    };
    await assert.rejects(() => pool.call("echo", thrower), {
      ...notCloneable,
      message: /args\[0\]\.inner is a getter/,
    });
    const [bad, good] = await Promise.all([
      pool.call("getterThatThrows").catch((error: unknown) => error),
      pool.call("add", 1, 2),
    ]);
    assert.deepEqual([(bad as { code?: string }).code, good], [notCloneable.code, 3]);
    assert.equal(pool.statistics().crashes, 0);
  });

  it("are not mixed up by progress that cannot be cloned: whoever reports it is told", async () => {
    await using pool = threads({ concurrency: 3 });
    assert.match(await pool.call("reportFunction"), /DataCloneError/);
    assert.deepEqual(await gather(["a", "b", "c", "d"].map((text) => () => pool.call("echo", text))), [
      "a",
      "b",
      "c",
      "d",
    ]);
  });
});

describe("a pool that could be thought to be full", () => {
  it("lets in who waits when a queued job is cancelled", async () => {
    await using pool = threads({ maxQueued: 1 });
    const [started, go] = [cell(), cell()];
    const running = pool.call("blockUntil", go, started);
    await reached(started, 1);
    const ahead = pool.call("add", 1, 1);
    await new Promise((resolve) => setImmediate(resolve));
    const queued = pool.start("add", [1, 2]);
    const waiting = pool.call("add", 2, 2);
    queued.cancel();
    set(go);
    assert.deepEqual(await Promise.all([running, ahead, waiting]), ["unblocked", 2, 4]);
  });

  it("goes on after a job that could not be sent, with maxJobsPerWorker", async () => {
    await using pool = threads({ maxJobsPerWorker: 1 });
    await assert.rejects(() => pool.call("echo", () => 1), notCloneable);
    assert.equal(await pool.call("add", 1, 2), 3);
  });

  it("takes as many jobs as its idle threads can run", async () => {
    await using pool = threads({ threads: 2, maxQueued: 1 });
    await pool.warmUp();
    const jobs = [1, 2, 3].map((n) => pool.start("square", [n]));
    assert.deepEqual(await Promise.all(jobs), [1, 4, 9]);
  });
});

describe("the end of a pool that is starting", () => {
  it("tells who warms it up", async () => {
    const pool = threads();
    const warm = pool.warmUp().catch((error: unknown) => error);
    await pool.close();
    assert.equal(((await warm) as { code?: string }).code, "MW_ERR_WORKER_CLOSED");
  });

  it("leaves no process behind whose initializer cannot be sent", async () => {
    await using pool = processes({ initializer: { name: "add", args: [() => 1] } });
    await assert.rejects(() => pool.call("add", 1, 2), notCloneable);
  });
});

describe("a call of a pool", () => {
  it("waits longer than a timer can", async () => {
    await using pool = threads({ graceMs: 3e9, idleTimeoutMs: 3e9 });
    assert.equal(await pool.start("squareLater", [3], { timeoutMs: 3e9 }), 9);
  });
});
