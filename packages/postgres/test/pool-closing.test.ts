import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import {
  connect,
  createPool,
  type Pool,
  type PoolOptions,
  type PooledConnection,
  type TraceEvent,
} from "@meanwhile/postgres";
import { cancelScope, createTask, run, sleep } from "meanwhile";

import { expectWarning } from "../../../tools/test-setup.ts";
import { startServer } from "./servers.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

async function poolOf(options: PoolOptions = {}): Promise<Pool> {
  const { dsn } = await startServer();
  return createPool({ dsn, ...options });
}

describe("A pool that is closed", () => {
  it("refuses whoever waits, and whoever comes", async () => {
    const pool = await poolOf({ maxSize: 1 });
    const connection = await pool.acquire();
    const waiting = [pool.acquire(), pool.fetchValue("select 1")].map((call) => call.catch((error: unknown) => error));
    await turn();
    const closing = pool.close();
    for (const error of await Promise.all(waiting)) assert.equal((error as { code: string }).code, "MW_ERR_PG_CLOSED");
    await assert.rejects(pool.fetchValue("select 1"), { code: "MW_ERR_PG_CLOSED" });
    await assert.rejects(
      pool.ready().then(() => pool.acquire()),
      { code: "MW_ERR_PG_CLOSED" },
    );
    assert.equal(await connection.fetchValue("select 2"), 2);
    await connection.release();
    await closing;
    await pool.close();
    assert.deepEqual([pool.statistics().size, pool.statistics().waiting], [0, 0]);
  });

  it("lets those who run something finish", async () => {
    const pool = await poolOf();
    const running = pool.fetchValue("select pg_sleep(0.05)::text || 'done'");
    while (pool.statistics().held === 0) await turn();
    await pool.close();
    assert.equal(await running, "done");
  });

  it("ends, after a time, what is not given back, and says where it was acquired", async () => {
    await using warnings = expectWarning("MW_WARN_PG_LEAKED");
    const pool = await poolOf();
    const connection = await pool.acquire();
    const running = connection.fetchValue("select pg_sleep(20)").catch((error: unknown) => error);
    await pool.close({ timeoutMs: 5 });
    assert.equal(((await running) as { code: string }).code, "MW_ERR_PG_CLOSED");
    assert.match((await warnings.first()).message, /acquired at .*pool-closing\.test\.ts:\d+:\d+/);
    assert.equal(pool.statistics().size, 0);
    await connection.release();
  });

  it("says where a cursor was begun that is not read to its end", async () => {
    await using warnings = expectWarning("MW_WARN_PG_LEAKED");
    const pool = await poolOf();
    const cursor = pool.cursor("select generate_series(1, 1000)");
    await cursor.next();
    await pool.close({ timeoutMs: 5 });
    assert.match((await warnings.first()).message, /acquired at .*pool-closing\.test\.ts:\d+:\d+/);
    await cursor.return(undefined).catch(() => {});
  });

  it("says so to who wants it to be ready", async () => {
    const pool = await poolOf();
    await pool.close();
    await assert.rejects(pool.ready(), { code: "MW_ERR_PG_CLOSED" });
  });

  it("does not wait for the task that closes it", async () => {
    await using warnings = expectWarning("MW_WARN_PG_LEAKED");
    const startedAt = performance.now();
    await run(async () => {
      await using pool = await poolOf();
      const connection = await pool.acquire();
      await connection.fetchValue("select 1");
    });
    assert.ok(performance.now() - startedAt < 5_000);
    assert.match((await warnings.first()).message, /its pool was closed.*pool-closing\.test\.ts/);
  });

  it("waits for nobody in a scope that is cancelled", async () => {
    await using warnings = expectWarning("MW_WARN_PG_LEAKED");
    const pool = await poolOf();
    const connection = await pool.acquire();
    await cancelScope(async (scope) => {
      scope.cancel();
      await pool.close();
    });
    assert.equal(pool.statistics().size, 0);
    assert.equal(connection.isClosed, true);
    await warnings.first();
  });

  it("ends every statement when it is terminated", async () => {
    const pool = await poolOf();
    const running = [1, 2, 3].map((n) =>
      pool.fetchValue("select pg_sleep(20), $1::int", n).catch((error: unknown) => error),
    );
    while (pool.statistics().held < 3) await turn();
    await pool.terminate();
    for (const error of await Promise.all(running)) assert.equal((error as { code: string }).code, "MW_ERR_PG_CLOSED");
    assert.equal(pool.statistics().size, 0);
  });

  it("strands nobody who reads from a connection that another task gives back", async () => {
    await using pool = await poolOf({ maxSize: 1 });
    const connection = await pool.acquire();
    const reading = (async () => {
      for await (const _chunk of connection.copyTo("copy (select pg_sleep(20)) to stdout"));
    })().catch((error: unknown) => error);
    while (pool.statistics().held === 0) await turn();
    await turn();
    await assert.rejects(connection.copyFrom("copy nowhere from stdin", ["x"]), { code: "MW_ERR_PG_BUSY" });
    await connection.release();
    assert.match(((await reading) as { code: string }).code, /^MW_ERR_PG_/);
    assert.equal(await pool.fetchValue("select 1"), 1);
    assert.equal(pool.statistics().opened, 1);
  });

  it("gives up connections that are being opened", async () => {
    const pool = await poolOf({ init: () => sleep(60_000) });
    const opening = pool.fetchValue("select 1").catch((error: unknown) => error);
    while (pool.statistics().opening === 0) await turn();
    await pool.close();
    assert.equal(((await opening) as { code: string }).code, "MW_ERR_PG_CLOSED");
    assert.equal(pool.statistics().size, 0);
  });

  it("leaves nothing on the server", async () => {
    const { dsn } = await startServer();
    await using observer = await connect({ dsn, applicationName: "observer" });
    const pool = await poolOf({ applicationName: "to be closed" });
    await Promise.all([1, 2, 3].map(() => pool.fetchValue("select pg_sleep(0.005)")));
    await using listener = pool.listen("x");
    await listener.ready();
    await pool.close();
    const count = "select count(*) from pg_stat_activity where application_name = 'to be closed'";
    while ((await observer.fetchValue(count)) !== 0n) await turn();
    assert.deepEqual(await listener.next(), { done: true, value: undefined });
  });
});

