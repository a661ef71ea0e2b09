// 1 000 tasks that are cancelled at random moments of whatever they do: the pool is whole afterwards, and the server too.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { cancelScope, gather, moveOnAfter, run } from "meanwhile";

import { noteFigure } from "../../../../tools/figures.ts";
import { createPool } from "../../src/create-pool.ts";
import type { Pool } from "../../src/pool.ts";
import { FaultProxy } from "../fault-proxy.ts";
import { startServer } from "../servers.ts";
import { randomFrom, TABLES, WORKS } from "../work.ts";

const CANCELS = Math.ceil(1_000 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1));
const CONNECTIONS = 10;
const LOOPS = 20;

const server = await startServer();

/** Backends of the pools of this file, as another connection sees them. */
function backends(observer: Pool): Promise<{ state: string; query: string }[]> {
  return observer.fetch("select state, query from pg_stat_activity where application_name = 'broken'");
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = performance.now() + 5_000; !(await what()); await pause(5)) {
    assert.ok(performance.now() < giveUpAt, "not so after 5 s");
  }
}

/** Runs random work and cancels it after a random time; returns how many were cancelled before they had ended. */
async function cancelOne(pool: Pool, random: () => number): Promise<number> {
  const work = WORKS[Math.floor(random() * WORKS.length)] ?? assert.fail();
  // Mostly while something runs; now and then before it has begun, or after it has ended.
  const ms = random() ** 3 * 60;
  let isDone = false;
  await moveOnAfter(ms, async () => {
    assert.equal(await work.run(pool), work.gives, work.name);
    isDone = true;
  });
  return isDone ? 0 : 1;
}

describe(`${CANCELS} tasks that are cancelled at random`, () => {
  for (const [seed, way] of [
    [1, "directly"],
    [2, "directly"],
    [3, "with requests that come late"],
    [4, "with requests that come late"],
  ] as const) {
    it(`leave a pool of ${CONNECTIONS} connections, and no stray backend: seed ${seed}, ${way}`, async () => {
      const { dsn } = server;
      // A request that is still under way must not hit the statement of the next one who has the connection.
      await using proxy = await FaultProxy.start(server.port);
      proxy.poison({ kind: "late-cancel", delayMs: () => random() * 8 });
      const address = way === "directly" ? { dsn } : { dsn: server.tcpDsn, port: proxy.port };
      const random = randomFrom(seed);
      const startedAt = performance.now();
      let left = CANCELS;
      let cancelled = 0;
      await run(async () => {
        await using observer = createPool(server.dsn);
        await using pool = createPool({ ...address, maxSize: CONNECTIONS, applicationName: "broken" });
        await pool.execute(TABLES);
        const loop = async (): Promise<void> => {
          while (left > 0) {
            left -= 1;
            const one = await cancelOne(pool, random);
            cancelled += one;
          }
        };
        await gather(Array.from({ length: LOOPS }, () => loop));
        const { held, waiting, size } = pool.statistics();
        assert.deepEqual([held, waiting], [0, 0]);
        assert.ok(size <= CONNECTIONS, `${size} connections`);
        // All ten at once: each answers, in a transaction.
        const ask = (): Promise<unknown> =>
          pool.transaction(async (connection) => {
            await connection.fetchValue("select pg_sleep(0.05)");
            return connection.fetchValue("select count(*) from work");
          });
        assert.deepEqual(await gather(Array.from({ length: CONNECTIONS }, () => ask)), Array(CONNECTIONS).fill(2_000n));
        assert.equal(pool.statistics().size, CONNECTIONS);
        // Besides the pool there is one for notifications, if it was not closed yet.
        await until(async () => {
          const found = await backends(observer);
          return found.length <= CONNECTIONS + 1 && found.every(({ state }) => state === "idle");
        });
      });
      assert.ok(cancelled > CANCELS / 4, `only ${cancelled} were cancelled`);
      noteFigure("Postgres: tasks cancelled at random", {
        count: CANCELS,
        unit: "tasks",
        ms: performance.now() - startedAt,
        note: `${cancelled} of them before they had ended`,
      });
    });
  }
});

describe("a statement that would take 20 seconds", () => {
  it("ends within one when it is cancelled, and its connection answers in a transaction", async () => {
    await run(async () => {
      await using pool = createPool({ dsn: server.dsn, maxSize: 1 });
      const pid = await pool.fetchValue("select pg_backend_pid()");
      const startedAt = performance.now();
      await cancelScope(async (scope) => {
        const sleeping = pool.fetch("select pg_sleep(20)");
        await pause(10);
        scope.cancel();
        await sleeping;
      });
      const ms = performance.now() - startedAt;
      assert.ok(ms < 1_000, `${ms} ms`);
      const again = await pool.transaction((connection) => connection.fetchValue("select pg_backend_pid()"));
      assert.equal(again, pid);
      noteFigure("Postgres: pg_sleep(20) cancelled", { count: 1, unit: "statements", ms });
    });
  });
});
