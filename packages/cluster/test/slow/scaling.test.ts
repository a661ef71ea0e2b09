// Two workers do more than one.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connectCluster } from "@meanwhile/cluster";

import { noteFigure } from "../../../../tools/figures.ts";
import { newQueue } from "../engines.ts";
import { Herd } from "./herd.ts";
import { KINDS } from "./servers.ts";

type Functions = typeof import("./chaos-functions.ts");

const AT_ONCE = 4;
const JOB_MS = 20;
const JOBS = Math.max(200, Math.ceil(1_000 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1)));

for (const kind of KINDS) {
  describe(`jobs that wait, on ${kind.name}`, { skip: kind.skip }, () => {
    it("are done sooner by two workers than by one", async () => {
      await using server = await kind.start();
      const rates: number[] = [];
      for (const workers of [1, 2]) {
        const queue = newQueue();
        await using herd = new Herd(server.url, queue, AT_ONCE, 30_000);
        for (let i = 0; i < workers; i++) await herd.start();
        const cluster = await connectCluster<Functions>(server.url, { queue });
        const call = (): Promise<number> => cluster.call("square", "/dev/null", 3, JOB_MS);
        await Promise.all(Array.from({ length: 20 }, call));
        const started = performance.now();
        await Promise.all(Array.from({ length: JOBS }, call));
        const ms = performance.now() - started;
        rates.push((JOBS / ms) * 1_000);
        const note = `${workers} workers with ${AT_ONCE} at once: ${rates.at(-1)?.toFixed(0)}/s of ${(workers * AT_ONCE * 1_000) / JOB_MS} that are possible`;
        noteFigure(`cluster on ${kind.name}, scaling`, { count: JOBS, unit: `jobs of ${JOB_MS} ms`, ms, note });
        await cluster.close();
      }
      const [one = 0, two = 0] = rates;
      // On a machine with nothing else to do it is twice as many.
      assert.ok(two > 1.2 * one, `${one.toFixed(0)}/s by one, ${two.toFixed(0)}/s by two`);
    });
  });
}
