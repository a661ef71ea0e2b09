// What is known of a prepared statement, and is not true any more.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";

import type { Connection } from "../src/connection.ts";
import { createPool } from "../src/create-pool.ts";
import type { PoolOptions } from "../src/pool-options.ts";
import type { Pool } from "../src/pool.ts";
import { startServer } from "./servers.ts";

/** Runs a test with a pool, in a schema of its own. */
async function withPool(body: (pool: Pool) => Promise<void>, options: PoolOptions = {}): Promise<void> {
  const { dsn } = await startServer();
  await run(async () => {
    await using pool = createPool({ dsn, maxSize: 1, ...options });
    await body(pool);
  });
}

/** Changes something without a word that could be seen. */
async function makeHiddenChange(connection: Pool | Connection, ...texts: readonly string[]): Promise<() => unknown> {
  const commands = texts.map((text) => `execute '${text}';`).join(" ");
  await connection.execute("drop function if exists hidden()");
  await connection.execute(`create function hidden() returns void language plpgsql as $$ begin ${commands} end $$`);
  return () => connection.fetch("select hidden()");
}

describe("a statement that was prepared before", () => {
  it("stores a value as the type that the column of a new temporary table has", async () => {
    await withPool(async (pool) => {
      const store = (type: string, value: unknown): Promise<unknown> =>
        pool.transaction(async (connection) => {
          await connection.execute(`create temp table stage (a ${type}) on commit drop`);
          await connection.execute("insert into stage values ($1)", value);
          return connection.fetchValue("select a::text from stage");
        });
      assert.equal(await store("jsonb", "abc"), '"abc"');
      assert.equal(await store("text", "abc"), "abc");
      assert.equal(await store("int", 5), "5");
      assert.equal(await store("text", "five"), "five");
      assert.equal(await store("jsonb", { five: 5 }), '{"five": 5}');
      assert.equal(await store("date", "2024-01-02"), "2024-01-02");
      assert.equal(await store("int[]", [1, 2]), "{1,2}");
      assert.equal(await store("bytea", Buffer.from("a")), "\\x61");
      assert.equal(await store("text", "abc"), "abc");
    });
  });

  it("finds the table that a temporary one has hidden, when that was dropped by its transaction", async () => {
    await withPool(async (pool) => {
      const add = "insert into hides values ($1)";
      await pool.execute("create table hides (a text)");
      await pool.transaction(async (connection) => {
        await connection.execute("create temp table hides (a jsonb) on commit drop");
        await connection.execute(add, "temporary");
      });
      await pool.execute(add, "lasting");
      assert.equal(await pool.fetchValue("select a from hides"), "lasting");
    });
  });

  it("finds what a rollback to a savepoint has brought back", async () => {
    await withPool(async (pool) => {
      await pool.execute("create table undone (a text)");
      await pool.transaction(async (connection) => {
        const add = "insert into undone values ($1)";
        const inner = connection.transaction(async () => {
          await connection.execute("alter table undone alter a type jsonb using null");
          await connection.execute(add, "inner");
          throw new Error("undo");
        });
        await assert.rejects(inner, { message: "undo" });
        await connection.execute(add, "outer");
      });
      assert.equal(await pool.fetchValue("select a from undone"), "outer");
    });
  });

  it("stores a value as the type that another connection has given the column", async () => {
    await withPool(
      async (pool) => {
        await pool.execute("create table doc (a jsonb)");
        await using first = await pool.acquire();
        await first.execute("insert into doc values ($1)", "json");
        await using second = await pool.acquire();
        await second.transaction(() => second.execute("alter table doc alter a type text"));
        await first.execute("insert into doc values ($1)", "text");
        assert.deepEqual(await first.fetch("select a from doc order by a"), [{ a: '"json"' }, { a: "text" }]);
      },
      { maxSize: 2 },
    );
  });

  it("follows the search path, also one that lasts for a transaction", async () => {
    await withPool(async (pool) => {
      await pool.execute("create schema t1 create table x (a jsonb)");
      await pool.execute("create schema t2 create table x (a text)");
      for (const tenant of ["t1", "t2", "t1", "t2"]) {
        await pool.transaction(async (connection) => {
          await connection.execute(`set local search_path = ${tenant}`);
          await connection.execute("insert into x values ($1)", "abc");
        });
      }
      assert.deepEqual(await pool.fetch("select a from t2.x"), [{ a: "abc" }, { a: "abc" }]);
      assert.deepEqual(await pool.fetch("select a from t1.x"), [{ a: "abc" }, { a: "abc" }]);
    });
  });

  it("is prepared anew where the server refuses the types it was prepared with, and nobody sees it", async () => {
    await withPool(async (pool) => {
      await pool.execute("create table altered (a text)");
      const change = await makeHiddenChange(pool, "alter table altered alter a type date using null");
      const add = "insert into altered values ($1)";
      await pool.execute(add, "text");
      await change();
      await pool.execute(add, "2024-01-02");
      assert.equal(await pool.fetchValue("select count(*)::int from altered where a = '2024-01-02'"), 1);
    });
  });

  it("is prepared anew where an argument does not fit what is known of it, also in a transaction", async () => {
    await withPool(async (pool) => {
      await pool.execute("create table widened (a int)");
      const change = await makeHiddenChange(pool, "alter table widened alter a type text");
      const add = "insert into widened values ($1)";
      await pool.execute(add, 1);
      await change();
      await pool.transaction((connection) => connection.execute(add, "two"));
      assert.equal(await pool.executeMany(add, [["three"], ["four"]]), 2);
      assert.equal(await pool.fetchValue("select string_agg(a, ' ' order by a) from widened"), "1 four three two");
    });
  });

  it("is prepared anew for many lists, of which none is lost that was taken from an iterable", async () => {
    await withPool(async (pool) => {
      await pool.execute("create table many (a int)");
      const change = await makeHiddenChange(pool, "alter table many alter a type text");
      const add = "insert into many values ($1)";
      await pool.execute(add, 1);
      await change();
      const lists = function* (): Generator<[unknown]> {
        yield [2];
        yield [3];
        yield ["four"];
        yield ["five"];
      };
      assert.equal(await pool.executeMany(add, lists()), 4);
      assert.equal(await pool.fetchValue("select string_agg(a, ' ' order by a) from many"), "1 2 3 five four");
    });
  });

  it("is run once where it fails for another reason", async () => {
    await withPool(async (pool) => {
      await pool.execute("create sequence runs");
      const text = "select ('x' || nextval('runs') || $1::text)::int";
      for (const _attempt of [1, 2]) await assert.rejects(pool.fetch(text, "x"), { sqlstate: "22P02" });
      assert.equal(await pool.fetchValue("select last_value::int from runs"), 2);
    });
  });

  it("still refuses an argument that does not fit, without a failed transaction", async () => {
    await withPool(async (pool) => {
      await pool.transaction(async (connection) => {
        await connection.fetch("select $1::int", 1);
        await assert.rejects(connection.fetch("select $1::int", "one"), { code: "MW_ERR_PG_ARGUMENT_TYPE" });
        await assert.rejects(connection.fetch("select $1::int"), { code: "MW_ERR_PG_ARGUMENT_COUNT" });
        const wrong = connection.executeMany("select $1::int", [[1], ["one"]]);
        await assert.rejects(wrong, { code: "MW_ERR_PG_ARGUMENT_TYPE", message: /index 1/ });
        assert.equal(await connection.fetchValue("select $1::int", 2), 2);
      });
    });
  });

  it("begins the transaction it is the first of, also when it has to be prepared anew", async () => {
    await withPool(async (pool) => {
      await pool.execute("create table opened (a int)");
      const change = await makeHiddenChange(pool, "alter table opened alter a type text");
      const add = "insert into opened values ($1)";
      await pool.execute(add, 1);
      await change();
      const undone = pool.transaction(async (connection) => {
        await connection.execute(add, "two");
        throw new Error("undo");
      });
      await assert.rejects(undone, { message: "undo" });
      assert.equal(await pool.fetchValue("select count(*)::int from opened"), 1);
    });
  });

  it("stays prepared while nothing changes", async () => {
    await withPool(async (pool) => {
      await pool.execute("create table steady (a int)");
      const name = "select name from pg_prepared_statements where statement = $1";
      const text = "insert into steady select $1::int";
      await pool.execute(text, 1);
      const before = await pool.fetchValue(name, text);
      await pool.transaction(async (connection) => {
        await connection.execute("set local work_mem = '1MB'");
        await connection.execute("with more as (insert into steady values (1)) select 1");
        await connection.execute(text, 1);
      });
      await pool.execute(text, 1);
      assert.equal(await pool.fetchValue(name, text), before);
    });
  });
});

describe("a statement that several hold", () => {
  it("is there for the last of them, whatever has changed", async () => {
    await withPool(async (pool) => {
      await using connection = await pool.acquire();
      const first = await connection.prepare("select $1::int");
      const second = await connection.prepare("select $1::int");
      await first.close();
      await connection.execute("create temp table other (a int)");
      await connection.fetch("select $1::text", "");
      assert.equal(await second.fetchValue(1), 1);
      await second.close();
      await connection.fetch("select $1::int8", 1);
      const left = "select count(*)::int from pg_prepared_statements where statement = $1";
      assert.equal(await connection.fetchValue(left, "select $1::int"), 0);
    });
  });
});
