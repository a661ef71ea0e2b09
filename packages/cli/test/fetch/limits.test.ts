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
    assert.ok(took > 250 && took < 5_000, `10 intervals of 50 ms took ${took} ms`);
  });

  it("starts requests at each host evenly with --per-host-rate", async () => {
    await using one = await TestServer.start();
    await using other = await TestServer.start();
    const input = listOf(12, (index) => `${(index % 2 === 0 ? one : other).origin}/ok/${index}`);
    await cli(["fetch", "-", "--per-host-rate", "10/s"], { input });
    for (const { seen } of [one, other]) {
      const took = (seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? 0);
      assert.ok(took > 250 && took < 5_000, `5 intervals of 100 ms took ${took} ms`);
    }
  });

  it("does not give a host up for those of its URLs that always fail, though they are left at the end", async () => {
    await using server = await TestServer.start();
    const input = listOf(40, (index) => `${server.origin}/${index % 8 === 0 ? "reset" : "ok"}/${index}`);
    const { records } = await cli(["fetch", "-", "--max-host-errors", "3", "--retries", "2"], { input });
    const codes = records.map(({ error }) => error?.code ?? "ok");
    assert.deepEqual(
      [codes.filter((code) => code === "reset").length, codes.filter((code) => code === "ok").length],
      [5, 35],
    );
  });

  it("leaves a host alone when RateLimit says that nothing is left", async () => {
    await using server = await TestServer.start();
    const input = listOf(5, (index) => `${server.origin}/${index === 0 ? "spent" : "ok"}/${index}`);
    const { exit } = await cli(["fetch", "-", "--per-host", "1"], { input });
    assert.equal(exit, 0);
    const gap = (server.seen[1]?.at ?? 0) - (server.seen[0]?.at ?? 0);
    assert.ok(gap >= 990 && gap < 2_500, `asked again after ${gap} ms`);
  });

  it("puts the URLs of a host off that wants a longer rest than --retry-max-time, and fails them in the end", async () => {
    await using closed = await TestServer.start();
    await using open = await TestServer.start();
    const input = listOf(
      40,
      (index) => `${index % 2 === 0 ? `${closed.origin}/closed` : `${open.origin}/ok`}/${index}`,
    );
    const { records, exit } = await cli(["fetch", "-", "--per-host", "1", "-c", "2"], { input });
    assert.equal(exit, 1);
    assert.equal(closed.seen.length, 1);
    assert.deepEqual([...new Set(records.slice(0, 20).map(({ ok }) => ok))], [true]);
    assert.deepEqual([...new Set(records.slice(20).map(({ error }) => error?.code))], ["rate_limited"]);
  });

  it("requests what was put off if the rest is over before the run is", async () => {
    await using busy = await TestServer.start();
    await using slow = await TestServer.start();
    const input = `${busy.origin}/busy/1\n${listOf(8, (index) => `${slow.origin}/slow/${index}`)}`;
    const { exit, stderr } = await cli(["fetch", "-", "--retry-max-time", "500ms", "--per-host", "1"], { input });
    assert.equal(exit, 0, stderr);
    assert.equal(busy.seen.length, 2);
  });

  it("finds with --adaptive how much a host bears", async () => {
    await using server = await TestServer.start();
    const input = listOf(60, (index) => `${server.origin}/strict/${index}`);
    const args = "fetch - --per-host 16 --retries 20 --adaptive".split(" ");
    const { exit, stderr } = await cli(args, { input });
    assert.equal(exit, 0, stderr);
    const late = server.seen.slice(-20);
    assert.ok(late.length === 20 && server.refused < 60, `${server.refused} were refused`);
  });

  it("gives a host up that never answers, and no other", async () => {
    await using dead = await TestServer.start();
    await using alive = await TestServer.start();
    const input = listOf(200, (index) => `${index % 2 === 0 ? `${dead.origin}/reset` : `${alive.origin}/ok`}/${index}`);
    const { records } = await cli(["fetch", "-", "--per-host", "1", "--retries", "0"], { input });
    const codes = records.map(({ error }) => error?.code ?? "ok");
    const count = (code: string): number => codes.filter((one) => one === code).length;
    assert.deepEqual([count("ok"), count("reset"), count("policy_blocked")], [100, 30, 70]);
  });
});
