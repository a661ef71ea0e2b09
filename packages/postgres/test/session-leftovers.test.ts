// What a user of a connection leaves behind for the next one, or for his own next statement.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { moveOnAfter, run, timeout } from "meanwhile";

import { connect } from "../src/connect.ts";
import { createPool } from "../src/create-pool.ts";
import { startServer } from "./servers.ts";

describe("a connection that is given back", () => {
  it("has no statement that its user has prepared by a statement, and none of ours is missed", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using pool = createPool({ dsn, maxSize: 1 });
      for (const round of [1, 2, 3]) {
        await pool.execute("prepare mine as select 1");
        assert.equal(await pool.fetchValue("select $1::int", round), round);
      }
    });
  });

  it("has no setting that its user has changed in pg_settings", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using pool = createPool({ dsn, maxSize: 1 });
      const before = await pool.fetchValue("show time zone");
      await pool.execute("update pg_settings set setting = 'Asia/Tokyo' where name = 'TimeZone'");
      assert.equal(await pool.fetchValue("show time zone"), before);
    });
  });
});

describe("the statement timeout that follows deadlines", () => {
  it("does not end a statement without one, after a rollback to a savepoint", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using connection = await connect({ dsn });
      await timeout(500, async () => {
        await connection.execute("begin");
        await connection.execute("savepoint s");
      });
      await connection.execute("select 1");
      await connection.execute("rollback to s");
      assert.equal(await connection.fetchValue("show statement_timeout"), "0");
      await connection.execute("rollback");
    });
  });
});

describe("a limit that is as long as one likes", () => {
  it("lets a cancelled statement end on the server, and the connection be used again", async () => {
    const { dsn } = await startServer();
    for (const cancelTimeoutMs of [Infinity, 1e12]) {
      await run(async () => {
        await using connection = await connect({ dsn, cancelTimeoutMs });
        await moveOnAfter(1, () => connection.fetch("select pg_sleep(20)"));
        assert.equal(await connection.fetchValue("select 1"), 1);
      });
    }
  });
});

describe("copyFrom", () => {
  it("refuses a text that copies more than once, and the connection can be used again", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using connection = await connect({ dsn });
      await connection.execute("create temp table twice (a int)");
      const copying = connection.copyFrom("copy twice from stdin; copy twice from stdin", ["1\n"]);
      await assert.rejects(copying, {
        code: "MW_ERR_PG_COPY",
        message: /copies more than once; run one COPY at a time/,
      });
      assert.equal(await connection.fetchValue("select count(*)::int from twice"), 0);
    });
  });
});
