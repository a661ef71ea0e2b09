// Workers that are killed all the time and a server that is restarted: every call settles, every result is right, and what may
// not begin twice does not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { connectCluster } from "@meanwhile/cluster";

import { noteFigure } from "../../../../tools/figures.ts";
import { newFile, newQueue } from "../engines.ts";
import { Herd } from "./herd.ts";
import { KINDS } from "./servers.ts";

type Functions = typeof import("./chaos-functions.ts");

const JOBS = Math.ceil(10_000 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1));
const WORKERS = 3;
const AT_ONCE = 8;
const LOST_AFTER_MS = 5_000;
const KILL_EVERY_MS = 2_000;
const JOB_MS = 20;

for (const kind of KINDS) {
  describe(`${JOBS} jobs on ${kind.name}, a worker killed every ${KILL_EVERY_MS / 1_000} s, the server once`, () => {
    it("all settle; results are right; what may begin once begins once", { skip: kind.skip }, async () => {
      await using server = await kind.start();
      const queue = newQueue();
      await using herd = new Herd(server.url, queue, AT_ONCE, LOST_AFTER_MS);
      for (let i = 0; i < WORKERS; i++) await herd.start();
      const cluster = await connectCluster<Functions>(server.url, { queue, lostAfterMs: LOST_AFTER_MS });
      const file = newFile();
      const started = performance.now();
      let settled = 0;
      const calls = Array.from({ length: JOBS }, async (_, i) => {
        try {
          return await cluster.start("square", [file, i, JOB_MS], { isIdempotent: i % 2 === 0 });
        } catch (error) {
          return error as Error;
        } finally {
          settled += 1;
        }
      });
      let isRestarted = false;
      const isOver = (): boolean => settled === JOBS;
      const starting: Array<Promise<void>> = [];
      while (!isOver()) {
        await pause(KILL_EVERY_MS);
        await herd.kill();
        starting.push(herd.start());
        if (!isRestarted && settled > JOBS / 3) {
          isRestarted = true;
          await server.restart();
        }
        assert.ok(performance.now() - started < 600_000, `${settled} of ${JOBS} have settled`);
      }
      await Promise.all(starting);
      const results = await Promise.all(calls);
      const ms = performance.now() - started;
      const begins = new Map<number, number>();
      for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) {
        begins.set(Number(line), (begins.get(Number(line)) ?? 0) + 1);
      }
      let lost = 0;
      let cutOff = 0;
      for (const [i, result] of results.entries()) {
        if (i % 2 === 0) assert.equal(result, i * i);
        else {
          assert.ok((begins.get(i) ?? 0) <= 1, `${i} has begun ${begins.get(i)} times`);
          if (result instanceof Error) {
            const { code } = result as { code?: string };
            if (code === "MW_ERR_CLUSTER_WORKER_LOST") lost += 1;
            // On a machine that is busy enough the client itself is silent for too long.
            else if (code === "MW_ERR_CLUSTER_UNREACHABLE") cutOff += 1;
            else assert.fail(String(result));
          } else assert.equal(result, i * i);
        }
      }
      const again = [...begins.values()].filter((count) => count > 1).length;
      const { polled, resent } = cluster.statistics();
      const limit = (herd.kills + WORKERS) * AT_ONCE;
      assert.ok(lost <= limit && again <= limit, `${lost} lost, ${again} begun again, ${herd.kills} kills`);
      await cluster.close();
      const note = `${herd.kills} kills: ${again} begun again, ${lost} of those that may not lost, ${cutOff} cut off, ${polled} ends found by looking, ${resent} sent again`;
      noteFigure(`cluster on ${kind.name}, workers killed`, { count: JOBS, unit: "jobs", ms, note });
    });
  });
}
