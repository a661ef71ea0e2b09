// Files that a run has begun and a later one ends: the small version of what test/slow does at length.

import assert from "node:assert/strict";
import { readdirSync, utimesSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";

import { type Started, startCli } from "../support/cli.ts";
import { killAndResumeFiles } from "../support/killing-files.ts";
import { TestServer } from "../support/server.ts";

describe("meanwhile fetch -o DIR --resume", () => {
  it("ends with whole files however often it is killed", { timeout: 60_000 }, async () => {
    const options = { files: 3, bytes: 1_000_000, kills: 3, random: Math.random };
    const killed = await killAndResumeFiles(options);
    const { corrupt, lost, excess, lastExit } = killed;
    assert.deepEqual({ corrupt, lost, excess, lastExit }, { corrupt: 0, lost: 0, excess: [], lastExit: 0 });
    assert.ok(killed.killed > 0, JSON.stringify(killed));
  });

  it("removes what a run has left that was killed, and nothing of a run that lives", async () => {
    await using server = await TestServer.start();
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-left-"));
    const running: Started[] = [];
    try {
      const start = (path: string): Started =>
        startCli(["fetch", `${server.origin}${path}`, "-o", directory, "--resume", "--grace", "0"]);
      // Without a word of the server about its version, what comes is for this run alone.
      for (const name of ["killed", "lives"]) {
        running.push(start(`/stall-body/${name}`));
        while (!readdirSync(directory).some((file) => file.startsWith(name))) await setImmediate();
      }
      const [killed, lives] = running;
      killed?.child.kill("SIGKILL");
      await killed?.ended;
      for (const file of readdirSync(directory)) utimesSync(join(directory, file), 1_000_000, 1_000_000);
      assert.equal((await start("/ok/whole").ended).exit, 0);
      const [, other = "", ...more] = readdirSync(directory).toSorted().toReversed();
      assert.deepEqual([/^lives\.mw-.*\.part$/.test(other), more], [true, []]);
      lives?.child.kill("SIGINT");
      assert.equal((await lives?.ended)?.exit, 130);
      assert.deepEqual(readdirSync(directory), ["whole"]);
    } finally {
      for (const { child } of running) child.kill("SIGKILL");
      await rm(directory, { recursive: true });
    }
  });
});
