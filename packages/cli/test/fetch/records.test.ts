// Exactly one record for every URL, whatever servers do.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { describe, it } from "node:test";

import { BIN, cli, listOf } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

const FAULTS = ["status/500", "reset", "stall", "short"];

/** Every twentieth URL has a fault; two make the whole host pause. */
function pathOf(index: number): string {
  if (index % 1_000 === 507) return `busy/${index}`;
  return index % 20 === 7 ? `${FAULTS[Math.floor(index / 20) % FAULTS.length]}/${index}` : `ok/${index}`;
}

describe("meanwhile fetch", () => {
  it("writes one record for every line when 5 % of the answers are faults", async () => {
    await using server = await TestServer.start();
    const count = 2_000;
    const list = listOf(count, (index) => `${server.origin}/${pathOf(index)}`);
    const args = "fetch - --per-host 50 --retries 1 --timeout 300ms --progress none".split(" ");
    const { exit, records, stderr } = await cli(args, { input: list });
    assert.equal(exit, 1);
    assert.deepEqual(
      records.map(({ index }) => index).toSorted((one, other) => one - other),
      Array.from({ length: count }, (_, index) => index + 1),
    );
    const codes = new Map<string, number>();
    for (const { error } of records) codes.set(error?.code ?? "ok", (codes.get(error?.code ?? "ok") ?? 0) + 1);
    // What was busy once is not the second time.
    assert.deepEqual(Object.fromEntries(codes), { ok: 1_902, http_5xx: 25, reset: 24, timeout: 25, incomplete: 24 });
    assert.match(stderr, /^1 902 ok {2}98 failed .* 100 retries\nanswers: p50 .*\nerrors: /);
  });

  it("has in its record what the server said", async () => {
    await using server = await TestServer.start();
    const { records } = await cli(["fetch", `${server.origin}/redirect`, `${server.origin}/status/404`]);
    const [redirected, missing] = records.toSorted((one, other) => one.index - other.index);
    assert.deepEqual(
      { ...redirected, ms: 0, ttfbMs: 0 },
      {
        index: 1,
        url: `${server.origin}/redirect`,
        finalUrl: `${server.origin}/ok/redirected`,
        status: 200,
        ok: true,
        bytes: "body of /ok/redirected".length,
        wireBytes: "body of /ok/redirected".length,
        ms: 0,
        ttfbMs: 0,
        attempts: 1,
        host: new URL(server.origin).host,
        ip: "127.0.0.1",
        redirects: [`${server.origin}/redirect`],
      },
    );
    assert.deepEqual([missing?.status, missing?.ok, missing?.error?.code], [404, false, "http_4xx"]);
  });

  it("counts the bytes as they came, and as they are unpacked", async () => {
    await using server = await TestServer.start();
    const formats = ["--format", "csv", "--fields", "bytes,wireBytes,ip"];
    const { stdout } = await cli(["fetch", `${server.origin}/packed`, `${server.origin}/big`, ...formats, "-c", "1"]);
    const [, packed = "", big = ""] = stdout.split("\r\n");
    const [bytes, wireBytes, ip] = packed.split(",");
    assert.deepEqual([bytes, ip], ["300000", "127.0.0.1"]);
    assert.ok(Number(wireBytes) > 0 && Number(wireBytes) < 3_000, `${wireBytes} bytes came`);
    assert.equal(big, "300000,300000,127.0.0.1");
  });

  it("has the same record of a body that comes with its head, and of one that comes in pieces", async () => {
    await using server = await TestServer.start();
    for (const path of ["ok/1", "pieces/1"]) {
      const { records } = await cli(["fetch", `${server.origin}/${path}`, "--sha256", "--format", "jsonl"]);
      const [{ bytes, wireBytes, sha256, ok } = assert.fail()] = records;
      const body = `body of /${path}`;
      assert.deepEqual([ok, bytes, wireBytes], [true, body.length, body.length]);
      assert.equal(sha256, hash("sha256", body, "hex"));
    }
  });

  it("puts bodies into the records if asked to", async () => {
    await using server = await TestServer.start();
    const asText = await cli(["fetch", `${server.origin}/ok/1`, "--body", "text"]);
    assert.equal(asText.records[0]?.body, "body of /ok/1");
    const asBase64 = await cli(["fetch", `${server.origin}/ok/1`, "--body", "base64"]);
    assert.equal(Buffer.from(asBase64.records[0]?.bodyBase64 ?? "", "base64").toString(), "body of /ok/1");
  });

  it("sends the headers it is given, and says who it is", async () => {
    await using server = await TestServer.start();
    await cli(["fetch", `${server.origin}/headers`, "-H", "X-One: 1", "-H", "Accept: text/html"]);
    const { headers } = server.seen[0] ?? assert.fail();
    assert.deepEqual([headers["x-one"], headers.accept], ["1", "text/html"]);
    assert.match(headers["user-agent"] ?? "", /^meanwhile\/\d/);
  });

  it("sends credentials to no other origin, and shows none", async () => {
    await using one = await TestServer.start();
    await using other = await TestServer.start();
    const withPassword = one.origin.replace("//", "//user:hunter2@");
    const url = `${withPassword}/away/${encodeURIComponent(`${other.origin}/headers`)}`;
    const { stdout, stderr } = await cli(["fetch", url, "-H", "Cookie: hunter3", "--body", "text"]);
    assert.match(one.seen[0]?.headers.authorization ?? "", /^Basic /);
    assert.equal(one.seen[0]?.headers.cookie, "hunter3");
    const { authorization, cookie } = other.seen[0]?.headers ?? assert.fail();
    assert.deepEqual([authorization, cookie], [undefined, undefined]);
    assert.doesNotMatch(stdout + stderr, /hunter/);
  });

  it("shows what servers and lists send to the terminal, but does not send it", async () => {
    await using server = await TestServer.start();
    const list = `${server.origin}/evil\n\u001b]0;title\u0007 \u202e not a url\n`;
    const { stdout, stderr, records } = await cli(["fetch", "-", "--body", "text"], { input: list });
    assert.doesNotMatch(stdout.replaceAll("\n", "") + stderr.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
    assert.equal(records.find(({ ok }) => ok)?.body, "\u001b]0;evil\u0007\u202e");
  });

  it("takes a line that is too long as a bad URL, and goes on", async () => {
    await using server = await TestServer.start();
    const list = `${server.origin}/ok/1\n${server.origin}/${"x".repeat(70_000)}\n${server.origin}/ok/2\n`;
    const { records, exit } = await cli(["fetch", "-"], { input: list });
    const codes = records.toSorted((one, other) => one.index - other.index).map(({ error }) => error?.code ?? "ok");
    assert.deepEqual([exit, codes], [1, ["ok", "bad_url", "ok"]]);
  });

  it("makes its first request before the list has ended", async () => {
    await using server = await TestServer.start();
    // A producer that does not close its end.
    const command = ["--conditions=@meanwhile/source", BIN, "fetch", "-"];
    const env = { ...process.env, NODE_OPTIONS: "" };
    const child = spawn(process.execPath, command, { env, stdio: ["pipe", "pipe", "ignore"] });
    child.stdin.write(`${server.origin}/ok/1\n`);
    const [first] = await once(child.stdout, "data");
    assert.equal(JSON.parse(String(first)).ok, true);
    child.stdin.end();
    assert.equal((await once(child, "close"))[0], 0);
  });
});
