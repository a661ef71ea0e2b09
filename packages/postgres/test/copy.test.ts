import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";

import { createPool, type Pool } from "@meanwhile/postgres";
import { moveOnAfter, sleepForever } from "meanwhile";

import { startServer } from "./servers.ts";

let tables = 0;

async function poolWithTable(columns: string): Promise<Pool & { table: string }> {
  const { dsn } = await startServer();
  const pool = createPool({ dsn, maxSize: 1 });
  tables += 1;
  const table = `copied_${tables}`;
  await pool.execute(`create table ${table} (${columns})`);
  return Object.assign(pool, { table });
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

describe("copyFrom", () => {
  it("copies rows, each value by the type of its column", async () => {
    await using pool = await poolWithTable("id int, words text[], at timestamptz, data bytea, doc jsonb, big int8");
    const row = [1, ["a\tb", 'c"d\\', null], new Date(0), new Uint8Array([0, 255]), { k: "l\nm" }, 2n ** 60n];
    assert.equal(await pool.copyFrom({ table: pool.table }, [row, [2, null, null, null, null, null]]), 2);
    const rows = await pool.fetch<Record<string, unknown>>(`select * from ${pool.table} order by id`);
    assert.deepEqual(Object.values(rows[0] ?? {}), row);
    assert.deepEqual(Object.values(rows[1] ?? {}), [2, null, null, null, null, null]);
    const missing = [3, null, null, undefined, null, null];
    await assert.rejects(pool.copyFrom({ table: pool.table }, [missing]), { code: "MW_ERR_PG_ARGUMENT_TYPE" });
  });

  it("copies what an async iterable yields, into some of the columns", async () => {
    await using pool = await poolWithTable("id int, name text default 'none', extra int");
    async function* rows(): AsyncGenerator<unknown[]> {
      for (let n = 1; n <= 50_000; n++) yield [n, `row ${n}`];
    }
    const target = { table: ["public", pool.table], columns: ["extra", "name"] } as const;
    assert.equal(await pool.copyFrom(target, rows()), 50_000);
    const sums = await pool.fetchRow(`select count(*), sum(extra), count(id) as ids from ${pool.table}`);
    assert.deepEqual(sums, { count: 50_000n, sum: 1_250_025_000n, ids: 0n });
  });

  it("leaves out columns that the server generates, and fills those of identities", async () => {
    const columns = "id int generated always as identity, twice int generated always as (half * 2) stored, half int";
    await using pool = await poolWithTable(columns);
    assert.equal(await pool.copyFrom({ table: pool.table }, [[7, 1]]), 1);
    assert.deepEqual(await pool.fetch(`select * from ${pool.table}`), [{ id: 7, twice: 2, half: 1 }]);
    await assert.rejects(pool.copyFrom({ table: pool.table }, [[7, 2, 1]]), {
      code: "MW_ERR_PG_ARGUMENT_COUNT",
      message: /there are 2 columns: id, half/,
    });
    await pool.execute(`alter table ${pool.table} drop column id; alter table ${pool.table} add column name text`);
    assert.equal(await pool.copyFrom({ table: pool.table }, [[3, "three"]]), 1);
    assert.equal(await pool.fetchValue(`select twice from ${pool.table} where name = 'three'`), 6);
  });

  it("copies text in a format of COPY, in pieces of any size", async () => {
    await using pool = await poolWithTable("id int, name text");
    const csv = Readable.from([Buffer.from("id,name\n1,"), Buffer.from('"a, b"\n2'), Buffer.from(",c\n")]);
    assert.equal(await pool.copyFrom({ table: pool.table, format: "csv", header: true }, csv), 2);
    assert.equal(await pool.copyFrom(`copy ${pool.table} from stdin`, ["3\td\n"]), 1);
    assert.equal(await pool.copyFrom({ table: pool.table }, []), 0);
    assert.equal(await textOf(pool.copyTo({ table: pool.table })), "1\ta, b\n2\tc\n3\td\n");
    assert.equal(
      await textOf(pool.copyTo({ query: `select id from ${pool.table} where id > 1`, format: "csv" })),
      "2\n3\n",
    );
  });

  it("copies nothing when an item of its source is undefined, and not what is before it", async () => {
    await using pool = await poolWithTable("id int");
    const COUNT = { code: "MW_ERR_PG_ARGUMENT_COUNT", message: /index 1: it is no array/ };
    const ITEM = { code: "MW_ERR_PG_INVALID_ARGUMENT", message: /'source': it is undefined/ };
    for (const [source, expected] of [
      [[[1], undefined, [3]], COUNT],
      [["1\n", undefined, "3\n"], ITEM],
      [[undefined, [1]], ITEM],
      [[undefined], ITEM],
    ] as const) {
      await assert.rejects(pool.copyFrom({ table: pool.table }, source as never), expected);
    }
    assert.equal(await pool.fetchValue(`select count(*) from ${pool.table}`), 0n);
    assert.equal(await pool.copyFrom({ table: pool.table }, []), 0);
  });

  it("copies characters that lie in two pieces", async () => {
    await using pool = await poolWithTable("id int, name text");
    const text = "1\t😀\n2\t👍👍\n";
    assert.equal(
      await pool.copyFrom(
        { table: pool.table },
        [...Array(text.length).keys()].map((at) => text[at] ?? ""),
      ),
      2,
    );
    const names = await pool.fetch(`select name from ${pool.table} order by id`);
    assert.deepEqual(names, [{ name: "😀" }, { name: "👍👍" }]);
    const bytes = Buffer.from("\n");
    await pool.copyFrom({ table: pool.table }, ["3\t\ud83d", bytes, "4\t\ud83d"] as never);
    const halves = await pool.fetch(`select name from ${pool.table} where id > 2`);
    assert.deepEqual(halves, [{ name: "\ufffd" }, { name: "\ufffd" }]);
  });

  it("copies nothing when its source throws, and lets the source clean up when the server refuses", async () => {
    await using pool = await poolWithTable("id int primary key");
    let isClosed = false;
    async function* rows(bad: () => unknown): AsyncGenerator<unknown[]> {
      try {
        for (let n = 0; n < 20_000; n++) yield [n];
        yield [bad()];
        for (;;) yield [1];
      } finally {
        isClosed = true;
      }
    }
    const throwing = (): never => {
      throw new RangeError("no more");
    };
    await assert.rejects(pool.copyFrom({ table: pool.table }, rows(throwing)), RangeError);
    isClosed = false;
    const refused = pool.copyFrom(
      { table: pool.table },
      rows(() => "x"),
    );
    await assert.rejects(refused, {
      code: "MW_ERR_PG_ARGUMENT_TYPE",
      message: /row at index 20000: its value for id does not fit/,
    });
    assert.equal(isClosed, true);
    isClosed = false;
    await assert.rejects(
      pool.copyFrom(
        { table: pool.table },
        rows(() => 5),
      ),
      { code: "MW_ERR_PG_SQL", sqlstate: "23505" },
    );
    assert.equal(isClosed, true);
    assert.equal(await pool.fetchValue(`select count(*) from ${pool.table}`), 0n);
    assert.equal(pool.statistics().opened, 1);
  });

  it("copies nothing when it is cancelled, also while its source is silent", async () => {
    await using pool = await poolWithTable("id int");
    async function* silent(): AsyncGenerator<unknown[]> {
      yield [1];
      await sleepForever();
    }
    const stuck = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    for (const source of [silent(), stuck]) {
      assert.equal(await moveOnAfter(20, () => pool.copyFrom({ table: pool.table }, source as never)), undefined);
    }
    assert.equal(await pool.fetchValue(`select count(*) from ${pool.table}`), 0n);
    assert.equal(pool.statistics().opened, 1);
  });

  it("refuses what it cannot copy", async () => {
    await using pool = await poolWithTable("id int, name text");
    const refuse = (target: unknown, source: unknown, code: string) =>
      assert.rejects(pool.copyFrom(target as never, source as never), { code });
    await refuse({ table: pool.table }, [[1]], "MW_ERR_PG_ARGUMENT_COUNT");
    await refuse({ table: pool.table }, [[1, "a"], "text"], "MW_ERR_PG_ARGUMENT_COUNT");
    await refuse({ table: pool.table }, ["1\ta\n", [1, "a"]], "MW_ERR_PG_INVALID_ARGUMENT");
    await refuse({ table: pool.table }, new Uint8Array(3), "MW_ERR_PG_INVALID_ARGUMENT");
    await refuse({ table: pool.table, format: "binary" }, [[1, "a"]], "MW_ERR_PG_INVALID_ARGUMENT");
    await refuse({ table: pool.table, format: "xml" }, ["x"], "MW_ERR_PG_INVALID_ARGUMENT");
    await refuse({ table: "" }, ["x"], "MW_ERR_PG_INVALID_ARGUMENT");
    await refuse("select 1", ["x"], "MW_ERR_PG_COPY");
    assert.equal(await pool.fetchValue("select 1"), 1);
  });
});

describe("copyTo", () => {
  it("takes a query as it is written: with a semicolon, or a comment at its end", async () => {
    await using pool = await poolWithTable("id int");
    for (const query of ["select 1", "select 1;", "select 1 ; \n", "select 1 -- one", "select 1 -- one;"])
      assert.equal(await textOf(pool.copyTo({ query })), "1\n", query);
  });

  it("reads no faster than its loop, and can be left early", async () => {
    await using pool = await poolWithTable("id int, name text");
    let bytes = 0;
    for await (const chunk of pool.copyTo({ query: "select n, repeat('x', 100) from generate_series(1, 100000) n" })) {
      bytes += chunk.length;
      if (bytes > 100_000) break;
    }
    assert.ok(bytes < 5_000_000);
    assert.equal(await pool.fetchValue("select 1"), 1);
    const whole = await textOf(pool.copyTo("copy (select n from generate_series(1, 100000) n) to stdout"));
    assert.equal(whole.length, 588_895);
    await assert.rejects(textOf(pool.copyTo("copy nothing_there to stdout")), {
      code: "MW_ERR_PG_SQL",
      sqlstate: "42P01",
    });
    await moveOnAfter(20, () => textOf(pool.copyTo("copy (select pg_sleep(20)) to stdout")));
    assert.equal(pool.statistics().opened, 1);
  });
});
