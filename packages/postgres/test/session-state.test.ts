import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { changesSession } from "../src/session-state.ts";

describe("changesSession", () => {
  it("knows the statements that leave something behind", () => {
    for (const text of [
      "set work_mem = '1MB'",
      "  SET session characteristics as transaction read only",
      "-- a comment\n/* and * another */ set role admin",
      "select 1; reset all",
      "listen jobs",
      "declare c cursor with hold for select 1",
      "prepare p as select 1",
      "load 'plugin'",
      "do $$ begin end $$",
      "call something()",
      "discard all",
      "create temp table t (id int)",
      "CREATE LOCAL TEMPORARY TABLE t (id int)",
      "select * into temp t from u",
      "select set_config('work_mem', $1, false)",
      "select pg_advisory_lock(1)",
      "select pg_try_advisory_lock_shared(1)",
      "create or replace temp view v as select 1",
      "create or replace local temporary view v as select 1",
      "create /* for a while */ temp table t (id int)",
      "create -- for a while\n temp table t (id int)",
      "/* one /* in another */ */ set role admin",
      "/* an ' and a -- here */ set role admin",
      "select '/*'; set /* ' */ role admin; select '*/'",
      "select e'\\'/*'; set role admin; select '*/'",
      "select $a$ /* $a$; set role admin; select '*/'",
      'select "pg_catalog"."set_config"(\'work_mem\', $1, false) -- here',
      "select nextval('ids')",
      "select setval('ids', 7)",
      "create function pg_temp.f() returns int language sql as 'select 1'",
    ]) {
      assert.equal(changesSession(text), true, text);
    }
  });

  it("leaves alone what is gone at the end of the transaction, or is no such statement", () => {
    for (const text of [
      "select 1",
      "update t set a = 1",
      "insert into t values ($1) on conflict do nothing",
      "insert into t values ($1) on conflict (id) do update set a = excluded.a",
      "with x as (update t set a = 1 returning *) select * from x",
      "set local work_mem = '1MB'",
      "set transaction read only",
      "set constraints all deferred",
      "select pg_advisory_xact_lock(1)",
      "/* set role admin; */ select 1",
      "/* /* one */ set role admin */ select 1",
      "select 1 -- ; set role admin",
      "set /* only */ local work_mem = '1MB'",
      "select preset, offset_set from settings",
      "notify jobs",
      "create table templates (id int)",
    ]) {
      assert.equal(changesSession(text), false, text);
    }
  });

  it("takes no longer than the text is long", () => {
    const startedAt = performance.now();
    changesSession(`${"/*/".repeat(50_000)}; ${"/* * */".repeat(50_000)} ${";".repeat(50_000)}${" ".repeat(50_000)}`);
    for (const part of [";--", "/*--", "/*", "'", "e'", "e''", "$a$", "$", "--;/*'", '";"'])
      changesSession(part.repeat(50_000));
    assert.ok(performance.now() - startedAt < 5_000);
  });
});
