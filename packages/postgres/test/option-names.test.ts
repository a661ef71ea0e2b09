import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connect } from "../src/connect.ts";
import { createPool } from "../src/create-pool.ts";
import { startEmbedded } from "../src/embedded.ts";
import { sql } from "../src/sql.ts";
import { startServer } from "./servers.ts";

const code = "MW_ERR_PG_INVALID_ARGUMENT";
const DSN = "postgresql://u:sekret@127.0.0.1:1/db";

describe("the options", () => {
  it("are refused where one has a name that none has, with the name that was meant", async () => {
    const CASES: ReadonlyArray<readonly [options: object, message: RegExp]> = [
      [{ connectionString: DSN }, /'connectionString': there is no such option; pass 'dsn'/],
      [{ dsn: DSN, max: 5 }, /pass 'maxSize'/],
      [{ dsn: DSN, constructor: 1 }, /'constructor'.*pass some of dsn, host/],
      [{ embedded: { dataDirr: "x" } }, /'dataDirr'.*dataDir/],
    ];
    for (const [options, message] of CASES) {
      assert.throws(() => createPool(options), { code, message });
      await assert.rejects(connect(options), { code });
    }
  });

  it("are refused where they are no options", async () => {
    for (const options of [
      null,
      5,
      [],
      true,
      new URL(DSN),
      { embedded: "yes" },
      { embedded: null },
      { embedded: [] },
    ]) {
      assert.throws(() => createPool(options as never), { code });
      await assert.rejects(connect(options as never), { code });
    }
    assert.throws(() => createPool(new URL(DSN) as never), { message: /href/ });
  });

  it("may be undefined, each of them", async () => {
    await using pool = createPool({ dsn: DSN, maxSize: undefined, embedded: undefined });
    assert.equal(pool.statistics().opened, 0);
  });
});

describe("What a call is given", () => {
  // What a program without types may pass; each is to be something else.
  const WRONG: readonly never[] = [null, 5, [], true, { timeout: 5 }] as never[];

  it("is refused where it is none of its options", async () => {
    await using pool = createPool((await startServer()).dsn);
    await using connection = await pool.acquire();
    for (const wrong of WRONG) {
      await assert.rejects(pool.acquire(wrong), { code });
      await assert.rejects(pool.close(wrong), { code });
      await assert.rejects(
        pool.transaction(wrong, () => 1),
        { code },
      );
      await assert.rejects(
        connection.transaction(wrong, () => 1),
        { code },
      );
      assert.throws(() => pool.listen("channel", wrong), { code });
      assert.throws(() => connection.listen("channel", wrong), { code });
      await assert.rejects(startEmbedded(wrong), { code });
    }
    assert.equal(await connection.fetchValue("select 1"), 1);
    assert.equal(pool.statistics().opened, 1);
  });

  it("is refused where it is nothing to copy into, or out of", async () => {
    await using connection = await connect((await startServer()).dsn);
    await connection.execute("create temp table targets (a int)");
    const targets: readonly object[] = [
      ...WRONG,
      ...[null, 5, [], [null], true].map((table) => ({ table })),
      ...[null, 5, [], "a", [null]].map((columns) => ({ table: "targets", columns })),
      ...[null, 5, "yes"].map((header) => ({ table: "targets", header })),
    ];
    for (const target of targets as readonly never[]) {
      await assert.rejects(connection.copyFrom(target, [[1]]), { code });
      await assert.rejects(connection.copyTo(target).next(), { code });
    }
    await assert.rejects(connection.copyFrom({ query: "select 1" } as never, [[1]]), { code });
    await assert.rejects(connection.copyTo({ query: null } as never).next(), { code });
    assert.equal(await connection.copyFrom({ table: "targets" }, [[1]]), 1);
  });

  it("is refused where it is no function, no lists, and no parts of a statement", async () => {
    await using pool = createPool((await startServer()).dsn);
    for (const wrong of [null, 5, true] as never[]) {
      await assert.rejects(pool.with(wrong), { code });
      await assert.rejects(pool.executeMany("select $1::int", wrong), { code });
      await assert.rejects(pool.executeMany("select $1::int", [[1], wrong]), { code });
      await using connection = await pool.acquire();
      await using prepared = await connection.prepare("select $1::int");
      await assert.rejects(prepared.executeMany(wrong), { code });
      assert.throws(() => sql.join(wrong), { code });
      assert.throws(() => sql.rows(wrong), { code });
    }
    assert.equal(pool.statistics().opened, 1);
  });
});
