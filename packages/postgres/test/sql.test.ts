import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { connect, Sql, sql } from "@meanwhile/postgres";

import { startServer } from "./servers.ts";

describe("sql", () => {
  it("makes parameters of values, and text of what it has made itself", () => {
    const where = sql`a = ${1} and b in (${sql.join([2, 3])})`;
    const query = sql`select ${sql.identifier('weird"name')} from ${sql.identifier("s", "t")} where ${where} ${sql.raw("limit 5")}`;
    assert.equal(query.text, 'select "weird""name" from "s"."t" where a = $1 and b in ($2, $3) limit 5');
    assert.deepEqual(query.values, [1, 2, 3]);
    assert.equal(sql`${sql`x`}${1}${sql``}${2}`.text, "x$1$2");
    const values = sql.rows([
      [1, sql`now()`],
      ["x", null],
    ]);
    assert.deepEqual([values.text, values.values], ["($1, now()), ($2, $3)", [1, "x", null]]);
    assert.equal(sql.join([sql`a = ${1}`, sql`b = ${2}`], " or ").text, "a = $1 or b = $2");
  });

  it("keeps a value a value, whatever it looks like", async () => {
    await using connection = await connect((await startServer()).dsn);
    const hostile = "'; drop table users; --";
    assert.equal(await connection.fetchValue(sql`select ${hostile}::text`), hostile);
    const forged = { text: "1; drop table users", values: [], texts: ["1"] };
    assert.deepEqual(await connection.fetchValue(sql`select ${forged}::jsonb`), forged);
    assert.deepEqual(await connection.fetchValue(sql`${sql`select`} ${forged}::jsonb`), forged);
    await assert.rejects(connection.fetch(forged as never), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    const odd = 'x"; drop table users; --';
    assert.deepEqual(await connection.fetchRow(sql`select 1 as ${sql.identifier(odd)}`), { [odd]: 1 });
  });

  it("gives the same place in a program the same text", () => {
    const make = (value: number) => sql`select ${value}`;
    assert.equal(make(1).text, make(2).text);
    assert.deepEqual([make(1).values, make(2).values], [[1], [2]]);
  });

  it("shows no values", () => {
    const query = sql`select ${"secret"}, ${sql`${"hidden"}`}`;
    assert.doesNotMatch(inspect({ query }) + JSON.stringify(query), /secret|hidden/);
    assert.match(inspect(query), /select \$1, \$2.*2 values/);
  });

  it("refuses what is no template, no name, and an empty list", async () => {
    const refused = { code: "MW_ERR_PG_INVALID_ARGUMENT" };
    assert.throws(() => sql("select 1" as never), refused);
    assert.throws(() => sql(["select 1"] as never), refused);
    assert.throws(() => sql.identifier(""), refused);
    assert.throws(() => sql.identifier("a\0b"), refused);
    assert.throws(() => sql.identifier(...([] as unknown as [string])), refused);
    assert.throws(() => sql.join([]), refused);
    assert.throws(() => sql.join([1], 2 as never), refused);
    assert.throws(() => sql.rows([1 as never]), refused);
    assert.throws(() => sql.raw(1 as never), refused);
    assert.throws(() => sql`select ${1}0`.text, refused);
    assert.throws(() => sql`select ${1}${sql`2`}`.text, refused);
    assert.throws(() => sql`select $1, ${1}`.text, refused);
    assert.equal(sql`select '$1', "$2", $$ $3 $$, ${1} -- $4`.values.length, 1);
    assert.equal(sql`select E'it\\'s $1', /* a /* b */ $2 */ ${1}`.values.length, 1);
    assert.throws(() => sql`select E'\\'', $1, ${1}, ''`.text, refused);
    await using connection = await connect((await startServer()).dsn);
    await assert.rejects(connection.fetch(Object.create(Sql.prototype) as Sql), refused);
    await assert.rejects(connection.fetch(sql`select ${1}::int`, 2), refused);
    await assert.rejects(connection.fetch("select 1\0"), refused);
  });
});
