// meanwhile fetch --cluster: requests are made by workers, and everything else holds over all of them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, describe, it } from "node:test";

import { type EmbeddedServer, startEmbedded } from "@meanwhile/postgres";

import { cli, listOf, startCli } from "../support/cli.ts";

let server: Promise<EmbeddedServer> | null = null;
const workers: Array<ReturnType<typeof startCli>> = [];
after(async () => {
  for (const { child } of workers) child.kill("SIGKILL");
  await Promise.all(workers.map(({ ended }) => ended));
  await (await server)?.stop();
});

/** The queue, with two workers. */
async function queueWithWorkers(): Promise<string> {
  server ??= startEmbedded({ settings: { fsync: false, max_connections: 200 } });
  const { dsn } = await server;
  while (workers.length < 2) workers.push(startCli(["worker", "--fetch", "--connect", dsn]));
  return dsn;
}

/** A server that notes how many requests it has at once, by whom. */
async function countingServer() {
  let running = 0;
  const seen = { most: 0, count: 0, peers: new Set<number | undefined>(), bodies: [] as string[] };
  const http = createServer((request, response) => {
    running += 1;
    seen.count += 1;
    seen.most = Math.max(seen.most, running);
    seen.peers.add(request.socket.remotePort);
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.bodies.push(body);
      setTimeout(() => {
        running -= 1;
        response.statusCode = request.url === "/missing" ? 404 : 200;
        response.setHeader("x-seen", String(request.headers["x-mine"]));
        response.end(`body of ${request.url}`);
      }, 20);
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const close = async (): Promise<void> => {
    http.closeAllConnections();
    http.close();
    await once(http, "close");
  };
  return { url: `http://127.0.0.1:${port}`, seen, [Symbol.asyncDispose]: close };
}

/** A server that answers nobody until it is told to. */
async function holdingServer(most: number) {
  const [full, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const seen = { count: 0 };
  const http = createServer((_request, response) => {
    seen.count += 1;
    if (seen.count === most) full.resolve();
    released.promise.then(
      () => response.end("here"),
      () => {},
    );
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const close = async (): Promise<void> => {
    http.closeAllConnections();
    http.close();
    await once(http, "close");
  };
  const url = `http://127.0.0.1:${port}`;
  return { url, seen, isFull: full.promise, release: released.resolve, [Symbol.asyncDispose]: close };
}

/** Workers that make requests, when all of them do. */
async function herdOf(count: number, args: readonly string[]) {
  const all = Array.from({ length: count }, () => startCli(["worker", "--fetch", ...args]));
  const end = async ({ child, ended }: (typeof all)[number]): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  await Promise.all(all.map(({ child }) => once(child.stderr as Readable, "data")));
  return {
    kill: () => end(all[0] as (typeof all)[number]),
    [Symbol.asyncDispose]: async () => void (await Promise.all(all.map(end))),
  };
}

describe("meanwhile fetch --cluster", () => {
  it("has the requests made by workers, and holds the limit of a host over all of them", async () => {
    const queue = await queueWithWorkers();
    await using host = await countingServer();
    const input = listOf(60, (index) => `${host.url}/page/${index}`);
    const args = ["fetch", "-i", "-", "--cluster", queue, "--per-host", "3", "--body", "text", "-q"];
    const { exit, records, stderr } = await cli(args, { input });
    assert.equal(exit, 0, stderr);
    assert.equal(records.length, 60);
    assert.deepEqual(
      records.map(({ index, body }) => [index, body]).toSorted(([one], [other]) => Number(one) - Number(other)),
      Array.from({ length: 60 }, (_, index) => [index + 1, `body of /page/${index}`]),
    );
    assert.equal(host.seen.count, 60);
    assert.ok(host.seen.most <= 3, `${host.seen.most} at once`);
  });

  it("sends method, headers and body, and records failures as they are", async () => {
    const queue = await queueWithWorkers();
    await using host = await countingServer();
    const args = ["fetch", `${host.url}/missing`, "http://127.0.0.1:1/", "--cluster", queue, "--retries", "0", "-q"];
    const { exit, records } = await cli([...args, "-d", "hello", "-H", "x-mine: 7"]);
    assert.equal(exit, 1);
    assert.deepEqual(host.seen.bodies, ["hello"]);
    assert.deepEqual(new Set(records.map(({ error }) => error?.code)), new Set(["connect", "http_4xx"]));
  });

  it("goes on with its journal where it was, whichever worker comes", async () => {
    const queue = await queueWithWorkers();
    await using host = await countingServer();
    const folder = mkdtempSync(join(tmpdir(), "meanwhile-far-"));
    try {
      const state = join(folder, "state");
      const common = ["fetch", "-i", "-", "--cluster", queue, "--state", state, "-q"];
      await cli(common, { input: listOf(10, (index) => `${host.url}/${index}`) });
      const { records } = await cli(common, { input: listOf(15, (index) => `${host.url}/${index}`) });
      assert.equal(records.filter(({ skipped }) => skipped === "finished").length, 10);
      assert.equal(host.seen.count, 15);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has one record for every URL, also of those whose worker is killed while it makes their requests", async () => {
    await using queue = await startEmbedded({ settings: { fsync: false, max_connections: 100 } });
    await using herd = await herdOf(2, ["--connect", queue.dsn, "--lost-after", "1", "--concurrency", "10"]);
    await using host = await holdingServer(20);
    const folder = mkdtempSync(join(tmpdir(), "meanwhile-far-"));
    try {
      const input = listOf(60, (index) => `${host.url}/${index}`);
      const args = [
        "fetch",
        "-i",
        "-",
        "--cluster",
        queue.dsn,
        "--per-host",
        "20",
        "--retries",
        "0",
        "--state",
        join(folder, "state"),
        "-q",
      ];
      const first = startCli(args, { input });
      await host.isFull;
      await herd.kill();
      host.release();
      const { exit, records, stderr } = await first.ended;
      assert.equal(exit, 0, stderr);
      const numbers = Array.from({ length: 60 }, (_, index) => index + 1);
      assert.deepEqual(
        records.map(({ index }) => index).toSorted((one, other) => one - other),
        numbers,
      );
      assert.ok(records.every(({ status }) => status === 200));
      // Those that were under way in the worker that was killed, and no others.
      assert.ok(host.seen.count > 60 && host.seen.count <= 70, `${host.seen.count} requests`);
      const second = await cli(args, { input });
      assert.deepEqual(new Set(second.records.map(({ skipped }) => skipped)), new Set(["finished"]));
      assert.equal(second.records.length, 60);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses what cannot be done far from here", async () => {
    const queue = "redis://127.0.0.1:1";
    const cases: ReadonlyArray<readonly [args: string[], exit: number, text: RegExp]> = [
      [["-o", "x"], 2, /--cluster cannot be used with -o/],
      [["--cookie-jar", "x"], 2, /--cluster cannot be used with --cookie-jar/],
      [["-u", "a:b"], 2, /--cluster cannot be used with --user/],
      [["-H", "x: y"], 3, /Cannot connect to redis:\/\/127\.0\.0\.1:1/],
    ];
    for (const [args, code, text] of cases) {
      const { exit, stderr } = await cli(["fetch", "http://127.0.0.1:1/", "--cluster", queue, "-q", ...args]);
      assert.equal(exit, code, stderr);
      assert.match(stderr, text);
    }
  });

  it("takes an empty secret for none, as a worker does, and says where one is that is too short", async () => {
    const cases: ReadonlyArray<readonly [secret: string, exit: number, text: RegExp]> = [
      ["", 3, /Cannot connect to redis:\/\/127\.0\.0\.1:1/],
      ["short", 2, /MEANWHILE_CLUSTER_SECRET is shorter than 16 bytes/],
    ];
    for (const [secret, code, text] of cases) {
      const env = { MEANWHILE_CLUSTER_SECRET: secret };
      for (const args of [
        ["fetch", "http://127.0.0.1:1/", "-q", "--cluster"],
        ["worker", "--fetch", "--connect"],
      ]) {
        const { exit, stderr } = await cli([...args, "redis://127.0.0.1:1"], { env });
        assert.equal(exit, code, stderr);
        assert.match(stderr, text);
      }
    }
  });
});
