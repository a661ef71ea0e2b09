import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connectCluster } from "@meanwhile/cluster";

import { loseWorkers } from "../src/memory-engine.ts";
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
