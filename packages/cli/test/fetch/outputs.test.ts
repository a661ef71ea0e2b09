// The forms and the order of the records, and the trace.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { checkFields, COLUMNS } from "../../src/fetch/fields.ts";
import { widthOf } from "../../src/fetch/outputs.ts";
import { cli, listOf, startCli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

describe("meanwhile fetch --format", () => {
  it("writes CSV with a head, for each URL a line", async () => {
    await using server = await TestServer.start();
    const args = "fetch - --format csv --fields index,status,error.code --ordered".split(" ");
    const input = `${server.origin}/slow/1\n${server.origin}/status/404\n=cmd\n`;
    const { stdout } = await cli(args, { input });
    assert.equal(stdout, "index,status,error.code\r\n1,200,\r\n2,404,http_4xx\r\n3,,bad_url\r\n");
  });

  it("writes a table without colours where stdout is no terminal", async () => {
    await using server = await TestServer.start();
    const { stdout } = await cli(["fetch", `${server.origin}/evil`, "a\u001b[31m", "--format", "table"]);
    assert.match(stdout, /^STATUS/);
    assert.doesNotMatch(stdout.replaceAll("\n", ""), /\p{Cc}/u);
  });
});

describe("the width of a table", () => {
  it("is that of a terminal which knows it", () => {
    assert.equal(widthOf({ isTTY: true, columns: 72 }), 72);
    assert.equal(widthOf({ isTTY: true, columns: 0 }), 100);
    assert.equal(widthOf({ columns: 72 }), 100);
  });
});

describe("meanwhile fetch --ordered", () => {
  it("has the records in the order of the list, whatever is slow or fails", async () => {
    await using server = await TestServer.start();
    const path = (index: number): string => {
      if (index % 50 === 0) return "slow";
      return index % 7 === 0 ? "status/404" : "ok";
    };
    const input = listOf(400, (index) => (index % 90 === 1 ? "nonsense" : `${server.origin}/${path(index)}/${index}`));
    const { records } = await cli(["fetch", "-", "--ordered"], { input });
    assert.deepEqual(
      records.map(({ index }) => index),
      Array.from({ length: 400 }, (_, index) => index + 1),
    );
  });

  it("reads on where the first of a long list is slow, and ends", async () => {
    await using server = await TestServer.start();
    // More than the window, most of them decided at once.
    const input = `${server.origin}/slow/0\n${listOf(25_000, () => "nonsense")}${server.origin}/ok/1\n`;
    const { records } = await cli(["fetch", "-", "--ordered", "-q"], { input });
    assert.equal(records.length, 25_002);
    assert.ok(records.every(({ index }, at) => index === at + 1));
  });

  it("does not wait an hour for the first URL because its host asks for it", async () => {
    await using one = await TestServer.start();
    await using other = await TestServer.start();
    const input = `${one.origin}/closed/0\n${listOf(12_000, () => "nonsense")}${other.origin}/ok/1\n`;
    const { records } = await cli(["fetch", "-", "--ordered", "-q"], { input });
    assert.deepEqual([records.length, records[0]?.error?.code, records.at(-1)?.ok], [12_002, "rate_limited", true]);
  });

  it("has the records of what has ended when it is stopped", async () => {
    await using server = await TestServer.start();
    const input = `${server.origin}/stall/0\n${listOf(20, (index) => `${server.origin}/ok/${index}`)}`;
    const { child, ended } = startCli(["fetch", "-", "--ordered", "--grace", "0"], { input });
    while (server.seen.length < 21) await wait(5);
    await wait(100);
    child.kill("SIGINT");
    const { records } = await ended;
    assert.equal(records.length, 21);
    assert.equal(records.find(({ index }) => index === 1)?.error?.code, "cancelled");
  });
});

describe("meanwhile fetch --grace", () => {
  it("lets requests that run end after Ctrl-C, and begins no other", async () => {
    await using server = await TestServer.start();
    const input = listOf(200, (index) => `${server.origin}/slow/${index}`);
    const { child, ended } = startCli("fetch - --per-host 10 --progress none".split(" "), { input });
    while (server.seen.length < 10) await wait(5);
    child.kill("SIGTERM");
    const { exit, records, stderr } = await ended;
    assert.deepEqual([exit, server.seen.length, records.length], [143, 10, 10]);
    assert.ok(records.every(({ ok }) => ok));
    assert.match(stderr, /^stopping: 10 requests may still end, in 5.00 s; Ctrl-C again ends at once\n/);
  });
});

describe("meanwhile fetch --trace", () => {
  async function traced(args: readonly string[], stop?: (server: TestServer) => Promise<void>): Promise<unknown[]> {
    await using server = await TestServer.start();
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-trace-"));
    try {
      const file = join(directory, "trace.json");
      const urls = args.map((text) => text.replace("@", server.origin.replace("//", "//user:hunter2@")));
      const { child, ended } = startCli(["fetch", ...urls, "--trace", file, "--grace", "0", "--retries", "1"]);
      if (stop !== undefined) {
        await stop(server);
        child.kill("SIGINT");
      }
      await ended;
      const text = await readFile(file, "utf8");
      assert.doesNotMatch(text, /hunter|s3cret/);
      return JSON.parse(text);
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  it("has a span for every attempt, without secrets", async () => {
    const [head, ...spans] = await traced(["@/ok/1?token=s3cret", "@/once/2", "@/status/404"]);
    assert.equal(Object(head).ph, "M");
    const said = spans.map((span) => [Object(span).args.index, Object(span).args.attempt, Object(span).cat].join(" "));
    assert.deepEqual(said.toSorted(), ["1 1 ok", "2 1 failed", "2 2 ok", "3 1 failed"]);
  });

  it("is complete after Ctrl-C, too", async () => {
    const spans = await traced(["@/ok/1", "@/stall/2"], async (server) => {
      while (server.seen.length < 2) await wait(5);
      await wait(50);
    });
    assert.equal(spans.length, 3);
    assert.ok(spans.some((span) => Object(span).args.error === "cancelled"));
  });

  it("overwrites nothing", async () => {
    const { exit } = await cli(["fetch", "http://127.0.0.1:1/", "--trace", new URL(import.meta.url).pathname]);
    assert.equal(exit, 3);
  });
});

describe("what a run writes", () => {
  it("has a trace that only its user can read", async () => {
    await using server = await TestServer.start();
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-outputs-"));
    try {
      const trace = join(directory, "trace");
      await cli(["fetch", `${server.origin}/ok`, "--trace", trace]);
      assert.equal((await stat(trace)).mode & 0o077, 0);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("can be chosen to say how much of a file was there", () => {
    assert.deepEqual(checkFields("file,resumedFrom"), ["file", "resumedFrom"]);
    assert.ok(COLUMNS.includes("resumedFrom"));
  });
});
