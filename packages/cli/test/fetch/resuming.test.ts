// A run that goes on where an earlier one ended.

import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { cli, listOf, startCli } from "../support/cli.ts";
import { killAndResume } from "../support/killing.ts";
import { TestServer } from "../support/server.ts";

async function inDirectory(body: (directory: string, server: TestServer) => Promise<void>): Promise<void> {
  await using server = await TestServer.start();
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-resuming-"));
  try {
    await body(directory, server);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("meanwhile fetch --state", () => {
  it("skips what is finished and tries again what failed", async () => {
    await inDirectory(async (directory, server) => {
      const args = ["fetch", "-", "--state", join(directory, "state"), "--retries", "0"];
      const input = `${server.origin}/ok/1\n${server.origin}/once/2\n${server.origin}/status/404\n`;
      const first = await cli(args, { input });
      assert.equal(first.exit, 1);
      const second = await cli(args, { input });
      assert.deepEqual([second.exit, server.seen.length], [1, 5]);
      const said = second.records.map(({ url, ok, skipped }) => [url.replace(server.origin, ""), skipped ?? ok]);
      assert.deepEqual(Object.fromEntries(said), { "/ok/1": "finished", "/once/2": true, "/status/404": false });
      assert.match(second.stderr, /^1 ok {2}1 failed {2}1 skipped/);
    });
  });

  it("ends with 0 where everything is finished, and has no records of that if it is told so", async () => {
    await inDirectory(async (directory, server) => {
      const args = ["fetch", "-", "--state", join(directory, "state"), "--quiet-skipped"];
      const input = listOf(20, (index) => `${server.origin}/ok/${index}`);
      await cli(args, { input });
      const { exit, stdout, stderr } = await cli(args, { input });
      assert.deepEqual([exit, stdout, server.seen.length], [0, "", 20]);
      assert.match(stderr, /20 skipped/);
    });
  });

  it("with --only-failed requests neither what is finished nor what is new", async () => {
    await inDirectory(async (directory, server) => {
      const args = ["fetch", "-", "--state", join(directory, "state"), "--retries", "0"];
      await cli(args, { input: `${server.origin}/ok/1\n${server.origin}/once/2\n` });
      const input = `${server.origin}/ok/1\n${server.origin}/once/2\n${server.origin}/ok/3\n`;
      const { records } = await cli([...args, "--only-failed"], { input });
      const said = records.map(({ url, ok, skipped }) => [url.replace(server.origin, ""), skipped ?? ok]);
      assert.deepEqual(Object.fromEntries(said), { "/ok/1": "finished", "/once/2": true, "/ok/3": "new" });
    });
  });

  it("requests a URL that stands twice in the list until it is finished twice", async () => {
    await inDirectory(async (directory, server) => {
      const args = ["fetch", "-", "--state", join(directory, "state")];
      await cli(args, { input: `${server.origin}/ok/1\n` });
      const { records } = await cli(args, { input: `${server.origin}/ok/1\n${server.origin}/ok/1\n` });
      assert.deepEqual(records.map(({ skipped }) => skipped ?? "ok").toSorted(), ["finished", "ok"]);
    });
  });

  it("lets no second process use the file", async () => {
    await inDirectory(async (directory, server) => {
      const args = ["fetch", `${server.origin}/stall`, "--state", join(directory, "state"), "--grace", "0"];
      const { child, ended } = startCli(args);
      while (server.seen.length === 0) await wait(5);
      const { exit, stderr } = await cli(args);
      assert.equal(exit, 3);
      assert.match(stderr, /^meanwhile: ".*state" is used by the process \d+; wait for it, or end it\n$/);
      child.kill("SIGINT");
      await ended;
    });
  });

  it("says after Ctrl-C how to go on, and does", async () => {
    await inDirectory(async (directory, server) => {
      const state = join(directory, "state");
      const args = ["fetch", "-", "--state", state, "--per-host", "5"];
      const input = listOf(300, (index) => `${server.origin}/pause/${index}`);
      const { child, ended } = startCli(args, { input });
      while (server.seen.length < 50) await wait(2);
      child.kill("SIGINT");
      const { exit, records, stderr } = await ended;
      assert.equal(exit, 130);
      assert.ok(records.every(({ ok }) => ok)); // what ran had the time to end
      assert.match(stderr, /to go on, run it again: meanwhile fetch \.\.\. --state ".*state"; it skips the \d+ URLs/);
      const second = await cli(args, { input });
      assert.deepEqual([second.exit, second.records.length, server.seen.length], [0, 300, 300]);
    });
  });

  it("loses and doubles nothing when it is killed at any moment and repeated", { timeout: 60_000 }, async () => {
    const killed = await killAndResume(600, 5, Math.random);
    const { corrupt, lost, doubled, refetched, lastExit } = killed;
    assert.deepEqual({ corrupt, lost, doubled, lastExit }, { corrupt: 0, lost: 0, doubled: 0, lastExit: 0 });
    // What ran, and what was recorded in the moment before.
    assert.ok(refetched <= 5 * 60, JSON.stringify(killed));
  });
});

describe("meanwhile fetch --jsonl", () => {
  it("appends to the file, behind a line that was cut off", async () => {
    await inDirectory(async (directory, server) => {
      const file = join(directory, "records");
      const { stdout } = await cli(["fetch", `${server.origin}/ok/1`, "--jsonl", file]);
      assert.equal(stdout, "");
      await appendFile(file, '{"index":2,"url":"htt');
      await cli(["fetch", `${server.origin}/ok/3`, "--jsonl", file]);
      const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
      assert.deepEqual(
        lines.map((line) => new URL(JSON.parse(line).url).pathname),
        ["/ok/1", "/ok/3"],
      );
    });
  });

  it("leaves a file alone that has something else in it", async () => {
    await inDirectory(async (directory, server) => {
      const file = join(directory, "records");
      await writeFile(file, "http://a/\nhttp://b/");
      const { exit } = await cli(["fetch", `${server.origin}/ok/1`, "--jsonl", file]);
      assert.deepEqual([exit, server.seen.length], [3, 0]);
      assert.equal(await readFile(file, "utf8"), "http://a/\nhttp://b/");
    });
  });

  it("keeps what another run has added to a file that is noted in a journal", async () => {
    await inDirectory(async (directory, server) => {
      const [file, state] = [join(directory, "records"), join(directory, "state")];
      for (const more of [["--state", state], [], ["--state", state]]) {
        await cli(["fetch", `${server.origin}/ok/1`, "--jsonl", file, ...more]);
      }
      assert.equal((await readFile(file, "utf8")).trimEnd().split("\n").length, 2);
    });
  });

  it("needs the disk: a full one ends the run with 4", async () => {
    await inDirectory(async (_, server) => {
      const { exit, stderr } = await cli(["fetch", `${server.origin}/ok/1`, "--jsonl", "/dev/full"]);
      assert.equal(exit, 4);
      assert.match(stderr, /cannot write to "\/dev\/full": no space left/);
    });
  });
});
