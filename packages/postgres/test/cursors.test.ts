import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connect, createPool } from "@meanwhile/postgres";
import { moveOnAfter } from "meanwhile";

import { startServer } from "./servers.ts";

const SERIES = "select n from generate_series(1, $1::int) n";

describe("A cursor", () => {
  it("gives rows one at a time, in batches, or as many as are asked for", async () => {
    await using connection = await connect((await startServer()).dsn);
    await connection.transaction(async () => {
      let sum = 0;
      for await (const { n } of connection.cursor<{ n: number }>(SERIES, 1_000)) sum += n;
      assert.equal(sum, 500_500);
      const sizes: number[] = [];
      for await (const rows of connection.cursor(SERIES, 25).batches(10)) sizes.push(rows.length);
      assert.deepEqual(sizes, [10, 10, 5]);
      await using cursor = connection.cursor<{ n: number }>(SERIES, 4);
      assert.deepEqual(await cursor.fetchRow(), { n: 1 });
      assert.deepEqual(await connection.fetchValue("select 'in between'"), "in between");
      assert.deepEqual(await cursor.fetch(2), [{ n: 2 }, { n: 3 }]);
      assert.deepEqual(
        [await cursor.fetch(5), await cursor.fetch(5), await cursor.fetchRow()],
        [[{ n: 4 }], [], undefined],
      );
      await assert.rejects(cursor.fetch(0), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    });
  });

  it("can be left early", async () => {
    await using connection = await connect((await startServer()).dsn);
    await connection.transaction(async () => {
      for await (const row of connection.cursor(SERIES, 1_000_000)) {
        assert.deepEqual(row, { n: 1 });
        break;
      }
      assert.equal(await connection.fetchValue("select count(*) from pg_cursors where name <> ''"), 0n);
    });
  });

  it("is refused outside of a transaction, but not by a pool", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, maxSize: 1 });
    await using connection = await connect(dsn);
    await assert.rejects(connection.cursor(SERIES, 3).fetch(1), { code: "MW_ERR_PG_NOT_IN_TRANSACTION" });
    const rows: unknown[] = [];
    for await (const { n } of pool.cursor<{ n: number }>(SERIES, 3)) rows.push(n);
    assert.deepEqual(rows, [1, 2, 3]);
    for await (const _row of pool.cursor(SERIES, 1_000_000)) break;
    await assert.rejects(pool.cursor("select 1/0").next(), { code: "MW_ERR_PG_SQL" });
    await moveOnAfter(20, async () => {
      for await (const _row of pool.cursor("select pg_sleep(20)")) assert.fail("nothing was slept");
    });
    assert.equal(await pool.fetchValue("select 1"), 1);
    assert.deepEqual([pool.statistics().opened, pool.statistics().idle], [1, 1]);
  });
});

describe("A prepared statement", () => {
  it("knows its parameters and columns, and runs again and again", async () => {
    await using connection = await connect((await startServer()).dsn);
    await using statement = await connection.prepare("select $1::int as n, $2::text as word");
    assert.deepEqual(
      [statement.parameters, statement.columns.map(({ name, typeOid }) => [name, typeOid])],
      [
        [23, 25],
        [
          ["n", 23],
          ["word", 25],
        ],
      ],
    );
    assert.deepEqual(await statement.fetch(1, "a"), [{ n: 1, word: "a" }]);
    assert.deepEqual(await statement.fetchRow(2, "b"), { n: 2, word: "b" });
    assert.equal(await statement.fetchValue(3, "c"), 3);
    assert.deepEqual(await statement.execute(4, "d"), { command: "SELECT", rowCount: 1 });
    assert.equal(
      await statement.executeMany([
        [5, "e"],
        [6, "f"],
      ]),
      2,
    );
    await connection.transaction(async () =>
      assert.deepEqual(await statement.cursor(7, "g").fetch(9), [{ n: 7, word: "g" }]),
    );
    await assert.rejects(statement.fetch(1), { code: "MW_ERR_PG_ARGUMENT_COUNT" });
    await statement.close();
    await statement.close();
    await assert.rejects(statement.fetch(1, "a"), { code: "MW_ERR_PG_CLOSED" });
  });

  it("is forgotten by the server when it is closed, unless it is one of those that are remembered anyway", async () => {
    await using connection = await connect({ dsn: (await startServer()).dsn, statementCacheSize: 1 });
    const statement = await connection.prepare("select 'held'");
    await connection.fetchValue("select 'other'");
    const count =
      "select count(*) from pg_prepared_statements where statement like '%held%' and statement not like '%count%'";
    assert.equal(await connection.fetchValue(count), 1n);
    assert.equal(await statement.fetchValue(), "held");
    await statement.close();
    assert.equal(await connection.fetchValue(count), 0n);
  });

  it("is refused where the statement is wrong", async () => {
    await using connection = await connect((await startServer()).dsn);
    await assert.rejects(connection.prepare("selekt"), { code: "MW_ERR_PG_SQL", sqlstate: "42601" });
    assert.equal(await connection.fetchValue("select 1"), 1);
  });
});
