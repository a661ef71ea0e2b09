// meanwhile worker: what it serves, how it ends, what is said of it.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { connectCluster } from "@meanwhile/cluster";
import { type EmbeddedServer, startEmbedded } from "@meanwhile/postgres";

import { parseWorkerOptions } from "../../src/worker/options.ts";
import { cli, startCli } from "../support/cli.ts";

type Sums = typeof import("./programs/sums.ts");
const SUMS = fileURLToPath(new URL("./programs/sums.ts", import.meta.url));

let server: Promise<EmbeddedServer> | null = null;
after(async () => (await server)?.stop());

async function url(): Promise<string> {
  server ??= startEmbedded({ settings: { fsync: false } });
  return (await server).dsn;
}

describe("meanwhile worker", () => {
  it("serves the functions of a module, and leaves in order at a signal", async () => {
    const { child, ended } = startCli(["worker", SUMS, "--connect", await url(), "--concurrency", "2"]);
    await using cluster = await connectCluster<Sums>(await url(), { queue: "sums" });
    assert.equal(await cluster.call("add", 20, 22), 42);
    const job = cluster.start("waitFor", [600]);
    for await (const value of job.progress) {
      assert.equal(value, "begun");
      break;
    }
    child.kill("SIGTERM");
    assert.equal(await job, "waited");
    const { exit, stderr } = await ended;
    assert.equal(exit, 143);
    assert.match(stderr, /worker .* serves sums\.ts on queue sums/);
    assert.match(
      stderr,
      /left after \d+ jobs that succeeded, 0 that failed, 0 that were cancelled, 0 that were given back/,
    );
  });

  it("says what is wrong in one line", async () => {
    const cases: ReadonlyArray<readonly [args: string[], exit: number, text: RegExp]> = [
      [[], 2, /needs one module/],
      [[SUMS], 2, /needs --connect URL/],
      [[SUMS, "--connect", "http://x:secret@y"], 2, /--connect needs a URL with redis:/],
      [[SUMS, "--connect", "redis://x", "--concurrency", "0"], 2, /--concurrency needs an integer from 1, not 0/],
      [[SUMS, "--connect", "redis://x", "--oops"], 2, /Unknown option '--oops'/],
      [["redis://u:secret@x"], 2, /needs a file, not a URL/],
      [[SUMS, "--connect", "redis://x", "--max-result", "much"], 2, /--max-result needs a size/],
      [["none.ts", "--connect", "redis://x"], 3, /none\.ts is not a file/],
      [[SUMS, "--connect", "redis://u:secret@127.0.0.1:1"], 3, /Cannot connect to redis:\/\/127\.0\.0\.1:1/],
    ];
    for (const [args, code, text] of cases) {
      const { exit, stderr } = await cli(["worker", ...args]);
      assert.equal(exit, code, stderr);
      assert.match(stderr, text);
      assert.doesNotMatch(stderr, /secret/);
      assert.equal(stderr.split("\n").length, 2, stderr);
    }
  });

  it("shows its help", async () => {
    const { exit, stdout } = await cli(["worker", "--help"]);
    assert.equal(exit, 0);
    assert.match(stdout, /^Usage: meanwhile worker --connect URL/);
    assert.ok(stdout.split("\n").every((line) => line.length <= 80));
  });

  it("lets a job lose no worker at all, if it is told so", () => {
    const options = parseWorkerOptions(["math.ts", "--connect", "redis://x", "--max-losses", "0"], {});
    assert.equal(typeof options === "object" && options.maxLosses, 0);
    for (const bad of ["-1", "1.5", ""])
      assert.throws(() => parseWorkerOptions(["math.ts", "--connect", "redis://x", `--max-losses=${bad}`], {}), {
        message: /--max-losses needs an integer from 0/,
      });
  });

  it("has the URL and the secret from the environment, and the queue from the file", () => {
    const env = { MEANWHILE_CLUSTER_URL: "redis://x", MEANWHILE_CLUSTER_SECRET: "sixteen and more" };
    const options = parseWorkerOptions(["a/math.ts", "--function", "add", "--function", "sub"], env);
    assert.deepEqual(options, {
      file: "a/math.ts",
      url: "redis://x",
      queue: "math",
      secret: "sixteen and more",
      concurrency: undefined,
      threads: undefined,
      processes: false,
      functions: ["add", "sub"],
      lostAfterMs: undefined,
      maxPayloadBytes: undefined,
      maxResultBytes: undefined,
      maxLosses: undefined,
      drainMs: 30_000,
      diagnostics: false,
    });
  });
});
