// 1 000 cancellations at random moments, in worker processes: nothing runs on for more than a second. Then the client is
// killed: its jobs are cancelled, or finished, as it said.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { connectCluster } from "@meanwhile/cluster";
import { moveOnAfter } from "meanwhile";

import { noteFigure } from "../../../../tools/figures.ts";
import { linesOf, newFile, newQueue, until } from "../engines.ts";
import { end, Herd, startProgram } from "./herd.ts";
import { KINDS } from "./servers.ts";

type Functions = typeof import("./chaos-functions.ts");

const CANCELS = Math.ceil(1_000 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1));
const AT_ONCE = 50;
const LOST_AFTER_MS = 2_000;

interface Life {
  begun?: number;
  ended?: number;
  how?: string;
}

function livesIn(file: string): Map<number, Life> {
  const lives = new Map<number, Life>();
  for (const line of linesOf(file)) {
    const [id, what, at] = line.split(" ");
    const life = lives.get(Number(id)) ?? {};
    lives.set(
      Number(id),
      what === "begun" ? { ...life, begun: Number(at) } : { ...life, ended: Number(at), how: what ?? "" },
    );
  }
  return lives;
}

for (const kind of KINDS) {
  describe(`on ${kind.name}`, { skip: kind.skip }, () => {
    it(`${CANCELS} random cancellations reach the worker within a second`, async () => {
      await using server = await kind.start();
      const queue = newQueue();
      await using herd = new Herd(server.url, queue, AT_ONCE, LOST_AFTER_MS);
      await herd.start();
      await herd.start();
      const cluster = await connectCluster<Functions>(server.url, { queue, lostAfterMs: LOST_AFTER_MS });
      const file = newFile();
      const started = performance.now();
      const cancelledAt = new Map<number, number>();
      const one = async (id: number): Promise<void> => {
        const ms = 5 + Math.random() * 300;
        const begunAt = Date.now();
        await moveOnAfter(ms, () => cluster.call("hold", file, id, 60_000));
        cancelledAt.set(id, begunAt + ms);
      };
      for (let next = 0; next < CANCELS; next += AT_ONCE) {
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, CANCELS - next) }, (_, i) => one(next + i)));
      }
      await until(() => [...livesIn(file).values()].every(({ ended }) => ended !== undefined));
      let latest = 0;
      let begun = 0;
      for (const [id, life] of livesIn(file)) {
        begun += 1;
        assert.equal(life.how, "cancelled");
        latest = Math.max(latest, Number(life.ended) - Number(cancelledAt.get(id)));
      }
      await cluster.close();
      assert.ok(latest <= 1_000, `one ran on for ${latest} ms`);
      const ms = performance.now() - started;
      const note = `${begun} of them had begun; the slowest ended ${latest.toFixed(0)} ms after`;
      noteFigure(`cluster on ${kind.name}, cancelled`, { count: CANCELS, unit: "cancellations", ms, note });
    });

    for (const orphans of ["cancel", "finish"] as const) {
      it(`the jobs of a client that is killed are ${orphans === "cancel" ? "cancelled" : "finished"}`, async () => {
        await using server = await kind.start();
        const queue = newQueue();
        await using herd = new Herd(server.url, queue, 10, LOST_AFTER_MS);
        await herd.start();
        const file = newFile();
        // Twice as many as run at once: half of them wait in the queue.
        const args = [server.url, queue, String(LOST_AFTER_MS), orphans, file, "20"];
        const client = startProgram("./client-program.ts", args);
        await until(() => livesIn(file).size === 10);
        await end(client);
        const killedAt = Date.now();
        if (orphans === "finish") {
          await until(() => [...livesIn(file).values()].filter(({ how }) => how === "done").length === 20, 60_000);
          return;
        }
        await until(() => [...livesIn(file).values()].every(({ ended }) => ended !== undefined), 30_000);
        await pause(1_000);
        const lives = [...livesIn(file).values()];
        assert.equal(lives.length, 10, "what waited must not begin");
        for (const { how, ended } of lives) {
          assert.equal(how, "cancelled");
          assert.ok(Number(ended) - killedAt < LOST_AFTER_MS + 3_000, `${Number(ended) - killedAt} ms`);
        }
      });
    }
  });
}
