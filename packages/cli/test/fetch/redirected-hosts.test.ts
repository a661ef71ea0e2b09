// What the answers of a host change for others, and what does not.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { HostPolicy } from "../../src/fetch/host-policy.ts";
import { Schedule } from "../../src/fetch/schedule.ts";
import { Target } from "../../src/fetch/target.ts";
import { cli, listOf } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

const away = (from: TestServer, url: string): string => `${from.origin}/away/${encodeURIComponent(url)}`;

function gapOf({ seen }: TestServer): number {
  return (seen[1]?.at ?? 0) - (seen[0]?.at ?? 0);
}

describe("meanwhile fetch with redirects to another host", () => {
  it("leaves alone the host that asked for it", async () => {
    await using from = await TestServer.start();
    await using busy = await TestServer.start();
    const input = `${away(from, `${busy.origin}/busy/1`)}\n${listOf(3, (index) => `${busy.origin}/ok/${index}`)}`;
    const { exit, stderr } = await cli(["fetch", "-", "-c", "1"], { input });
    assert.equal(exit, 0, stderr);
    assert.ok(gapOf(busy) >= 980, `asked again after ${gapOf(busy)} ms`);
    assert.ok((from.seen.at(-1)?.at ?? 0) - (busy.seen[0]?.at ?? 0) >= 980, "the one that led there came back early");
  });

  it("holds back redirects that lead there from elsewhere", async () => {
    await using from = await TestServer.start();
    await using other = await TestServer.start();
    await using busy = await TestServer.start();
    const input = `${away(from, `${busy.origin}/busy/1`)}\n${away(other, `${busy.origin}/ok/1`)}\n`;
    const { exit, stderr } = await cli(["fetch", "-", "-c", "1"], { input });
    assert.equal(exit, 0, stderr);
    assert.ok(gapOf(busy) >= 980, `asked again after ${gapOf(busy)} ms`);
  });

  it("fails at once what leads to a host that wants a rest longer than anybody waits, and defers that one", async () => {
    await using from = await TestServer.start();
    await using closed = await TestServer.start();
    const input = `${away(from, `${closed.origin}/closed/1`)}\n${closed.origin}/ok/2\n${from.origin}/ok/3\n`;
    const { records } = await cli(["fetch", "-", "-c", "1", "--retry-max-time", "10s"], { input });
    assert.deepEqual(Object.fromEntries(records.map(({ index, error }) => [index, error?.code ?? "ok"])), {
      1: "rate_limited",
      2: "rate_limited",
      3: "ok",
    });
    assert.equal(closed.seen.length, 1);
  });

  it("asks no more of it at once than --per-host", async () => {
    const servers = [await TestServer.start(), await TestServer.start(), await TestServer.start()];
    await using target = await TestServer.start();
    try {
      const input = listOf(18, (index) => away(servers[index % 3] as TestServer, `${target.origin}/pause/${index}`));
      const { exit } = await cli(["fetch", "-", "--per-host", "2"], { input });
      assert.equal(exit, 0);
      assert.ok(target.mostRunning <= 2, `${target.mostRunning} at once`);
    } finally {
      for (const server of servers) await server[Symbol.asyncDispose]();
    }
  });
});

describe("meanwhile fetch", () => {
  it("takes an answer that is ok for what it is, although it was the last of a quota", async () => {
    await using server = await TestServer.start();
    const args = ["--retries", "0", "--retry-max-time", "100ms"];
    const { exit, records } = await cli(["fetch", "-", ...args], { input: `${server.origin}/spent/1\n` });
    assert.deepEqual([exit, records[0]?.ok, records[0]?.error], [0, true, undefined]);
  });

  it("sees with --fail-fast a line that is no URL before any request has ended", { timeout: 20_000 }, async () => {
    await using server = await TestServer.start();
    // More than are read ahead: the end of the list is far.
    const input = `http://[\n${listOf(10_100, (index) => `${server.origin}/stall/${index}`)}`;
    const { exit } = await cli(["fetch", "-", "--fail-fast", "--grace", "0"], { input });
    assert.equal(exit, 5);
  });
});

describe("HostPolicy", () => {
  it("gives no host up for what was wanting on this machine", async () => {
    const limits = { adaptive: false, perHost: 2, maxHostErrors: 2, retryMaxMs: 1_000 };
    const rates = { ratePerSecond: Infinity, perHostRatePerSecond: Infinity };
    const schedule = new Schedule({ perHost: 2, ...rates, capacity: 9, later: () => {} });
    const policy = new HostPolicy(schedule, limits);
    const target = new Target(1, "http://host/a", "http://host");
    await schedule.add(target);
    const failure = { code: "connect", message: "no" } as const;
    for (let count = 0; count < 5; count++) policy.observe(target, { bytes: 0, failure, isLocal: true }, 0);
    assert.equal(target.host.mode, "open");
    for (let count = 0; count < 2; count++) policy.observe(target, { bytes: 0, failure }, 0);
    assert.equal(target.host.mode, "broken");
  });
});
