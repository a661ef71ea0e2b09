import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { createPool, type PoolOptions } from "@meanwhile/postgres";

import { startServer } from "./servers.ts";

const DOMAINS = `drop table if exists of_domains; drop domain if exists doc_of_doc, doc, bytes, numbers;
  create domain doc as jsonb; create domain doc_of_doc as doc; create domain bytes as bytea; create domain numbers as int[];
  create table of_domains (doc doc, bytes bytes)`;

describe("a domain", () => {
  const WAYS: ReadonlyArray<readonly [name: string, options: PoolOptions]> = [
    ["statements that are kept", {}],
    ["statements that are not kept", { statementCacheSize: 0 }],
    ["a PgBouncer", { pgBouncer: true }],
  ];
  for (const [name, options] of WAYS) {
    it(`is written as the type that it is made of, with ${name}`, async () => {
      const { dsn } = await startServer();
      await using pool = createPool({ dsn, maxSize: 1, ...options });
      await pool.execute(DOMAINS);
      for (const doc of [[1, 2], { a: 1 }, "true", "x", true, []]) {
        assert.deepEqual(await pool.fetchValue("select $1::doc", doc), doc);
        assert.deepEqual(await pool.fetchValue("select $1::doc_of_doc", doc), doc);
      }
      assert.deepEqual(await pool.fetchValue("select $1::numbers", [1, 2]), [1, 2]);
      const bytes = new Uint8Array([0, 255]);
      const insert = "insert into of_domains values ($1, $2) returning *";
      assert.deepEqual(await pool.fetchRow(insert, [["a"]], bytes), { doc: [["a"]], bytes });
      await pool.executeMany("insert into of_domains (bytes, doc) values ($1, $2)", [
        [bytes, "1"],
        [null, null],
      ]);
      const docs = await pool.fetch("select doc from of_domains order by doc::text");
      assert.deepEqual(docs, [{ doc: "1" }, { doc: [["a"]] }, { doc: null }]);
      const prepared = await pool.fetchValue(
        "select count(*) from pg_prepared_statements where name = 'meanwhile_types'",
      );
      assert.equal(prepared, 0n);
    });
  }

  it("is asked after by several connections at once, beside types that are none", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, maxSize: 4 });
    await pool.execute(`${DOMAINS}; drop type if exists mood; create type mood as enum ('good')`);
    const text = "select $1::mood as mood, $2::doc as doc, $3::bytes as bytes, $4::int as n, $5::doc_of_doc as last";
    const bytes = new Uint8Array([1]);
    const all = Array.from({ length: 8 }, (_, n) => pool.fetchRow(text, "good", [n], bytes, n, "last"));
    for (const [n, row] of (await Promise.all(all)).entries())
      assert.deepEqual(row, { mood: "good", doc: [n], bytes, n, last: "last" });
  });

  it("is counted as an argument is, in a transaction that goes on", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, maxSize: 1 });
    await pool.execute(DOMAINS);
    await pool.transaction(async (connection) => {
      await assert.rejects(connection.fetch("select $1::doc, $2::int", 1), { code: "MW_ERR_PG_ARGUMENT_COUNT" });
      await assert.rejects(connection.fetch("select $1::bytes", "text"), { code: "MW_ERR_PG_ARGUMENT_TYPE" });
      const rows: unknown[] = [];
      for await (const row of connection.cursor("select $1::doc as doc", { a: 1 })) rows.push(row);
      assert.deepEqual(rows, [{ doc: { a: 1 } }]);
    });
  });
});
