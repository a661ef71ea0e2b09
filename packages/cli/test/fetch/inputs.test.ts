// What lists can say, and how much of them is taken.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import type { FetchRecord } from "../../src/fetch/record.ts";
import { cli, listOf } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

const byIndex = (one: FetchRecord, other: FetchRecord): number => one.index - other.index;
const codes = (records: readonly FetchRecord[]): string[] =>
  records.toSorted(byIndex).map(({ error, skipped }) => error?.code ?? skipped ?? "ok");

describe("a list", () => {
  it("may mix URLs and objects of JSON, each with its method, headers, body and id", async () => {
    await using server = await TestServer.start();
    const input = [
      `${server.origin}/ok/1`,
      JSON.stringify({ url: `${server.origin}/echo`, id: "a", json: { b: 1 }, headers: { "X-C": "d" } }),
      JSON.stringify({ url: `${server.origin}/echo`, method: "put", body: "text" }),
      JSON.stringify({ url: `${server.origin}/echo`, verb: "GET" }),
    ].join("\n");
    const { exit, records } = await cli(["fetch", "-", "--body", "text"], { input });
    assert.deepEqual([exit, codes(records)], [1, ["ok", "ok", "ok", "bad_url"]]);
    const [, posted, put] = records.toSorted(byIndex);
    assert.equal(posted?.id, "a");
    const echoes = [posted, put].map((record) => JSON.parse(record?.body ?? ""));
    assert.deepEqual(
      echoes.map(({ method, body, headers }) => [method, body, headers["content-type"], headers["x-c"]]),
      [
        ["POST", '{"b":1}', "application/json", "d"],
        ["PUT", "text", "text/plain;charset=UTF-8", undefined],
      ],
    );
  });

  it("is read as it is told: an object among URLs, a URL among objects", async () => {
    await using server = await TestServer.start();
    const input = `${server.origin}/ok/1\n{"url":"${server.origin}/ok/2"}\n`;
    const read = async (format: string): Promise<string[]> =>
      codes((await cli(["fetch", "-", "--input-format", format], { input })).records);
    assert.deepEqual(await read("txt"), ["ok", "bad_url"]);
    assert.deepEqual(await read("jsonl"), ["bad_url", "ok"]);
  });

  it("may be packed, in a file", async () => {
    await using server = await TestServer.start();
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-inputs-"));
    try {
      const list = join(directory, "list");
      await writeFile(list, gzipSync(listOf(500, (index) => `${server.origin}/ok/${index}`)));
      const { exit, records } = await cli(["fetch", "-i", list, "-i", list]);
      assert.deepEqual([exit, records.length, server.seen.length], [0, 1_000, 1_000]);
      await writeFile(list, gzipSync("http://a/").subarray(0, 12));
      const damaged = await cli(["fetch", "-i", list]);
      assert.equal(damaged.exit, 3);
      assert.match(damaged.stderr, /cannot read ".*list" to its end/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("has what it names twice requested once, with a record for each", async () => {
    await using server = await TestServer.start();
    const { origin } = server;
    const post = (body: string): string => JSON.stringify({ url: `${origin}/echo`, body });
    const input = [`${origin}/ok/1`, `${origin}/ok/1#part`, `${origin}/ok/2`, post("a"), post("b"), post("a")].join(
      "\n",
    );
    const { exit, records, stderr } = await cli(["fetch", "-", "--dedupe"], { input });
    assert.deepEqual([exit, codes(records)], [0, ["ok", "duplicate", "ok", "ok", "ok", "duplicate"]]);
    assert.equal(server.seen.length, 4);
    assert.match(stderr, /^4 ok {2}0 failed {2}2 skipped/);
  });

  it("is read no further than it is told", async () => {
    await using server = await TestServer.start();
    const input = listOf(100, (index) => `${server.origin}/ok/${index}`);
    const { exit, records } = await cli(["fetch", "-", "--max-urls", "7"], { input });
    assert.deepEqual([exit, records.length, server.seen.length], [0, 7, 7]);
  });

  it("may name more in bytes than is held at a time", async () => {
    await using server = await TestServer.start();
    // 60 MB of bodies; no more than 32 MB of them are read ahead.
    const body = "x".repeat(60_000);
    const input = listOf(1_000, () => JSON.stringify({ url: `${server.origin}/ok/1`, method: "PUT", body }));
    const { exit, records } = await cli(["fetch", "-", "--per-host", "50"], { input });
    assert.deepEqual([exit, records.length], [0, 1_000]);
  });
});

describe("a request that is no GET", () => {
  const failing = (server: TestServer, method: string): string =>
    JSON.stringify({ url: `${server.origin}/once/1`, method });

  it("is tried again only if doing it twice does no harm", async () => {
    for (const [method, attempts] of Object.entries({ PUT: 2, DELETE: 2, POST: 1, PATCH: 1 })) {
      await using server = await TestServer.start();
      const { records } = await cli(["fetch", "-"], { input: failing(server, method) });
      assert.deepEqual([records[0]?.attempts, server.seen.length], [attempts, attempts], method);
    }
  });

  it("is tried again if that is asked for", async () => {
    await using server = await TestServer.start();
    const { records } = await cli(["fetch", "-", "--retry-all-methods"], { input: failing(server, "POST") });
    assert.deepEqual([records[0]?.attempts, records[0]?.ok], [2, true]);
  });
});
