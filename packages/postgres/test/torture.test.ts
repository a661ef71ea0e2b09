import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { createPool, type Pool, sql } from "@meanwhile/postgres";
import { gather } from "meanwhile";
import { torture } from "meanwhile/testing";

import { startServer } from "./servers.ts";

type UseCase = (pool: Pool) => Promise<unknown>;

const USE_CASES: Readonly<Record<string, UseCase>> = {
  "a statement": (pool) => pool.fetchValue("select 1"),
  "a waiter in the line": (pool) =>
    gather([
      () => pool.fetchValue("select 1"),
      () => pool.fetchValue("select 2"),
      () => pool.acquire().then((c) => c.release()),
    ]),
  "a block": async (pool) => {
    await using connection = await pool.acquire();
    await connection.execute("set work_mem = '1MB'");
    await connection.fetch(sql`select ${1}::int`);
  },
  "a transaction with a savepoint": (pool) =>
    pool.transaction(async (connection) => {
      await connection.execute("insert into torture values (1)");
      await connection.transaction(() => connection.execute("insert into torture values (2)"));
    }),
  "a cursor": async (pool) => {
    for await (const _row of pool.cursor("select n from generate_series(1, 600) n"));
  },
  "a copy in": (pool) => pool.copyFrom({ table: "torture" }, [[1], [2]]),
  "a copy out": async (pool) => {
    for await (const _chunk of pool.copyTo("copy torture to stdout"));
  },
  "many lists of arguments": (pool) => pool.executeMany("insert into torture values ($1)", [[1], [2]]),
  "a prepared statement": (pool) =>
    pool.with(async (connection) => {
      await using statement = await connection.prepare("select $1::int");
      await statement.fetchValue(1);
    }),
};

describe("whatever a pool is used for, cancelled at any checkpoint and during any wait, leaves it whole", () => {
  let pool: Pool;
  before(async () => {
    pool = createPool({ dsn: (await startServer()).dsn, maxSize: 2 });
    await pool.execute("create table torture (id int)");
  });
  after(() => pool.close());

  for (const [name, use] of Object.entries(USE_CASES)) {
    it(name, async () => {
      const report = await torture({
        setup: () => pool.execute("truncate torture"),
        run: () => use(pool),
        check: async (_world, outcome) => {
          const { held, waiting, opening, resetting } = pool.statistics();
          assert.deepEqual({ held, waiting, opening, resetting }, { held: 0, waiting: 0, opening: 0, resetting: 0 });
          const count = await pool.fetchValue<bigint>("select count(*) from torture");
          // All or nothing.
          assert.ok(count === 0n || count === 2n, `${count} rows after ${outcome.kind}`);
          await gather([1, 2].map((n) => async () => assert.equal(await pool.fetchValue("select $1::int", n), n)));
        },
      });
      assert.ok(report.runs > 2);
    });
  }
});
