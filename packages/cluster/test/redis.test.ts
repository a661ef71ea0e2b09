import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connectCluster, serveCluster } from "@meanwhile/cluster";
import { Redis } from "ioredis";

import { describeBehaviours } from "./behaviours.ts";
import { FUNCTIONS, type Functions, linesOf, newFile, newQueue, until } from "./engines.ts";
import { noRedis, RedisServer, sharedRedis } from "./redis-server.ts";

describeBehaviours({ name: "on Redis", skip: noRedis, url: async () => (await sharedRedis()).url });

/** Jobs go into the queue one after the other: when a later one is there, so are those before it. */
async function sent(cluster: { start(name: "double", args: [number]): { cancel(): void } & PromiseLike<unknown> }) {
  const later = cluster.start("double", [1]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  later.cancel();
  await later.then(undefined, () => {});
}

describe("a Redis that forgets everything in a restart", { skip: noRedis }, () => {
  it("is sent the jobs again, but not those that may not begin again", async () => {
    await using server = await RedisServer.start();
    const options = { queue: newQueue(), url: server.url };
    await using cluster = await connectCluster<Functions>(server.url, { queue: options.queue, pollMs: 100 });
    const file = newFile();
    const again = cluster.start("note", [file, "done"]);
    const once = cluster.start("note", [newFile(), "done"], { isIdempotent: false });
    const failed = assert.rejects(Promise.resolve(once), { code: "MW_ERR_CLUSTER_RESULT_LOST" });
    await until(() => cluster.statistics().running === 2);
    await sent(cluster);
    await server.stop("SIGKILL");
    await server.start();
    await failed;
    await using _worker = await serveCluster(FUNCTIONS, { ...options, concurrency: 1 });
    assert.equal(await again, "done");
    assert.deepEqual(linesOf(file), ["done"]);
    assert.ok(cluster.statistics().resent >= 1);
  });

  it("keeps no large results that have been answered", async () => {
    await using server = await RedisServer.start();
    const options = { queue: newQueue(), url: server.url };
    await using _worker = await serveCluster(FUNCTIONS, { ...options, concurrency: 1 });
    const cluster = await connectCluster<Functions>(server.url, { queue: options.queue });
    for (let i = 0; i < 20; i++) await cluster.call("large", 900_000);
    await cluster.close();
    const redis = new Redis(server.url);
    const bytes = Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
    redis.disconnect();
    assert.ok(bytes < 9_000_000, `${bytes} bytes`);
  });

  it("is no server for a client that may not ask it for the time", async () => {
    await using server = await RedisServer.start();
    const redis = new Redis(server.url);
    await redis.acl("SETUSER", "timeless", "on", ">password", "~*", "&*", "+@all", "-time");
    const url = new URL(server.url);
    Object.assign(url, { username: "timeless", password: "password" });
    await assert.rejects(connectCluster(url, { queue: newQueue() }), {
      code: "MW_ERR_CLUSTER_CONNECT",
      message: /NOPERM/,
    });
    redis.disconnect();
  });

  it("says who is not let in, and shows no password", async () => {
    await using server = await RedisServer.start({ password: "the right one" });
    const url = new URL(server.url);
    url.password = "the wrong one";
    await assert.rejects(connectCluster(url, { queue: newQueue() }), (error: Error) => {
      assert.equal((error as { code?: string }).code, "MW_ERR_CLUSTER_CONNECT");
      assert.match(error.message, /WRONGPASS/);
      assert.doesNotMatch(error.message, /the wrong one/);
      return true;
    });
    url.password = "the right one";
    const cluster = await connectCluster(url, { queue: newQueue() });
    await cluster.close();
  });
});

describe("a Redis that is away", { skip: noRedis }, () => {
  it("keeps no worker from leaving, idle or with jobs", async () => {
    await using server = await RedisServer.start();
    const options = { queue: newQueue(), url: server.url, concurrency: 1 };
    const [idle, busy] = [await serveCluster(FUNCTIONS, options), await serveCluster(FUNCTIONS, options)];
    const cluster = await connectCluster<Functions>(server.url, { queue: options.queue });
    const file = newFile();
    const job = cluster.start("hold", [file, 60_000]);
    await until(() => linesOf(file).length > 0);
    await server.stop("SIGKILL");
    await Promise.all([idle.close({ timeoutMs: 100 }), busy.close({ timeoutMs: 100 })]);
    assert.deepEqual(linesOf(file).slice(1), ["cancelled", "ended"]);
    await server.start();
    job.cancel();
    await cluster.close({ timeoutMs: 0 });
    await assert.rejects(Promise.resolve(job), { code: "MW_ERR_TASK_CANCELLED" });
  });
});
