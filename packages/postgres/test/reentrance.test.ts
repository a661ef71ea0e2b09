// What a program runs while it is asked for the arguments of something else.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";

import { connect } from "../src/connect.ts";
import { createPool } from "../src/create-pool.ts";
import { sql } from "../src/sql.ts";
import { startServer } from "./servers.ts";

const ADD = "insert into pg_temp.added values ($1, $2)";
const ADDED = "select string_agg(a::text, ' ' order by a) from pg_temp.added";

describe("executeMany, while it asks for what it sends", () => {
  it("does not mix with what a value runs on another connection", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using pool = createPool({ dsn, maxSize: 2 });
      await using connection = await connect({ dsn });
      await connection.execute("create temp table added (a int, b jsonb)");
      await connection.execute(ADD, 0, {});
      await pool.fetchValue("select $1::int", 0);
      let count = 0;
      const others: Array<Promise<unknown>> = [];
      const value = {
        toJSON(): string {
          count += 1;
          if (count === 3) others.push(pool.fetchValue("select $1::int", 7));
          return "json";
        },
      };
      const lists = [1, 2, 3, 4].map((a) => [a, value]);
      assert.equal(await connection.executeMany(ADD, lists), 4);
      assert.deepEqual(await Promise.all(others), [7]);
      assert.equal(await connection.fetchValue(ADDED), "0 1 2 3 4");
    });
  });

  it("refuses what its lists run on the same connection, and goes on", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using connection = await connect({ dsn });
      await connection.execute("create temp table added (a int, b jsonb)");
      await connection.execute(ADD, 0, {});
      const others: Array<Promise<unknown>> = [];
      const lists = function* (): Generator<[number, unknown]> {
        yield [1, null];
        others.push(assert.rejects(connection.execute("select 1"), { code: "MW_ERR_PG_BUSY" }));
        yield [2, null];
      };
      assert.equal(await connection.executeMany(ADD, lists()), 2);
      await Promise.all(others);
      assert.equal(others.length, 1);
      assert.equal(await connection.fetchValue(ADDED), "0 1 2");
    });
  });

  it("ends with the connection when a value ends that", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using connection = await connect({ dsn });
      const text = "select $1::jsonb";
      await connection.fetchValue(text, 1);
      const value = { toJSON: () => connection.terminate() };
      await assert.rejects(connection.fetchValue(text, value), { code: "MW_ERR_PG_CLOSED" });
      assert.equal(connection.isClosed, true);
    });
  });
});

describe("executeMany", () => {
  it("says what is wrong with what it is given, before anything is sent", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using connection = await connect({ dsn });
      const given = (statement: unknown, lists: unknown): Promise<unknown> =>
        // @ts-expect-error -- that is what is tested
        connection.executeMany(statement, lists);
      for (const lists of [null, 5, [null], [5], [[1], "1"]]) {
        await assert.rejects(given("select $1::int", lists), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
      }
      await assert.rejects(given(sql`select ${1}`, [[1]]), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
      await assert.rejects(given("/* all */ copy t from stdin", [[]]), { code: "MW_ERR_PG_COPY", message: /copyFrom/ });
      assert.equal(connection.isClosed, false);
    });
  });

  it("names no list when it is the commit that fails", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using connection = await connect({ dsn });
      await connection.execute("create temp table once (a int unique deferrable initially deferred)");
      const failing = connection.executeMany("insert into once values ($1)", [[1], [1]]);
      await assert.rejects(failing, { sqlstate: "23505", index: undefined, message: /^Cannot run the statement: / });
    });
  });
});

describe("a statement with very many parameters", () => {
  it("has as many as the protocol can count", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using connection = await connect({ dsn });
      const text = (count: number): string =>
        `select ${Array.from({ length: count }, (_, index) => `$${index + 1}::int`).join(" + ")}`;
      const args = (count: number): number[] => Array.from({ length: count }, () => 1);
      // A sum of more would be nested too deeply.
      const wide = `select a from unnest(array[${text(65_535).slice("select ".length).replaceAll(" + ", ", ")}]) a limit 1`;
      assert.equal(await connection.fetchValue(wide, ...args(65_535)), 1);
      await assert.rejects(connection.fetchValue(wide, ...args(40_000)), {
        code: "MW_ERR_PG_ARGUMENT_COUNT",
        message: /it has 65535 parameters, and 40000 arguments were given$/,
      });
      await assert.rejects(connection.fetchValue("select 1", ...args(65_536)), {
        code: "MW_ERR_PG_ARGUMENT_COUNT",
        message: /65536 arguments were given, and 65535 can be sent/,
      });
      assert.equal(await connection.fetchValue("select 1"), 1);
    });
  });
});
