// What is sent, and what is never shown.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { cli, type Ended } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

interface Echo {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let server: TestServer;
let directory: string;

before(async () => {
  process.env["MEANWHILE_TEST_KEY"] = "s3cr3t/1";
  process.env["MEANWHILE_PASSWORD"] = "hunter2";
  server = await TestServer.start();
  directory = await mkdtemp(join(tmpdir(), "meanwhile-requests-"));
});

after(async () => {
  await rm(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

async function echo(path: string, ...args: string[]): Promise<Ended & { readonly echo: Echo }> {
  const ended = await cli(["fetch", `${server.origin}/echo${path}`, "--body", "text", ...args]);
  assert.equal(ended.exit, 0, ended.stdout + ended.stderr);
  return { ...ended, echo: JSON.parse(ended.records[0]?.body ?? "") as Echo };
}

describe("meanwhile fetch sends", () => {
  it("another method, and data as POST", async () => {
    assert.equal((await echo("", "-X", "delete")).echo.method, "DELETE");
    const { method, body } = (await echo("", "--data", "a=1&b=2")).echo;
    assert.deepEqual([method, body], ["POST", "a=1&b=2"]);
  });

  it("JSON, from a file too", async () => {
    await writeFile(join(directory, "body.json"), '{"from":"a file"}');
    const { headers, body } = (await echo("", "--json", `@${join(directory, "body.json")}`)).echo;
    assert.deepEqual([headers["content-type"], body], ["application/json", '{"from":"a file"}']);
  });

  it("headers from a file", async () => {
    await writeFile(join(directory, "headers"), "X-One: 1\n# a comment\n\nX-Two: b:c\r\n");
    const { headers } = (await echo("", "-H", `@${join(directory, "headers")}`)).echo;
    assert.deepEqual([headers["x-one"], headers["x-two"]], ["1", "b:c"]);
  });

  it("a user with the password of the environment, and a token of a file", async () => {
    const basic = await echo("", "--user", "me");
    assert.equal(basic.echo.headers["authorization"], `Basic ${Buffer.from("me:hunter2").toString("base64")}`);
    assert.doesNotMatch(basic.stderr, /warning/);
    await writeFile(join(directory, "token"), "abc.def\nnot this\n");
    const bearer = await echo("", "--token-file", join(directory, "token"));
    assert.equal(bearer.echo.headers["authorization"], "Bearer abc.def");
  });

  it("secrets of the environment in URLs, headers and data, and shows them nowhere", async () => {
    const args = ["--secret", "MEANWHILE_TEST_KEY", "-H", "X-Key: {{MEANWHILE_TEST_KEY}}"];
    const {
      echo: seen,
      stderr,
      records,
    } = await echo("/secret?k={{MEANWHILE_TEST_KEY}}", ...args, "--data", "{{MEANWHILE_TEST_KEY}}");
    assert.equal(server.seen.at(-1)?.path, "/echo/secret?k=s3cr3t%2F1");
    assert.deepEqual([seen.headers["x-key"], seen.body], ["s3cr3t/1", "s3cr3t/1"]);
    const [record] = records;
    assert.doesNotMatch(`${stderr}${record?.url}${record?.finalUrl}`, /s3cr3t/);
    assert.match(record?.finalUrl ?? "", /k=\{\{MEANWHILE_TEST_KEY\}\}$/);
  });

  it("no secret along a redirect to another origin", async () => {
    await using other = await TestServer.start();
    const path = `/away/${encodeURIComponent(`${other.origin}/headers`)}`;
    const args = ["--secret", "MEANWHILE_TEST_KEY", "-H", "X-Key: {{MEANWHILE_TEST_KEY}}"];
    await cli(["fetch", `${server.origin}${path}`, ...args]);
    assert.equal(other.seen.length, 1);
    assert.equal(other.seen[0]?.headers["x-key"], undefined);
  });

  it("a warning to the user if a secret can be read by others, once, and none with -q", async () => {
    for (const args of [
      ["-H", "Authorization: Bearer x"],
      ["--user", "a:b"],
      ["-H", "X-Api-Key: 1"],
    ]) {
      assert.equal((await echo("", ...args)).stderr.split("warning").length, 2, args.join(" "));
    }
    assert.doesNotMatch((await echo("", "-H", "Accept: x")).stderr, /warning/);
    assert.doesNotMatch((await echo("", "--user", "a:b", "-q")).stderr, /warning/);
  });
});

describe("meanwhile fetch --dry-run", () => {
  it("prints what would be requested, and touches neither network nor disk", async () => {
    const seen = server.seen.length;
    const url = `${server.origin.replace("//", "//me:hunter2@")}/ok`;
    const out = join(directory, "none");
    const args = ["--dry-run", "-H", "X-One: s3cr3t", "--data", "12345", "-o", out];
    const { exit, stdout } = await cli(["fetch", url, ...args]);
    assert.equal(exit, 0);
    assert.equal(stdout, `POST  ${server.origin.replace("//", "//***@")}/ok  headers: x-one  body: 5 bytes\n`);
    assert.equal(server.seen.length, seen);
    await assert.rejects(rm(out), { code: "ENOENT" });
  });

  it("prints all of a list, and expands with --glob only", async () => {
    const { stdout } = await cli(["fetch", "--dry-run", "http://a/[1-3]", "--glob", "-"], {
      input: "http://b/[1-3]\n",
    });
    assert.equal(stdout, "GET  http://a/1\nGET  http://a/2\nGET  http://a/3\nGET  http://b/[1-3]\n");
    const plain = await cli(["fetch", "--dry-run", "http://a/[1-3]"]);
    assert.equal(plain.stdout, "GET  http://a/[1-3]\n");
  });
});

describe("meanwhile fetch --curl", () => {
  const words = (command: string): string[] => {
    const program = `curl() { printf '%s\\0' "$@"; }; ${command}`;
    const env = { ...process.env, MEANWHILE_TEST_KEY: "from the environment" };
    const { stdout, status } = spawnSync("bash", ["-c", program], { encoding: "utf8", env });
    assert.equal(status, 0);
    return stdout.split("\0").slice(0, -1);
  };

  it("prints a command whose words mean the same to a shell", async () => {
    const nasty = `it's "$HOME" \`id\` \\ ; | & * ! {{x}}`;
    const { stdout } = await cli([
      "fetch",
      "http://a/?q='$(id)'&x=;",
      "--curl",
      "-H",
      `X-Nasty: ${nasty}`,
      "--data",
      nasty,
    ]);
    const given = words(stdout);
    assert.equal(given[given.indexOf("-H") + 1], `x-nasty: ${nasty}`);
    assert.equal(given[given.indexOf("--data-raw") + 1], nasty);
    assert.equal(given.at(-1), "http://a/?q='$(id)'&x=;");
  });

  it("has secrets as variables of the environment only", async () => {
    const args = ["--secret", "MEANWHILE_TEST_KEY", "-H", "X-Key: <{{MEANWHILE_TEST_KEY}}>", "--user", "me", "--curl"];
    const { stdout } = await cli(["fetch", "http://a/", ...args]);
    assert.doesNotMatch(stdout, /s3cr3t|hunter2/);
    const given = words(stdout);
    assert.equal(given[given.indexOf("-H") + 1], "x-key: <from the environment>");
  });

  it("is one line, safe for a terminal", async () => {
    const { stdout } = await cli(["fetch", "http://a/", "--curl", "--data", "a\nb\u001b[2J'\\"]);
    assert.match(stdout, /^[^\p{Cc}]+\n$/u);
    const given = words(stdout);
    assert.equal(given[given.indexOf("--data-raw") + 1], "a\nb\u001b[2J'\\");
  });
});

describe("meanwhile fetch connects", () => {
  it("to the address it is told", async () => {
    const { port } = new URL(server.origin);
    const args = ["--resolve", "name.invalid:127.0.0.1", "--format", "jsonl"];
    const { records } = await cli(["fetch", `http://name.invalid:${port}/ok`, ...args]);
    assert.equal(records[0]?.ok, true);
    assert.equal(server.seen.at(-1)?.headers.host, `name.invalid:${port}`);
  });

  it("to no address that is not public with --public-only", async () => {
    const count = server.seen.length;
    const { records } = await cli([
      "fetch",
      `${server.origin}/ok`,
      "--public-only",
      "--format",
      "jsonl",
      "--retries",
      "0",
    ]);
    assert.equal(records[0]?.error?.code, "policy_blocked");
    assert.equal(server.seen.length, count);
  });

  it("through a proxy, that of the environment only if told to", async () => {
    await using proxy = await TestServer.start();
    const { records } = await cli(["fetch", "http://name.invalid/ok", "--proxy", proxy.origin, "--format", "jsonl"]);
    // Which address it came from only the proxy knows.
    assert.deepEqual([records[0]?.status, records[0]?.ip], [404, undefined]);
    assert.equal(proxy.seen[0]?.path, "http://name.invalid/ok");
    process.env["http_proxy"] = proxy.origin;
    try {
      await cli(["fetch", "http://name.invalid/ok", "--retries", "0"]);
      assert.equal(proxy.seen.length, 1);
      await cli(["fetch", "http://name.invalid/ok", "--trust-env"]);
      assert.equal(proxy.seen.length, 2);
    } finally {
      delete process.env["http_proxy"];
    }
  });

  it("with a warning if certificates are not checked", async () => {
    const { stderr } = await cli(["fetch", `${server.origin}/ok/1`, `${server.origin}/ok/2`, "--insecure"]);
    assert.equal(stderr.match(/warning: certificates are not checked/g)?.length, 1);
  });

  it("with the cookies of the last run", async () => {
    const args = ["--cookie-jar", join(directory, "cookies.json"), "--format", "jsonl"];
    await cli(["fetch", `${server.origin}/cookie/1`, ...args]);
    const { exit } = await cli(["fetch", `${server.origin}/ok/2`, ...args]);
    assert.equal(exit, 0);
    assert.equal(server.seen.at(-1)?.headers.cookie, "taste=sweet");
  });
});