describe("A connection that nobody gives back", () => {
  const forget = async (pool: Pool): Promise<number> => {
    const connection: PooledConnection = await pool.acquire();
    await connection.execute("begin");
    return connection.serverPid;
  };

  it(
    "is reported with the line that acquired it when nobody can reach it, and replaced",
    { skip: collect === undefined },
    async () => {
      await using warnings = expectWarning("MW_WARN_PG_LEAKED");
      const events: TraceEvent[] = [];
      await using pool = await poolOf({ maxSize: 1, trace: (event) => events.push(event) });
      const pid = await forget(pool);
      const next = pool.fetchValue<number>("select pg_backend_pid()");
      for (let rounds = 0; warnings.seen.length === 0 && rounds < 1_000; rounds++) {
        collect();
        await sleep(5);
      }
      assert.notEqual(await next, pid);
      assert.match(
        warnings.seen[0]?.message ?? "",
        /not given back: nobody can reach it.*pool-closing\.test\.ts:\d+:\d+/,
      );
      assert.match(events.find(({ kind }) => kind === "leaked")?.acquiredAt ?? "", /pool-closing\.test\.ts/);
    },
  );

  it("is said to be in the hands of a task that has ended", async () => {
    await using _warnings = expectWarning("MW_WARN_PG_LEAKED");
    await run(async () => {
      await using pool = await poolOf({ maxSize: 1 });
      const leaked = await createTask(() => pool.acquire(), { name: "forgetful" });
      await assert.rejects(pool.acquire({ timeoutMs: 5 }), { message: /in task \d+ "forgetful", which has ended/ });
      await pool.close({ timeoutMs: 5 });
      assert.equal(leaked.isClosed, true);
    });
  });
});
