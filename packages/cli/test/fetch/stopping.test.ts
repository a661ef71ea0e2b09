// Ways to end early: signals, and a reader that goes away.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { listOf, startCli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await wait(5);
}

const ARGS = "fetch - --progress none --timeout 60s --per-host 10 --grace 0".split(" ");

describe("meanwhile fetch", () => {
  for (const [signal, exit] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`stops in order on ${signal}: a record for every URL that was started, a summary, exit code ${exit}`, async () => {
      await using server = await TestServer.start();
      const input = listOf(1_000, (index) => `${server.origin}/${index % 50 === 49 ? "stall" : "ok"}/${index}`);
      const { child, ended } = startCli(ARGS, { input });
      await until(() => server.running === 10); // all places are taken by those that stall
      child.kill(signal);
      const { exit: code, records, stderr } = await ended;
      assert.equal(code, exit);
      const started = new Set(server.seen.map(({ path }) => path));
      assert.deepEqual(new Set(records.map(({ url }) => new URL(url).pathname)), started);
      assert.equal(records.length, started.size);
      assert.equal(records.filter(({ error }) => error?.code === "cancelled").length, 10);
      assert.match(stderr, new RegExp(`stopped by ${signal}: \\d+ URLs not started`));
    });
  }

  it("has a record for what waits to be tried again when it is stopped", async () => {
    await using server = await TestServer.start();
    const { child, ended } = startCli([
      "fetch",
      `${server.origin}/closed`.replace("closed", "status/500"),
      ..."--retries 9 --format jsonl".split(" "),
    ]);
    await until(() => server.seen.length >= 2);
    await wait(20);
    child.kill("SIGINT");
    const { records } = await ended;
    assert.deepEqual(
      records.map(({ error }) => error?.code),
      ["cancelled"],
    );
    assert.ok((records[0]?.attempts ?? 0) >= 2);
  });

  it("leaves no part of a file behind when it is stopped", async () => {
    await using server = await TestServer.start();
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-stopping-"));
    try {
      const { child, ended } = startCli(["fetch", `${server.origin}/stall-body/1`, "-o", directory, "--grace", "0"]);
      await until(() => server.running === 1);
      await wait(100);
      assert.match((await readdir(directory)).join(), /^1\.mw-.*\.part$/);
      child.kill("SIGINT");
      assert.equal((await ended).exit, 130);
      assert.deepEqual(await readdir(directory), []);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("ends at once on a second signal", async () => {
    await using server = await TestServer.start();
    // Nobody reads stdout: the records cannot be written, and the first signal waits for that.
    const { promise: killed, resolve } = Promise.withResolvers<void>();
    const { child, ended } = startCli(["fetch", "-", "--body", "text", "--progress", "none"], {
      input: listOf(40, (index) => `${server.origin}/big/${index}`),
      readAfter: killed,
    });
    await until(() => server.seen.length >= 6);
    await wait(200);
    child.kill("SIGINT");
    await wait(300);
    assert.equal(child.exitCode, null);
    child.once("exit", () => resolve());
    child.kill("SIGINT");
    assert.equal((await ended).exit, 130);
  });

  for (const [what, args, exit] of [
    ["at its deadline", ["--deadline", "300ms"], 124],
    ["on SIGINT", ["--grace", "0"], 130],
  ] as const) {
    it(`ends ${what} although nobody reads its output`, async () => {
      await using server = await TestServer.start();
      const { promise: gone, resolve } = Promise.withResolvers<void>();
      const { child, ended } = startCli(["fetch", "-", "--body", "text", "--progress", "none", ...args], {
        input: listOf(40, (index) => `${server.origin}/big/${index}`),
        readAfter: gone,
      });
      child.once("exit", () => resolve());
      await until(() => server.seen.length >= 6);
      await wait(200);
      if (exit === 130) child.kill("SIGINT");
      assert.equal((await ended).exit, exit);
    });
  }

  it("prints nothing about a reader that goes away", async () => {
    const bin = fileURLToPath(new URL("../../bin/meanwhile.js", import.meta.url));
    const line = `"${process.execPath}" --conditions=@meanwhile/source "${bin}" fetch - --dry-run | head -1`;
    const child = spawn("bash", ["-c", line], { env: { ...process.env, NODE_OPTIONS: "" } });
    child.stdin.end(listOf(30_000, (index) => `http://a/${index}`));
    child.stdin.on("error", () => {});
    let stderr = "";
    child.stderr.on("data", (data) => (stderr += data));
    child.stdout.resume();
    await new Promise((resolve) => child.once("close", resolve));
    assert.equal(stderr, "");
  });

  it("does not let requests time out because nobody reads its output", async () => {
    await using server = await TestServer.start();
    const input = listOf(60, (index) => `${server.origin}/${index % 2 === 0 ? "big" : "slow"}/${index}`);
    const args = "fetch - --body text --timeout 1s --retries 0".split(" ");
    const { ended } = startCli(args, { input, readAfter: wait(2_500) });
    assert.equal((await ended).exit, 0);
  });

  it("ends quietly when its reader goes away", async () => {
    await using server = await TestServer.start();
    const bin = fileURLToPath(new URL("../../bin/meanwhile.js", import.meta.url));
    const line = `"${process.execPath}" --conditions=@meanwhile/source "${bin}" fetch - -q | head -1; echo "\${PIPESTATUS[0]}" >&2`;
    const child = spawn("bash", ["-c", line], { env: { ...process.env, NODE_OPTIONS: "" } });
    child.stdin.end(listOf(3_000, (index) => `${server.origin}/ok/${index}`));
    child.stdin.on("error", () => {});
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (data) => (output.stdout += data));
    child.stderr.on("data", (data) => (output.stderr += data));
    await new Promise((resolve) => child.once("close", resolve));
    assert.equal(output.stdout.trimEnd().split("\n").length, 1);
    assert.match(output.stderr, /^(0|141)\n$/);
    assert.ok(server.seen.length < 3_000, "it goes on although nobody reads");
  });
});
