import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { inspect } from "node:util";

import {
  connect,
  type Connection,
  createPool,
  type Pool,
  PoolTimeoutError,
  type Queryable,
  type TraceEvent,
} from "@meanwhile/postgres";
import { cancelScope, gather, isCancelled, moveOnAfter, now, shield } from "meanwhile";

import { startServer } from "./servers.ts";

const backends = (observer: Connection): Promise<bigint | undefined> =>
  observer.fetchValue("select count(*) from pg_stat_activity where application_name = 'pool test'");

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = now() + 10_000; now() < end;) {
    if (await condition()) return;
    await turn();
  }
  assert.fail("It did not happen within 10 s");
}

async function poolOf(options: object = {}): Promise<Pool> {
  const { dsn } = await startServer();
  return createPool({ dsn, applicationName: "pool test", ...options });
}

describe("Pool", () => {
  it("connects with the first call, and keeps the connection for the next", async () => {
    await using pool = await poolOf();
    assert.equal(pool.statistics().size, 0);
    const pid = await pool.fetchValue("select pg_backend_pid()");
    assert.equal(await pool.fetchValue("select pg_backend_pid()"), pid);
    const { opened, acquired, idle } = pool.statistics();
    assert.deepEqual([opened, acquired, idle], [1, 2, 1]);
  });

  it("has the calls of a connection that need one statement", async () => {
    await using pool = await poolOf();
    await pool.execute("create table if not exists calls (id int, name text)");
    assert.equal(
      await pool.executeMany("insert into calls values ($1, $2)", [
        [1, "a"],
        [2, "b"],
      ]),
      2,
    );
    assert.deepEqual(await pool.fetch("select * from calls where id = $1", 1), [{ id: 1, name: "a" }]);
    assert.deepEqual(await pool.fetchRow("select * from calls order by id desc"), { id: 2, name: "b" });
    assert.equal(await pool.fetchValue("select name from calls where id = 3"), undefined);
    assert.deepEqual(await pool.execute("delete from calls where id > $1", 0), { command: "DELETE", rowCount: 2 });
    assert.equal(await pool.with((connection) => connection.fetchValue("select 7")), 7);
  });

  it("never opens more connections than maxSize, and serves waiters in the order they asked", async () => {
    await using pool = await poolOf({ maxSize: 2 });
    const held = [await pool.acquire(), await pool.acquire()];
    const order: number[] = [];
    const waiting = [1, 2, 3, 4].map(async (number) => {
      await using _connection = await pool.acquire();
      order.push(number);
      await turn();
    });
    await turn();
    assert.deepEqual([pool.statistics().waiting, pool.statistics().size], [4, 2]);
    for (const connection of held) await connection.release();
    await Promise.all(waiting);
    assert.deepEqual([order, pool.statistics().opened], [[1, 2, 3, 4], 2]);
  });

  it("counts connections that are being opened", async () => {
    await using pool = await poolOf({ maxSize: 3 });
    await using observer = await connect({ dsn: (await startServer()).dsn, applicationName: "observer" });
    await gather(Array.from({ length: 30 }, () => () => pool.fetchValue("select pg_sleep(0.001)")));
    assert.equal(pool.statistics().opened, 3);
    assert.equal(await backends(observer), 3n);
  });

  it("lends the connection that was used last, so that the others can grow old", async () => {
    await using pool = await poolOf();
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    await first.release();
    await second.release();
    await using third = await pool.acquire();
    assert.equal(third.serverPid, second.serverPid);
  });

  it("names those who hold its connections when none comes free in time", async () => {
    await using pool = await poolOf({ minSize: 2, maxSize: 2, acquireTimeoutMs: 5 });
    await pool.ready();
    await using connection = await pool.acquire();
    const sleeping = pool.fetchValue("select pg_sleep(0.2)");
    await turn();
    await until(() => pool.statistics().held === 2);
    const error: unknown = await pool.fetchValue("select 1").catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PoolTimeoutError);
    assert.equal(error.code, "MW_ERR_PG_POOL_TIMEOUT");
    assert.match(error.message, /none of 2 came free within 5 ms, held for \d+ ms by .*pool\.test\.ts:\d+:\d+/);
    assert.match(error.message, /a call of the pool: select pg_sleep\(0\.2\)/);
    assert.deepEqual(
      error.holders.map(({ statement }) => statement),
      [undefined, "select pg_sleep(0.2)"],
    );
    assert.equal(pool.statistics().timedOut, 1);
    assert.equal(pool.statistics().waiting, 0);
    await connection.release();
    await sleeping;
  });

  it("knows the line that took a connection, whichever call did", async () => {
    await using pool = await poolOf({ maxSize: 3 });
    const places = (): string[] => pool.statistics().holders.map(({ acquiredAt }) => acquiredAt);
    async function acquiring(): Promise<string[]> {
      await using _connection = await pool.acquire();
      return places();
    }
    const having = (): Promise<string[]> => pool.with(places);
    const transacting = (): Promise<string[]> => pool.transaction(places);
    const known = [await acquiring(), await having(), await transacting()];
    ["acquiring", "having", "transacting"].forEach((name, at) => {
      assert.match(known[at]?.[0] ?? "", new RegExp(`^${name} .*pool\\.test\\.ts:\\d+:\\d+`));
    });
  });

  it("names the line and the statement of those who hold its connections for long", async () => {
    await using pool = await poolOf({ maxSize: 3 });
    await pool.execute("create table if not exists held (id int)");
    await using cursor = pool.cursor("select generate_series(1, 1000)");
    await cursor.next();
    await using copy = pool.copyTo("copy (select pg_sleep(0.2)) to stdout");
    const copying = copy.next();
    await using connection = await pool.acquire();
    const sleeping = connection.fetchValue("select pg_sleep(0.1)");
    await until(() => pool.statistics().held === 3);
    await turn();
    const error: unknown = await pool.acquire({ timeoutMs: 5 }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PoolTimeoutError);
    for (const { acquiredAt } of error.holders) assert.match(acquiredAt, /pool\.test\.ts:\d+:\d+/);
    assert.deepEqual(
      error.holders.map(({ statement }) => statement ?? "").toSorted((a, b) => a.localeCompare(b)),
      ["", "copy (select pg_sleep(0.2)) to stdout", "select pg_sleep(0.1)"],
    );
    await Promise.all([sleeping, copying]);
  });

  it("masks a password in the statement of who holds a connection", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const sleeping = pool.execute("select pg_sleep(0.1), 'password=hunter2'");
    await until(() => pool.statistics().held === 1);
    const error: unknown = await pool.acquire({ timeoutMs: 5 }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PoolTimeoutError);
    assert.match(error.message, /pg_sleep\(0\.1\)/);
    assert.ok(!inspect(error).includes("hunter2"));
    await sleeping;
  });

  it("takes a time for a single acquire, and says that of opening as well", async () => {
    await using silent = createServer((socket) => void socket.resume().on("error", () => {})).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    await using pool = createPool({ host: "127.0.0.1", port, maxSize: 1 });
    await assert.rejects(pool.acquire({ timeoutMs: 5 }), {
      code: "MW_ERR_PG_POOL_TIMEOUT",
      message: /a new one was not open within 5 ms/,
    });
    assert.deepEqual([pool.statistics().opening, pool.statistics().timedOut], [1, 1]);
    await assert.rejects(pool.acquire({ timeoutMs: -1 }), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
  });

  it("loses nothing to waiters that are cancelled", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const connection = await pool.acquire();
    await moveOnAfter(1, () => pool.acquire());
    await moveOnAfter(1, () => pool.fetchValue("select 1"));
    assert.equal(pool.statistics().waiting, 0);
    const next = pool.acquire();
    await connection.release();
    await using got = await next;
    assert.equal(await got.fetchValue("select 1"), 1);
  });

  it("lets the next waiter try when a connection cannot be opened", async () => {
    let tries = 0;
    await using pool = await poolOf({
      maxSize: 1,
      init: () => {
        tries += 1;
        if (tries === 1) throw new RangeError("the first one fails");
      },
    });
    const [first, second] = await Promise.allSettled([pool.fetchValue("select 1"), pool.fetchValue("select 2")]);
    assert.equal(first.status === "rejected" && first.reason instanceof RangeError, true);
    assert.deepEqual(second, { status: "fulfilled", value: 2 });
  });

  it("opens minSize connections when it is asked to be ready", async () => {
    await using pool = await poolOf({ minSize: 3, maxSize: 5 });
    await pool.ready();
    assert.deepEqual([pool.statistics().idle, pool.statistics().opened], [3, 3]);
    await pool.ready();
    assert.equal(pool.statistics().opened, 3);
  });

  it("says early that there is no server", async () => {
    await using pool = createPool({ host: "127.0.0.1", port: 1 });
    await assert.rejects(pool.ready(), { code: "MW_ERR_PG_CONNECT" });
    assert.equal(pool.statistics().size, 0);
  });

  it("closes connections that nobody has used for maxIdleMs, down to minSize", async () => {
    await using pool = await poolOf({ minSize: 1, maxIdleMs: 5 });
    await gather([1, 2, 3].map(() => () => pool.fetchValue("select pg_sleep(0.01)")));
    await until(() => pool.statistics().size === 1);
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("replaces connections that are too old, or were used too often", async () => {
    await using old = await poolOf({ maxLifetimeMs: 1 });
    await old.fetchValue("select pg_sleep(0.005)");
    await old.fetchValue("select 1");
    assert.ok(old.statistics().opened >= 2);
    await using used = await poolOf({ maxQueries: 2 });
    for (let i = 0; i < 6; i++) await used.fetchValue("select 1");
    assert.equal(used.statistics().opened, 3);
  });

  it("expires the connections there are", async () => {
    await using pool = await poolOf();
    await using held = await pool.acquire();
    await pool.fetchValue("select 1");
    pool.expireConnections();
    await until(() => pool.statistics().size === 1);
    assert.equal(await held.fetchValue("select 1"), 1);
    const { serverPid } = held;
    await held.release();
    assert.notEqual(await pool.fetchValue("select pg_backend_pid()"), serverPid);
  });

  it("closes a connection of its own when that is told to close, and opens another one", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const connection = await pool.acquire();
    await connection.close();
    assert.equal(connection.isClosed, true);
    assert.notEqual(await pool.fetchValue("select pg_backend_pid()"), connection.serverPid);
    const other = await pool.acquire();
    other.terminate();
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("leaves nothing of a session behind a PgBouncer, and asks for nothing of it", async () => {
    const statements: string[] = [];
    await using pool = await poolOf({
      maxSize: 1,
      pgBouncer: true,
      trace: ({ kind, statement }: TraceEvent) => void (kind === "query-start" && statements.push(statement ?? "")),
    });
    for (const n of [1, 2]) assert.equal(await pool.fetchValue("select $1::int", n), n);
    assert.equal(await pool.fetchValue("select count(*) from pg_prepared_statements"), 0n);
    await pool.execute("set work_mem = '4321kB'");
    assert.equal(await pool.transaction((connection) => connection.fetchValue("show work_mem")), "4321kB");
    assert.equal(statements.filter((text) => text.includes("discard")).length, 0);
  });

  it("stands in for a connection where either will do", async () => {
    const answer = (queryable: Queryable): Promise<number | undefined> => queryable.fetchValue<number>("select 42");
    await using pool = await poolOf();
    assert.deepEqual([await answer(pool), await pool.with(answer), await pool.transaction(answer)], [42, 42, 42]);
  });

  it("refuses options that make no sense", async () => {
    for (const options of [
      { maxSize: 0 },
      { minSize: 11 },
      { maxSize: 1.5 },
      { acquireTimeoutMs: 0 },
      { reset: "yes" },
      { init: 1 },
      { trace: {} },
    ]) {
      assert.throws(() => createPool({ host: "127.0.0.1", ...(options as object) }), {
        code: "MW_ERR_PG_INVALID_ARGUMENT",
      });
    }
  });
});

describe("Hooks of a pool", () => {
  it("call init once for a connection, and setup each time", async () => {
    const calls: string[] = [];
    await using pool = await poolOf({
      maxSize: 1,
      init: async (connection: Connection) =>
        void calls.push(`init ${await connection.fetchValue<number>("select 1")}`),
      setup: async (connection: Connection) =>
        void calls.push(`setup ${await connection.fetchValue<number>("select 2")}`),
    });
    await pool.fetchValue("select 1");
    await using _connection = await pool.acquire();
    assert.deepEqual(calls, ["init 1", "setup 2", "setup 2"]);
  });

  it("give the connection back when setup throws", async () => {
    await using pool = await poolOf({ maxSize: 1, setup: () => Promise.reject(new RangeError("not now")) });
    await assert.rejects(pool.acquire(), RangeError);
    await assert.rejects(pool.fetchValue("select 1"), RangeError);
    assert.equal(pool.statistics().idle, 1);
  });

  it("may reset connections in their own way, and have another one if that fails", async () => {
    let calls = 0;
    await using pool = await poolOf({
      maxSize: 1,
      reset: (connection: Connection) => {
        calls += 1;
        if (calls === 2) throw new RangeError("cannot");
        return connection.execute("reset all");
      },
    });
    const pids: unknown[] = [];
    for (let i = 0; i < 3; i++) pids.push(await pool.fetchValue("select pg_backend_pid()"));
    assert.deepEqual([calls, pids[0] === pids[1], pids[1] === pids[2]], [3, true, false]);
  });

  it("do not keep a caller whose time is over, nor the connection", async () => {
    let isStuck = true;
    const stuck = (): unknown => (isStuck ? new Promise(() => {}) : undefined);
    await using pool = await poolOf({ maxSize: 1, setup: stuck });
    for (const call of [() => pool.fetchValue("select 1"), () => pool.acquire()]) {
      assert.equal(await moveOnAfter(5, call), undefined);
    }
    await assert.rejects(pool.acquire({ timeoutMs: 5 }), {
      code: "MW_ERR_PG_POOL_TIMEOUT",
      message: /'setup' has not ended within 5 ms/,
    });
    isStuck = false;
    assert.equal(await pool.fetchValue("select 1"), 1);
    assert.equal(pool.statistics().opened, 1);
  });

  it("give up a connection whose reset does not end", async () => {
    let kept: Connection | undefined;
    let calls = 0;
    const reset = (connection: Connection): unknown => {
      calls += 1;
      if (calls > 1) return undefined;
      kept = connection;
      return new Promise(() => {});
    };
    await using pool = await poolOf({ maxSize: 1, resetTimeoutMs: 5, reset });
    assert.equal(await pool.fetchValue("select 1"), 1);
    assert.equal(await pool.fetchValue("select 2"), 2);
    assert.deepEqual([calls, pool.statistics().opened, kept?.isClosed], [2, 2, true]);
  });

  it("may clean up when they are cancelled", async () => {
    const seen: unknown[] = [];
    await using pool = await poolOf({
      maxSize: 1,
      setup: async (connection: Connection) => {
        try {
          if (seen.length === 0) await connection.fetchValue("select pg_sleep(20)");
        } finally {
          await shield(async () => seen.push(await connection.fetchValue("select 7")));
        }
      },
    });
    await moveOnAfter(20, () => pool.fetchValue("select 1"));
    assert.deepEqual(seen, [7]);
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("leave no connection in the hands of the hook", async () => {
    let kept: Connection | undefined;
    await using pool = await poolOf({ init: (connection: Connection) => void (kept = connection) });
    await pool.fetchValue("select 1");
    await assert.rejects(kept?.fetchValue("select 1") ?? Promise.resolve(), { code: "MW_ERR_PG_CLOSED" });
  });
});

describe("A connection that is given back", () => {
  it("has no open transaction", async () => {
    await using pool = await poolOf({ maxSize: 1, reset: false });
    {
      await using connection = await pool.acquire();
      await connection.execute("begin; create table gone (id int)");
    }
    await pool.execute("begin");
    await pool.execute("begin; select nothing_of_the_kind").catch(() => {});
    await using connection = await pool.acquire();
    assert.equal(connection.isInTransaction, false);
    assert.equal(await connection.fetchValue("select to_regclass('gone')"), null);
  });

  it("has the session of a fresh one, if a statement may have changed that", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    {
      await using connection = await pool.acquire();
      await connection.execute("set statement_timeout = 12345; set role pg_read_all_data");
      await connection.execute("create temp table scratch (id int); select pg_advisory_lock(7); listen something");
      await connection.fetchValue("select set_config('work_mem', '4321kB', false)");
    }
    await using connection = await pool.acquire();
    assert.equal(await connection.fetchValue("show statement_timeout"), "0");
    assert.equal(await connection.fetchValue("select current_user"), "postgres");
    assert.notEqual(await connection.fetchValue("show work_mem"), "4321kB");
    assert.equal(await connection.fetchValue("select to_regclass('pg_temp.scratch')"), null);
    assert.equal(await connection.fetchValue("select count(*) from pg_locks where locktype = 'advisory'"), 0n);
    assert.deepEqual(await connection.fetch("select pg_listening_channels()"), []);
    assert.equal(pool.statistics().opened, 1);
  });

  it("is reset after a call of the pool as well", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    await pool.execute("set time zone 'Asia/Tokyo'");
    assert.notEqual(await pool.fetchValue("show time zone"), "Asia/Tokyo");
  });

  it("refuses what is run on it afterwards", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const connection = await pool.acquire();
    const prepared = await connection.prepare("select 1");
    await connection.release();
    await connection.release();
    await assert.rejects(connection.fetchValue("select 2"), {
      code: "MW_ERR_PG_CLOSED",
      message: /given back to its pool/,
    });
    await assert.rejects(prepared.fetch(), { code: "MW_ERR_PG_CLOSED" });
    await assert.rejects(
      connection.transaction(() => 1),
      { code: "MW_ERR_PG_CLOSED" },
    );
    assert.equal(connection.isClosed, true);
    assert.equal(pool.statistics().idle, 1);
  });

  it("is in no transaction as its former user sees it, whatever the next one does", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const former = await pool.acquire();
    await former.execute("begin");
    assert.equal(former.isInTransaction, true);
    await former.release();
    assert.equal(former.isInTransaction, false);
    await pool.transaction((connection) => {
      assert.equal(connection.isInTransaction, true);
      assert.equal(former.isInTransaction, false);
    });
  });

  it("ends what still runs on it first", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const read = async (): Promise<unknown> => {
      await using connection = await pool.acquire();
      return connection.fetchValue("select pg_sleep(0.02)::text || 'done'");
    };
    assert.equal(await read(), "done");
    const leave = async (): Promise<void> => {
      await using connection = await pool.acquire();
      void connection.fetchValue("select pg_sleep(20)").catch(() => {});
    };
    await moveOnAfter(20, leave);
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("is nothing to its former user any more, whatever he calls", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const former = await pool.acquire();
    await former.release();
    await using next = await pool.acquire();
    await using listener = next.listen("jobs");
    await listener.ready();
    const running = next.fetchValue("select pg_sleep(0.02)::text || 'done'");
    former.terminate();
    await former.close();
    await former[Symbol.asyncDispose]();
    await assert.rejects(former.listen("jobs").ready(), { code: "MW_ERR_PG_CLOSED" });
    assert.equal(await running, "done");
    await next.execute("notify jobs, '42'");
    assert.equal((await listener.next()).value?.kind, "notification");
    await next.release();
    await pool.fetchValue("select 1");
    assert.deepEqual([pool.statistics().opened, pool.statistics().lost], [1, 0]);
  });

  it("can be ended while what runs on it is waited for", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const connection = await pool.acquire();
    const running = connection.fetchValue("select pg_sleep(20)").catch((error: unknown) => error);
    const releasing = connection.release();
    connection.terminate();
    await connection.release();
    await releasing;
    assert.equal(((await running) as { code: string }).code, "MW_ERR_PG_CLOSED");
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("waits for what runs, also when something else was refused because of that", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const refused: Array<(connection: Connection) => Promise<unknown>> = [
      (connection) => connection.fetchValue("select 1"),
      (connection) => connection.copyFrom("copy nowhere from stdin", ["x"]),
      (connection) => connection.copyTo("copy (select 1) to stdout").next(),
    ];
    for (const refuse of refused) {
      const connection = await pool.acquire();
      const running = connection.fetchValue("select pg_sleep(0.05)::text || 'done'");
      await assert.rejects(refuse(connection), { code: "MW_ERR_PG_BUSY" });
      await connection.release();
      assert.equal(await running, "done");
    }
    assert.deepEqual([pool.statistics().opened, pool.statistics().lost], [1, 0]);
  });

  it("has no view and no sequence of the one before", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    await pool.execute("create sequence if not exists ids");
    await pool.execute("create or replace temp view scratch as select 1");
    assert.equal(await pool.fetchValue("select to_regclass('pg_temp.scratch')"), null);
    await pool.fetchValue("select nextval('ids')");
    await assert.rejects(pool.fetchValue("select currval('ids')"), { sqlstate: "55000" });
  });

  it("is back, whole, although its task was cancelled", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const pid = await pool.fetchValue("select pg_backend_pid()");
    await cancelScope(async (scope) => {
      await using connection = await pool.acquire();
      await connection.execute("begin; set local work_mem = '4321kB'; set time zone 'Asia/Tokyo'");
      scope.cancel();
      const error = await connection.fetchValue("select pg_sleep(20)").catch((thrown: unknown) => thrown);
      assert.equal(isCancelled(error), true);
    });
    assert.equal(await pool.fetchValue("select pg_backend_pid()"), pid);
    assert.notEqual(await pool.fetchValue("show time zone"), "Asia/Tokyo");
  });
});
