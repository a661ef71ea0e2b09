import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connectCluster } from "@meanwhile/cluster";
import { cancellable, cancelScope, isCancelled, run } from "meanwhile";

import { loseMessages, loseWorkers } from "../src/memory-engine.ts";
import { describeBehaviours } from "./behaviours.ts";
import { linesOf, pairOf, type TestEngine, until } from "./engines.ts";

const engine: TestEngine = { name: "inside this process", skip: false, url: async () => undefined };

describeBehaviours(engine);

describe("a worker that is lost", () => {
  it("loses its jobs to another one, and ends them itself", async () => {
    await using pair = await pairOf(engine);
    const call = pair.cluster.call("hold", pair.file, 200);
    await until(() => linesOf(pair.file).length > 0);
    loseWorkers(pair.queue);
    assert.equal(await call, "held");
    const lines = linesOf(pair.file);
    assert.equal(lines.filter((line) => line.startsWith("begun")).length, 2);
    assert.ok(lines.includes("cancelled"));
  });

  it("fails jobs that may not begin again", async () => {
    await using pair = await pairOf(engine, { client: { isIdempotent: false } });
    const call = pair.cluster.call("hold", pair.file, 60_000);
    await until(() => linesOf(pair.file).length > 0);
    loseWorkers(pair.queue);
    await assert.rejects(call, { code: "MW_ERR_CLUSTER_WORKER_LOST" });
  });

  it("fails a job that has lost too many of them", async () => {
    await using pair = await pairOf(engine, { worker: { maxLosses: 1 } });
    const call = pair.cluster.call("hold", pair.file, 60_000);
    for (const times of [1, 2]) {
      await until(() => linesOf(pair.file).filter((line) => line.startsWith("begun")).length === times);
      loseWorkers(pair.queue);
    }
    await assert.rejects(call, { code: "MW_ERR_CLUSTER_WORKER_LOST" });
  });
});

describe("messages that are lost", () => {
  it("cost time, and no answer", async () => {
    await using pair = await pairOf(engine, { client: { pollMs: 20 } });
    loseMessages(pair.queue, true);
    const results = await Promise.all([1, 2, 3].map((n) => pair.cluster.call("double", n)));
    assert.deepEqual(results, [2, 4, 6]);
    assert.equal(pair.cluster.statistics().polled, 3);
  });

  it("are said again, if they are to cancel a job", async () => {
    await using pair = await pairOf(engine, { client: { pollMs: 20 } });
    const job = pair.cluster.start("hold", [pair.file, 60_000]);
    await until(() => linesOf(pair.file).length > 0);
    loseMessages(pair.queue, true);
    job.cancel("not needed");
    loseMessages(pair.queue, false);
    await assert.rejects(Promise.resolve(job), { code: "MW_ERR_TASK_CANCELLED" });
    assert.ok(linesOf(pair.file).includes("cancelled"));
  });

  it("keep nobody who was cancelled for longer than a few seconds", async () => {
    await using pair = await pairOf(engine, { client: { graceMs: 0 } });
    await run(async () => {
      const started = performance.now();
      await cancelScope(async (scope) => {
        const call = pair.cluster.call("hold", pair.file, 60_000);
        const refused = assert.rejects(call, (error) => isCancelled(error));
        await cancellable(until(() => linesOf(pair.file).length > 0));
        loseMessages(pair.queue, true);
        scope.cancel();
        await refused;
      });
      assert.ok(performance.now() - started < 40_000);
      loseMessages(pair.queue, false);
    });
  });
});

describe("connectCluster", () => {
  it("says what URLs there are, and shows no password", async () => {
    const options = { queue: "q" };
    await assert.rejects(connectCluster("amqp://user:secret@host", options), (error: Error) => {
      assert.match(error.message, /redis:, rediss:, postgres: or postgresql:/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await assert.rejects(connectCluster("redis://user:secret@127.0.0.1:1", options), (error: Error) => {
      assert.equal((error as { code?: string }).code, "MW_ERR_CLUSTER_CONNECT");
      assert.match(error.message, /redis:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await assert.rejects(connectCluster("postgres://user:secret@127.0.0.1:1/db", options), {
      code: "MW_ERR_CLUSTER_CONNECT",
    });
  });
});
