import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  type Connection,
  connect,
  createPool,
  isSerializationFailure,
  type Pool,
  type PooledConnection,
  type PoolOptions,
} from "@meanwhile/postgres";
import { cancelScope, gather, moveOnAfter, retry, sleepForever } from "meanwhile";
import { throwIfCancelled } from "meanwhile/lowlevel";

import { settleConnect } from "../src/connect-settings.ts";
import { openLink } from "../src/open-link.ts";
import { Session } from "../src/session.ts";
import { executeManyOf, executeOf } from "../src/statements.ts";
import { Trace } from "../src/trace.ts";
import { startServer } from "./servers.ts";

let tables = 0;

async function poolWithTable(options: PoolOptions = {}): Promise<Pool & { table: string }> {
  const { dsn } = await startServer();
  const pool = createPool({ dsn, ...options });
  tables += 1;
  const table = `accounts_${tables}`;
  await pool.execute(`create table ${table} (id int primary key, balance int not null)`);
  return Object.assign(pool, { table });
}

const ids = (queryable: Pick<Connection, "fetch">, table: string): Promise<number[]> =>
  queryable.fetch<{ id: number }>(`select id from ${table} order by id`).then((rows) => rows.map(({ id }) => id));

describe("A transaction", () => {
  it("is committed when its body returns, and gives what that gives", async () => {
    await using pool = await poolWithTable();
    const value = await pool.transaction(async (connection) => {
      await connection.execute(`insert into ${pool.table} values ($1, 0)`, 1);
      assert.equal(connection.isInTransaction, true);
      assert.deepEqual(await ids(pool, pool.table), []);
      return "done";
    });
    assert.deepEqual([value, await ids(pool, pool.table)], ["done", [1]]);
    assert.equal(pool.statistics().idle, 2);
  });

  it("is begun by its first statement, whatever that is", async () => {
    await using pool = await poolWithTable();
    const insert = `insert into ${pool.table} values ($1, 0)`;
    const firsts: Record<string, (connection: Connection) => Promise<unknown>> = {
      execute: (connection) => connection.execute(insert, 1),
      "execute, prepared before": (connection) => connection.execute(insert, 2),
      "execute of a text": (connection) => connection.execute(`insert into ${pool.table} values (3, 0)`),
      fetch: (connection) => connection.fetch(`${insert} returning id`, 4),
      "fetch without arguments": (connection) => connection.fetch(`insert into ${pool.table} values (5, 0)`),
      executeMany: (connection) => connection.executeMany(insert, [[6], [7]]),
      copyFrom: (connection) => connection.copyFrom({ table: pool.table }, [[8, 0]]),
      "copyFrom of text": (connection) => connection.copyFrom({ table: pool.table }, ["9\t0\n"]),
      prepare: async (connection) => (await connection.prepare(insert)).execute(10),
      cursor: (connection) => connection.cursor(`${insert} returning id`, 11).fetch(1),
      "a transaction in it": (connection) => connection.transaction(() => connection.execute(insert, 12)),
    };
    for (const [name, first] of Object.entries(firsts)) {
      const failed = pool.transaction(async (connection) => {
        assert.equal(connection.isInTransaction, true, name);
        await first(connection);
        assert.equal((await ids(connection, pool.table)).length, name === "executeMany" ? 2 : 1, name);
        throw new RangeError(name);
      });
      await assert.rejects(failed, { name: "RangeError", message: name });
      assert.deepEqual(await ids(pool, pool.table), [], name);
    }
  });

  it("sends nothing before its first statement, and nothing without one", async () => {
    await using pool = await poolWithTable({ maxSize: 2 });
    const states: unknown[] = [];
    await pool.transaction(async (connection) => {
      const { serverPid } = connection;
      states.push(await pool.fetchValue("select state from pg_stat_activity where pid = $1", serverPid));
      await connection.transaction(() => {});
      states.push(await pool.fetchValue("select state from pg_stat_activity where pid = $1", serverPid));
    });
    assert.deepEqual(states, ["idle", "idle in transaction"]);
    const sent: string[] = [];
    await using traced = createPool({
      dsn: (await startServer()).dsn,
      trace: (event) => {
        if (event.kind === "query-start") sent.push(String(event.statement));
      },
    });
    assert.equal(await traced.transaction(() => "nothing"), "nothing");
    assert.deepEqual(sent, []);
  });

  it("is rolled back also if its body throws while its first statement is on its way", async () => {
    await using pool = await poolWithTable();
    await using connection = await connect({ dsn: (await startServer()).dsn });
    const left: Array<Promise<unknown>> = [];
    const failed = connection.transaction(async () => {
      left.push(connection.execute(`insert into ${pool.table} values ($1, 0)`, 1));
      await Promise.resolve();
      throw new RangeError("no");
    });
    await assert.rejects(failed, RangeError);
    await Promise.allSettled(left);
    assert.equal(connection.isInTransaction, false);
    await connection.execute(`insert into ${pool.table} values (2, 0)`);
    assert.deepEqual(await ids(pool, pool.table), [2]);
  });

  it("runs nothing outside of itself when it could not be begun", async () => {
    await using pool = await poolWithTable();
    await using connection = await connect((await startServer()).dsn);
    const insert = `insert into ${pool.table} values ($1, 0)`;
    const link = await openLink(settleConnect({ dsn: (await startServer()).dsn }));
    const session = new Session(link, new Trace(undefined));
    session.opens("begin isolation level nonsense");
    session.level = 1;
    for (const operation of [
      () => executeOf(insert, [1]),
      () => executeOf(insert, [2]),
      () => executeOf(`insert into ${pool.table} values (3, 0)`, []),
      () => executeManyOf(insert, [[4], [5]]),
    ]) {
      await assert.rejects(session.run<unknown>(operation), { sqlstate: "42601" });
      assert.equal(session.isInTransaction, true);
    }
    assert.deepEqual(await ids(connection, pool.table), []);
    await link.close();
  });

  it("is rolled back when its body throws", async () => {
    await using pool = await poolWithTable({ maxSize: 1 });
    const failed = pool.transaction(async (connection) => {
      await connection.execute(`insert into ${pool.table} values (1, 0)`);
      throw new RangeError("no");
    });
    await assert.rejects(failed, RangeError);
    assert.deepEqual(await ids(pool, pool.table), []);
    assert.equal(pool.statistics().opened, 1);
  });

  it("is rolled back when its task is cancelled, wherever that finds it", async () => {
    await using pool = await poolWithTable({ maxSize: 1 });
    const pid = await pool.fetchValue("select pg_backend_pid()");
    const bodies: Array<(connection: Connection) => unknown> = [
      (connection) => connection.fetchValue("select pg_sleep(20)"),
      () => sleepForever(),
    ];
    for (const body of bodies) {
      await moveOnAfter(20, () =>
        pool.transaction(async (connection) => {
          await connection.execute(`insert into ${pool.table} values (1, 0)`);
          await body(connection);
        }),
      );
      assert.deepEqual(await ids(pool, pool.table), []);
    }
    assert.equal(await pool.fetchValue("select pg_backend_pid()"), pid);
  });

  it("is rolled back when its body returns in a scope that is cancelled", async () => {
    await using pool = await poolWithTable();
    let value: unknown = "nothing";
    await cancelScope(async (scope) => {
      value = await pool.transaction(async (connection) => {
        await connection.execute(`insert into ${pool.table} values (1, 0)`);
        scope.cancel();
        return "done";
      });
    });
    assert.deepEqual([value, await ids(pool, pool.table)], ["nothing", []]);
  });

  it("is not broken off while it commits", async () => {
    await using pool = await poolWithTable();
    await pool.execute(`create function ${pool.table}_slow() returns trigger language plpgsql as
      'begin perform pg_sleep(0.1); return null; end'`);
    await pool.execute(`create constraint trigger slow after insert on ${pool.table} deferrable initially deferred
      for each row execute function ${pool.table}_slow()`);
    let value: unknown = "nothing";
    await cancelScope(async (scope) => {
      value = await pool.transaction(async (connection) => {
        await connection.execute(`insert into ${pool.table} values (1, 0)`);
        setTimeout(() => scope.cancel(), 30);
        return "done";
      });
      throwIfCancelled();
    });
    assert.deepEqual([value, await ids(pool, pool.table)], ["done", [1]]);
  });

  it("takes isolation, readonly and deferrable", async () => {
    await using pool = await poolWithTable();
    const levels = ["read uncommitted", "read committed", "repeatable read", "serializable"] as const;
    for (const isolation of levels) {
      const level = await pool.transaction({ isolation }, (c) => c.fetchValue("show transaction_isolation"));
      assert.equal(level, isolation);
    }
    const shown = await pool.transaction({ isolation: "serializable", readonly: true, deferrable: true }, (c) =>
      c.fetchRow(
        "select current_setting('transaction_read_only') as r, current_setting('transaction_deferrable') as d",
      ),
    );
    assert.deepEqual(shown, { r: "on", d: "on" });
    const writing = pool.transaction({ readonly: true }, (c) => c.execute(`delete from ${pool.table}`));
    await assert.rejects(writing, { code: "MW_ERR_PG_SQL", sqlstate: "25006" });
    const wrong = pool.transaction({ isolation: "chaos" as never }, () => 1);
    await assert.rejects(wrong, { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    await assert.rejects(pool.transaction("begin" as never), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
  });

  it("is a savepoint inside another one", async () => {
    await using pool = await poolWithTable();
    await pool.transaction(async (connection) => {
      const insert = (id: number) => connection.execute(`insert into ${pool.table} values ($1, 0)`, id);
      await insert(1);
      await connection.transaction(() => insert(2));
      const failed = connection.transaction(async () => {
        await insert(3);
        await connection.transaction(() => insert(4));
        await insert(1);
      });
      await assert.rejects(failed, { code: "MW_ERR_PG_SQL", sqlstate: "23505", constraint: `${pool.table}_pkey` });
      await moveOnAfter(20, () =>
        connection.transaction(async () => {
          await insert(5);
          await connection.fetchValue("select pg_sleep(20)");
        }),
      );
      await insert(6);
      const options = connection.transaction({ isolation: "serializable" }, () => 1);
      await assert.rejects(options, { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    });
    assert.deepEqual(await ids(pool, pool.table), [1, 2, 6]);
  });

  it("is not taken for committed when the server would only roll back", async () => {
    await using pool = await poolWithTable({ maxSize: 1 });
    const swallowed = pool.transaction(async (connection) => {
      await connection.execute(`insert into ${pool.table} values (1, 0)`);
      await connection.execute("select nothing_of_the_kind").catch(() => {});
      return "done";
    });
    await assert.rejects(swallowed, {
      code: "MW_ERR_PG_TRANSACTION",
      message: /has failed or was cancelled and the error was caught/,
    });
    const ended = pool.transaction((connection) => connection.execute("commit"));
    await assert.rejects(ended, {
      code: "MW_ERR_PG_TRANSACTION",
      message: /leave commit and rollback to transaction\(\)/,
    });
    assert.deepEqual(await ids(pool, pool.table), []);
    assert.equal(pool.statistics().opened, 1);
  });

  it("is not taken for the one that a statement in it has put in its place", async () => {
    await using pool = await poolWithTable({ maxSize: 1 });
    const insert = `insert into ${pool.table} values`;
    const texts = ["commit; begin", "rollback; begin", "commit and chain", "rollback and chain"];
    for (const [index, text] of texts.entries()) {
      const replaced = pool.transaction(async (connection) => {
        await connection.execute(`${insert} (${index}, 0)`);
        for (const one of text.split(";")) await connection.execute(one);
        await connection.execute(`${insert} (${index + 10}, 0)`);
      });
      await assert.rejects(replaced, { code: "MW_ERR_PG_TRANSACTION", message: /another one has begun/ }, text);
    }
    const inside = pool.transaction((connection) =>
      connection.transaction(() => connection.execute("commit; begin; savepoint mw_2")),
    );
    await assert.rejects(inside, { code: "MW_ERR_PG_TRANSACTION" });
    assert.deepEqual(await ids(pool, pool.table), [0, 2]);
    assert.equal(pool.statistics().opened, 1);
  });

  it("may have savepoints of its own, and begin what is begun", async () => {
    await using pool = await poolWithTable({ maxSize: 1 });
    await pool.transaction(async (connection) => {
      await connection.execute(`savepoint mine; insert into ${pool.table} values (1, 0)`);
      await connection.execute("rollback to savepoint mine");
      await connection.execute("begin");
      await connection.transaction(() => Promise.reject(new Error("inner"))).catch(() => {});
      await connection.execute(`insert into ${pool.table} values (2, 0)`);
    });
    assert.deepEqual(await ids(pool, pool.table), [2]);
  });

  it("throws what the server says at the commit", async () => {
    await using pool = await poolWithTable();
    await pool.execute(`alter table ${pool.table} add constraint later unique (balance) deferrable initially deferred`);
    const failed = pool.transaction((c) => c.executeMany(`insert into ${pool.table} values ($1, 7)`, [[1], [2]]));
    await assert.rejects(failed, { code: "MW_ERR_PG_SQL", sqlstate: "23505", constraint: "later" });
    assert.deepEqual(await ids(pool, pool.table), []);
  });

  it("refuses to commit while something it has begun goes on", async () => {
    await using pool = await poolWithTable({ maxSize: 1 });
    const failed = pool.transaction((connection) => {
      connection.fetchValue("select pg_sleep(0.02)").catch(() => {});
    });
    await assert.rejects(failed, { code: "MW_ERR_PG_BUSY", message: /pg_sleep/ });
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("goes on with one that was begun by hand", async () => {
    const { dsn } = await startServer();
    await using connection = await connect(dsn);
    await connection.execute("begin; create temp table by_hand (id int)");
    await assert.rejects(
      connection.transaction(() => connection.execute("insert into by_hand values (1); select 1/0")),
    );
    await connection.transaction(() => connection.execute("insert into by_hand values (2)"));
    await connection.execute("commit");
    assert.deepEqual(await ids(connection, "by_hand"), [2]);
  });

  it("leaves a connection alone that its body has given back, and that is another one's now", async () => {
    await using pool = await poolWithTable({ maxSize: 1 });
    for (const { begins, throws } of [
      { begins: true, throws: false },
      { begins: true, throws: true },
      { begins: false, throws: false },
    ]) {
      const borrowed = await pool.acquire();
      let next: PooledConnection | undefined;
      const outcome = borrowed.transaction(async () => {
        await borrowed.execute(`insert into ${pool.table} values (1, 0)`);
        await borrowed.release();
        next = await pool.acquire();
        if (begins) await next.execute(`begin; insert into ${pool.table} values (2, 0)`);
        if (throws) throw new RangeError("no");
      });
      await assert.rejects(outcome, throws ? RangeError : { code: "MW_ERR_PG_CLOSED" });
      assert.ok(next !== undefined);
      await assert.rejects(
        borrowed.transaction({ isolation: "serializable" }, () => 1),
        { code: "MW_ERR_PG_CLOSED" },
      );
      assert.equal(next.isInTransaction, begins);
      assert.deepEqual(await ids(next, pool.table), begins ? [2] : []);
      await next.release();
      assert.deepEqual(await ids(pool, pool.table), []);
    }
    assert.equal(pool.statistics().opened, 1);
  });

  it("can be run again when it met another one", async () => {
    await using pool = await poolWithTable();
    await pool.execute(`insert into ${pool.table} values (1, 0)`);
    const increment = () =>
      pool.transaction({ isolation: "serializable" }, async (connection) => {
        const balance = await connection.fetchValue<number>(`select balance from ${pool.table} where id = 1`);
        await connection.execute(`update ${pool.table} set balance = $1 where id = 1`, (balance ?? 0) + 1);
      });
    await gather(
      Array.from(
        { length: 5 },
        () => () => retry(increment, { attempts: 50, when: isSerializationFailure, backoff: () => 1 }),
      ),
    );
    assert.equal(await pool.fetchValue(`select balance from ${pool.table}`), 5);
    assert.equal(isSerializationFailure(new RangeError("40001")), false);
  });
});
