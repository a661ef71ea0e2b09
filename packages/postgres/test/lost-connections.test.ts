// Regressions of reports against other drivers: what happens to callers, pool and process when a server goes away.
//
// postgres.js: https://github.com/porsager/postgres/issues/1186, 1195 and 1199
// node-postgres: https://github.com/brianc/node-postgres/issues/585, 1500, 1790, 2112, 2641 and 3399

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect as dial, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { connect, ConnectionLostError, createPool, PostgresError } from "@meanwhile/postgres";
import { gather, gatherSettled, moveOnAfter, now, sleep, timeout } from "meanwhile";

import { startOwnServer, startServer } from "./servers.ts";

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = now() + 10_000; now() < end;) {
    if (await condition()) return;
    await turn();
  }
  assert.fail("It did not happen within 10 s");
}

/** Passes bytes on, until it is told to say nothing more, or to hang up. */
async function relayTo(port: number) {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((client) => {
    const upstream = dial(port, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => void (isSilent || to.write(chunk)));
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    beSilent: (silent: boolean) => void (isSilent = silent),
    hangUp: () => sockets.forEach((socket) => socket.destroy()),
    reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("A pool whose server goes away", () => {
  it("ends every call with an error when all backends are terminated, and then works again", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, maxSize: 4, applicationName: "victims" });
    await using killer = await connect(dsn);
    let isOver = false;
    const running = gatherSettled(Array.from({ length: 20 }, () => () => pool.fetchValue("select pg_sleep(20)")));
    const results = running.finally(() => (isOver = true));
    const kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'victims'";
    let ended = 0;
    await until(async () => {
      await killer.fetchValue(kill);
      return isOver;
    });
    for (const result of await results) {
      assert.equal(result.status, "rejected");
      assert.ok(result.reason instanceof ConnectionLostError || result.reason instanceof PostgresError);
      if (result.reason instanceof ConnectionLostError && result.reason.sqlstate === "57P01") ended += 1;
    }
    assert.ok(ended > 0);
    assert.deepEqual(await gather([1, 2, 3].map((n) => () => pool.fetchValue("select $1::int", n))), [1, 2, 3]);
    assert.equal(pool.statistics().waiting, 0);
  });

  it("does not mind, nor does the process, when idle connections are lost", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, minSize: 3, applicationName: "idlers" });
    await pool.ready();
    await using killer = await connect(dsn);
    await killer.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'idlers'");
    await until(() => pool.statistics().idle === 0);
    assert.deepEqual([pool.statistics().size, pool.statistics().lost], [0, 3]);
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("tells who holds a lost connection, and takes that back", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, maxSize: 1 });
    {
      await using connection = await pool.acquire();
      await using killer = await connect(dsn);
      await killer.execute("select pg_terminate_backend($1)", connection.serverPid);
      await until(() => connection.isClosed);
      await assert.rejects(connection.fetchValue("select 1"), { code: "MW_ERR_PG_CONNECTION_LOST" });
      await assert.rejects(
        connection.transaction(() => 1),
        { code: "MW_ERR_PG_CONNECTION_LOST" },
      );
    }
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("rolls back, and throws the error of the body, when the connection is lost in a transaction", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, maxSize: 2 });
    const failed = pool.transaction(async (connection) => {
      await pool.execute("select pg_terminate_backend($1)", connection.serverPid);
      await connection.fetchValue("select 1");
    });
    await assert.rejects(failed, { code: "MW_ERR_PG_CONNECTION_LOST" });
    assert.equal(await pool.fetchValue("select 1"), 1);
  });

  it("survives a restart of the server under load", async () => {
    await using server = await startOwnServer();
    await using pool = createPool({ dsn: server.dsn, maxSize: 4, acquireTimeoutMs: 5_000 });
    const load = { isOver: false };
    const work = Array.from({ length: 12 }, () => async () => {
      let failures = 0;
      while (!load.isOver) {
        try {
          await pool.fetchValue("select 1");
        } catch (error) {
          if (!(error instanceof PostgresError)) throw error;
          failures += 1;
          await sleep(2);
        }
      }
      return failures;
    });
    const [failures] = await gather([
      () => gather(work),
      async () => {
        await sleep(10);
        await server.restart("immediate");
        await timeout(10_000, async () => {
          while ((await pool.fetchValue("select 1").catch(() => 0)) !== 1) await sleep(5);
        });
        load.isOver = true;
      },
    ]);
    assert.ok(failures.some((count) => count > 0));
    assert.deepEqual([pool.statistics().held, pool.statistics().waiting], [0, 0]);
  });

  it("gives up a server that says nothing when the caller does, and has another connection for the next", async () => {
    const { port } = await startServer();
    await using relay = await relayTo(port);
    await using pool = createPool({
      host: "127.0.0.1",
      port: relay.port,
      user: "postgres",
      database: "postgres",
      maxSize: 1,
      cancelTimeoutMs: 20,
    });
    assert.equal(await pool.fetchValue("select 1"), 1);
    relay.beSilent(true);
    const startedAt = now();
    assert.equal(await moveOnAfter(20, () => pool.fetchValue("select 2")), undefined);
    assert.ok(now() - startedAt < 2_000);
    assert.equal(pool.statistics().size, 0);
    relay.beSilent(false);
    assert.equal(await pool.fetchValue("select 3"), 3);
  });

  it("takes a connection that was reset, or half closed, for a lost one", async () => {
    const { port } = await startServer();
    await using relay = await relayTo(port);
    const dsn = `postgresql://postgres@127.0.0.1:${relay.port}/postgres`;
    await using pool = createPool({ dsn, maxSize: 2 });
    for (const end of ["hangUp", "reset"] as const) {
      const running = [1, 2, 3].map(() => pool.fetchValue("select pg_sleep(20)").catch((error: unknown) => error));
      let isOver = false;
      const errors = Promise.all(running).finally(() => (isOver = true));
      await until(() => {
        if (pool.statistics().held > 0) relay[end]();
        return isOver;
      });
      for (const error of await errors) {
        assert.match((error as PostgresError).code, /^MW_ERR_PG_(CONNECTION_LOST|CONNECT|PROTOCOL)$/);
      }
    }
    assert.equal(await pool.fetchValue("select 1"), 1);
  });
});
