import assert from "node:assert/strict";
import { after, describe, it } from "node:test";

import { connectCluster, serveCluster } from "@meanwhile/cluster";
import { type EmbeddedServer, startEmbedded } from "@meanwhile/postgres";
import { createPostgresBackend, withBackend } from "bullmq";

import type { AnyQueue } from "../src/bull-server.ts";
import { trim } from "../src/trimming.ts";
import { describeBehaviours } from "./behaviours.ts";
import { FUNCTIONS, type Functions, linesOf, newFile, newQueue, until } from "./engines.ts";
import { SilentProxy } from "./silent-proxy.ts";

let server: Promise<EmbeddedServer> | null = null;
after(async () => (await server)?.stop());

async function url(): Promise<string> {
  // Each connection of the queue's is a session: the tests of this file have several at a time.
  server ??= startEmbedded({ settings: { fsync: false, synchronous_commit: false, max_connections: 200 } });
  return (await server).dsn;
}

describeBehaviours({ name: "on PostgreSQL", skip: false, url });

/** A way to the server that can be cut, and the URL of that. */
async function wayTo(): Promise<{ proxy: SilentProxy; url: string }> {
  const { socketDirectory, port } = placeOf(await url());
  const proxy = await SilentProxy.to({ path: `${socketDirectory}/.s.PGSQL.${port}` });
  return { proxy, url: `postgres://postgres@127.0.0.1:${proxy.port}/postgres` };
}

function placeOf(dsn: string): { socketDirectory: string; port: string } {
  const [, directory = "", port = "5432"] = /@([^:/]*):?(\d*)/.exec(dsn) ?? [];
  return { socketDirectory: decodeURIComponent(directory), port: port || "5432" };
}

describe("ends that are kept on PostgreSQL", () => {
  it("are compared with their age each, and with their number now and then", async () => {
    const [queue, dsn] = [newQueue(), await url()];
    await using _worker = await serveCluster(FUNCTIONS, { queue, url: dsn, concurrency: 1 });
    await using cluster = await connectCluster<Functions>(dsn, { queue, keepJobs: 2 });
    for (const n of [1, 2, 3, 4]) await cluster.call("double", n);
    const bare = new (withBackend(createPostgresBackend).Queue)(queue, { connection: { connectionString: dsn } });
    await Promise.all([1, 2, 3, 4].map((n) => cluster.start("double", [n], { idempotencyKey: `${n}` })));
    // An answer may be here before it is on record.
    while ((await bare.getJobCounts("completed"))["completed"] !== 8) await new Promise(setImmediate);
    const kept = await bare.getJobs("completed", 0, -1, true);
    assert.deepEqual(kept[0]?.opts.removeOnComplete, { age: 3_600 });
    await trim(bare as AnyQueue, 2);
    const left = await bare.getJobs("completed", 0, -1, true);
    assert.deepEqual(
      left.map(({ id }) => id),
      kept.slice(-2).map(({ id }) => id),
    );
    await bare.close();
  });
});

describe("connections to PostgreSQL that fall silent", () => {
  it("cost a client time, and no answer", async () => {
    const way = await wayTo();
    await using proxy = way.proxy;
    const queue = newQueue();
    await using _worker = await serveCluster(FUNCTIONS, { queue, url: await url(), concurrency: 1 });
    await using cluster = await connectCluster<Functions>(way.url, { queue, lostAfterMs: 3_000, pollMs: 200 });
    assert.equal(await cluster.call("double", 1), 2);
    proxy.silence();
    assert.equal(await cluster.call("double", 2), 4);
  });

  it("or are refused for so long that a client counts as lost, cost no answer", async () => {
    const way = await wayTo();
    await using proxy = way.proxy;
    const [queue, file] = [newQueue(), newFile()];
    await using _worker = await serveCluster(FUNCTIONS, {
      queue,
      url: await url(),
      lostAfterMs: 3_000,
      concurrency: 1,
    });
    await using cluster = await connectCluster<Functions>(way.url, { queue, lostAfterMs: 3_000, pollMs: 50 });
    const [running, waiting] = [cluster.call("holdOnce", file), cluster.call("double", 1)];
    await until(() => linesOf(file).length > 0);
    proxy.refuse(true);
    await until(() => linesOf(file).includes("cancelled"));
    proxy.refuse(false);
    assert.deepEqual(await Promise.all([running, waiting]), ["held", 2]);
  });

  it("cost a worker time, and no job", async () => {
    const way = await wayTo();
    await using proxy = way.proxy;
    const [queue, file] = [newQueue(), newFile()];
    const options = { queue, url: way.url, lostAfterMs: 3_000, concurrency: 1, onError() {} };
    await using _worker = await serveCluster(FUNCTIONS, options);
    await using cluster = await connectCluster<Functions>(await url(), { queue, lostAfterMs: 3_000, pollMs: 200 });
    const call = cluster.call("hold", file, 300);
    await until(() => linesOf(file).length > 0);
    proxy.silence();
    assert.equal(await call, "held");
  });
});
