// A worker, and then a client, that is cut off for ten seconds and comes back.

import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { connectCluster } from "@meanwhile/cluster";

import { noteFigure } from "../../../../tools/figures.ts";
import { linesOf, newFile, newQueue, until } from "../engines.ts";
import { end, Herd, startProgram } from "./herd.ts";
import { Island, noIsland } from "./island.ts";
import { KINDS } from "./servers.ts";

type Functions = typeof import("./chaos-functions.ts");

const CUT_MS = 10_000;
const JOBS = 60;

const SQUARES = Array.from({ length: JOBS }, (_, i) => i * i);

/** How often each has begun. */
function beginsIn(file: string): Map<string, number> {
  const begins = new Map<string, number>();
  for (const line of linesOf(file)) begins.set(line, (begins.get(line) ?? 0) + 1);
  return begins;
}

for (const kind of KINDS) {
  describe(`on ${kind.name}`, { skip: kind.skip || noIsland }, () => {
    it("a worker that is cut off for less than lostAfterMs keeps its jobs", async () => {
      const { begins, ms } = await partition(30_000, false);
      assert.deepEqual(new Set(begins.values()), new Set([1]));
      noteFigure(`cluster on ${kind.name}, partition`, { count: JOBS, unit: "jobs", ms, note: "none began twice" });
    });

    it("one that is cut off for longer loses them to another one", async () => {
      const { begins, ms } = await partition(2_000, true);
      const twice = [...begins.values()].filter((count) => count > 1).length;
      assert.ok(twice >= 1 && twice <= 8, `${twice} began again`);
      const note = `cut off for longer than lostAfterMs: ${twice} began again`;
      noteFigure(`cluster on ${kind.name}, partition`, { count: JOBS, unit: "jobs", ms, note });
    });

    it("a client that is cut off for less than lostAfterMs finds its jobs done", async () => {
      const { begins, resent, ms } = await clientPartition(30_000);
      assert.deepEqual([new Set(begins.values()), resent], [new Set([1]), 0]);
      noteFigure(`cluster on ${kind.name}, client cut off`, {
        count: JOBS,
        unit: "jobs",
        ms,
        note: "none began twice",
      });
    });

    it("one that is cut off for longer has them cancelled, and begins them again", async () => {
      const { begins, resent, ms } = await clientPartition(2_000);
      assert.ok(resent >= 1, `${resent} were sent again`);
      const again = [...begins.values()].filter((count) => count > 1).length;
      const note = `cut off for longer than lostAfterMs: ${resent} sent again, ${again} of them had begun`;
      noteFigure(`cluster on ${kind.name}, client cut off`, { count: JOBS, unit: "jobs", ms, note });
    });

    async function clientPartition(lostAfterMs: number) {
      using island = new Island();
      await using server = await kind.start(island.address);
      const queue = newQueue();
      await using herd = new Herd(server.url, queue, 4, lostAfterMs);
      await herd.start();
      const file = newFile();
      const args = [server.urlAt(island.address), queue, String(lostAfterMs), file, String(JOBS)];
      const client = startProgram("./far-client-program.ts", args, island.prefix);
      const output = text(client.stdout as NodeJS.ReadableStream);
      try {
        await until(() => linesOf(file).length >= 4);
        island.cut();
        await pause(CUT_MS);
        island.heal();
        const healed = performance.now();
        const { results, resent } = JSON.parse(await output) as { results: number[]; resent: number };
        assert.deepEqual(results, SQUARES);
        return { begins: beginsIn(file), resent, ms: performance.now() - healed };
      } finally {
        await end(client);
      }
    }

    async function partition(lostAfterMs: number, hasOther: boolean) {
      using island = new Island();
      await using server = await kind.start(island.address);
      const queue = newQueue();
      await using far = new Herd(server.urlAt(island.address), queue, 4, lostAfterMs, island.prefix);
      await using near = new Herd(server.url, queue, 4, lostAfterMs);
      await far.start();
      const cluster = await connectCluster<Functions>(server.url, { queue, lostAfterMs });
      const file = newFile();
      const calls = Array.from({ length: JOBS }, (_, i) => cluster.call("square", file, i, 500));
      await until(() => linesOf(file).length >= 4);
      if (hasOther) await near.start();
      island.cut();
      await pause(CUT_MS);
      island.heal();
      const healed = performance.now();
      const results = await Promise.all(calls);
      const ms = performance.now() - healed;
      assert.deepEqual(results, SQUARES);
      // The one that was cut off works again.
      await near[Symbol.asyncDispose]();
      assert.equal(await cluster.call("square", file, 1_000, 1), 1_000_000);
      await cluster.close();
      return { begins: beginsIn(file), ms };
    }
  });
}
