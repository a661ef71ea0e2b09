// Limits, as the servers see them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cli, listOf } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

describe("meanwhile fetch", () => {
  it("has at most 6 requests at one host, and so many as --per-host says", async () => {
    await using server = await TestServer.start();
    const input = listOf(60, (index) => `${server.origin}/slow/${index}`);
    await cli(["fetch", "-"], { input });
    assert.equal(server.mostRunning, 6);
    server.mostRunning = 0;
    await cli(["fetch", "-", "--per-host", "20"], { input });
    assert.equal(server.mostRunning, 20);
  });

  it("has at most -c requests at all hosts together", async () => {
    await using one = await TestServer.start();
    await using other = await TestServer.start();
    const input = listOf(20, (index) => `${(index % 2 === 0 ? one : other).origin}/slow/${index}`);
    await cli(["fetch", "-", "-c", "3"], { input });
    assert.ok(one.mostRunning + other.mostRunning <= 6 && one.mostRunning <= 3 && other.mostRunning <= 3);
  });

  it("does not let a slow host at the head of the list hold up the others", async () => {
    await using slow = await TestServer.start();
    await using quick = await TestServer.start();
    const input = listOf(224, (index) =>
      index < 24 ? `${slow.origin}/stall/${index}` : `${quick.origin}/ok/${index}`,
    );
    const { records } = await cli("fetch - --timeout 700ms --retries 0 --progress none".split(" "), { input });
    const lastQuick = records.findLastIndex(({ ok }) => ok);
    assert.equal(records.filter(({ ok }) => ok).length, 200);
    // All quick ones are through before the second handful of slow ones.
    assert.ok(lastQuick < 206, `the last quick one is record ${lastQuick}`);
  });

  it("makes no request within the time of Retry-After, also for the other URLs of the host", async () => {
    await using server = await TestServer.start();
    const input = listOf(30, (index) => `${server.origin}/${index === 0 ? "busy" : "ok"}/${index}`);
    const { exit } = await cli(["fetch", "-", "--per-host", "1"], { input });
    assert.equal(exit, 0);
    const [first, second] = server.seen;
    const gap = (second?.at ?? 0) - (first?.at ?? 0);
    assert.ok(gap >= 990 && gap < 2_500, `asked again after ${gap} ms`);
  });

  it("starts requests evenly with --rate", async () => {
    await using server = await TestServer.start();
    const input = listOf(11, (index) => `${server.origin}/ok/${index}`);
    await cli(["fetch", "-", "--rate", "20/s"], { input });
    const took = (server.seen.at(-1)?.at ?? 0) - (server.seen[0]?.at ?? 0);
    assert.ok(took > 440 && took < 1_000, `10 intervals of 50 ms took ${took} ms`);
  });
});
