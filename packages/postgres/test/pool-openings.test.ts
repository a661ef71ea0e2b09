import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { connect, type Connection, createPool, type Pool, type PoolOptions } from "@meanwhile/postgres";
import { cancelScope, moveOnAfter, now, race, run, shield, sleep, sleepForever } from "meanwhile";

import { FaultProxy } from "./fault-proxy.ts";
import { startServer } from "./servers.ts";

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = now() + 10_000; now() < end;) {
    if (await condition()) return;
    await turn();
  }
  assert.fail("It did not happen within 10 s");
}

async function poolOf(options: PoolOptions = {}): Promise<Pool> {
  const { dsn } = await startServer();
  return createPool({ dsn, applicationName: "openings", ...options });
}

/** Asks for a connection, and gives up when it is being opened, as the `count`th. */
async function giveUpWaiting(pool: Pool, count = 1): Promise<void> {
  await race([() => pool.acquire(), () => until(() => pool.statistics().opening === count)]);
}

const backends = (observer: Connection): Promise<bigint | undefined> =>
  observer.fetchValue("select count(*) from pg_stat_activity where application_name = 'openings'");

/** Takes connections, and never says a word. */
async function silence(): Promise<{ port: number; sockets: Set<Socket> } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.resume().on("error", () => {}));
    socket.on("close", () => sockets.delete(socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, sockets, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("A connection that a pool opens", () => {
  it("comes to callers who have less time than it takes to open one", async () => {
    const { port } = await startServer();
    await using proxy = await FaultProxy.start(port);
    proxy.poison({ kind: "latency", delayMs: 10 });
    await using pool = createPool({
      host: "127.0.0.1",
      port: proxy.port,
      user: "postgres",
      ssl: "disable",
      maxSize: 3,
    });
    let succeeded = 0;
    for (let i = 0; i < 50; i++) {
      if ((await moveOnAfter(30, () => pool.fetchValue("select 1"))) === 1) succeeded += 1;
    }
    assert.ok(succeeded >= 10, `only ${succeeded} of 50`);
    assert.ok(pool.statistics().opened <= 6);
  });

  it("stays for the next one when its caller was cancelled", async () => {
    const gate = Promise.withResolvers<void>();
    await using pool = await poolOf({ maxSize: 2, init: () => gate.promise });
    await giveUpWaiting(pool);
    assert.deepEqual([pool.statistics().opening, pool.statistics().waiting], [1, 0]);
    const next = pool.fetchValue("select 1");
    await turn();
    assert.equal(pool.statistics().opening, 1);
    gate.resolve();
    assert.equal(await next, 1);
    const { opened, idle } = pool.statistics();
    assert.deepEqual([opened, idle], [1, 1]);
  });

  it("is idle when nobody wants it any more", async () => {
    await using pool = await poolOf();
    await moveOnAfter(1, () => pool.acquire());
    await until(() => pool.statistics().idle === 1);
    assert.equal(pool.statistics().opening, 0);
  });

  it("goes to the longest waiter, whoever it was begun for", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let inits = 0;
    await using pool = await poolOf({ maxSize: 2, init: () => gates[inits++]?.promise });
    const order: string[] = [];
    const use = async (name: string): Promise<void> => {
      await using _connection = await pool.acquire();
      order.push(name);
    };
    const both = [use("first"), use("second")];
    await until(() => inits === 2);
    gates[1]?.resolve();
    await until(() => order.length > 0);
    gates[0]?.resolve();
    await Promise.all(both);
    assert.deepEqual(order, ["first", "second"]);
  });

  it("is one for each who waits, and never one more than maxSize", async () => {
    const gate = Promise.withResolvers<void>();
    await using pool = await poolOf({ maxSize: 2, init: () => gate.promise });
    const first = pool.fetchValue("select 1");
    await turn();
    assert.equal(pool.statistics().opening, 1);
    const others = [2, 3, 4, 5].map((n) => pool.fetchValue("select $1::int", n));
    await turn();
    assert.deepEqual([pool.statistics().opening, pool.statistics().waiting], [2, 5]);
    gate.resolve();
    assert.deepEqual(await Promise.all([first, ...others]), [1, 2, 3, 4, 5]);
    // The first connection may have served all of them before the second was open.
    await until(() => pool.statistics().opening === 0);
    assert.equal(pool.statistics().opened, 2);
  });

  it("is opened although the scope in which the pool was made is cancelled", async () => {
    const { dsn } = await startServer();
    const value = await cancelScope(async (scope) => {
      const pool = createPool({ dsn });
      scope.cancel();
      return shield(async () => {
        try {
          return await pool.fetchValue("select 1");
        } finally {
          await pool.close();
        }
      });
    });
    assert.equal(value, 1);
  });

  it("keeps no run going, and outlives it", async () => {
    const gate = Promise.withResolvers<void>();
    const pool = await run(async () => {
      const made = await poolOf({ init: () => gate.promise });
      await giveUpWaiting(made);
      return made;
    });
    assert.equal(pool.statistics().opening, 1);
    gate.resolve();
    await until(() => pool.statistics().idle === 1);
    assert.equal(await pool.fetchValue("select 1"), 1);
    await pool.close();
  });

  it("has no failure for one who came after it had begun: another one is opened for him", async () => {
    const { port } = await startServer();
    await using proxy = await FaultProxy.start(port);
    await using pool = createPool({
      host: "127.0.0.1",
      port: proxy.port,
      user: "postgres",
      ssl: "disable",
      maxSize: 1,
    });
    proxy.poison({ kind: "black-hole" });
    await giveUpWaiting(pool);
    assert.equal(pool.statistics().opening, 1);
    const answer = pool.fetchValue("select 2");
    await until(() => pool.statistics().waiting === 1 && proxy.connections === 1);
    proxy.resetAll();
    proxy.heal();
    assert.equal(await answer, 2);
  });

  it("tells only the one it was for when it fails, with his stack", async () => {
    await using pool = createPool({ host: "127.0.0.1", port: 1, maxSize: 1 });
    const asking = async (): Promise<unknown> => await pool.fetchValue("select 1");
    const [first, second] = await Promise.allSettled([asking(), asking()]);
    assert.ok(first.status === "rejected" && second.status === "rejected");
    assert.notEqual(first.reason, second.reason);
    for (const error of [first.reason, second.reason] as Error[]) {
      assert.equal((error as Error & { code: string }).code, "MW_ERR_PG_CONNECT");
      assert.match(error.stack ?? "", /Cannot connect[^]*at async asking .*pool-openings\.test\.ts/);
    }
  });

  it("is given up after connectTimeoutMs, also when it is init that does not end", async () => {
    await using pool = await poolOf({ connectTimeoutMs: 100, init: () => sleepForever() });
    await assert.rejects(pool.fetchValue("select 1"), { code: "MW_ERR_PG_CONNECT_TIMEOUT", message: /'init'/ });
    await using deaf = await poolOf({ connectTimeoutMs: 100, init: () => new Promise(() => {}) });
    await assert.rejects(deaf.ready(), { code: "MW_ERR_PG_CONNECT_TIMEOUT" });
    assert.deepEqual([pool.statistics().size, deaf.statistics().size], [0, 0]);
  });

  it("is awaited by ready() if it is already on its way", async () => {
    const gate = Promise.withResolvers<void>();
    await using pool = await poolOf({ init: () => gate.promise });
    await giveUpWaiting(pool);
    const ready = pool.ready();
    gate.resolve();
    await ready;
    assert.deepEqual([pool.statistics().idle, pool.statistics().opened], [1, 1]);
  });
});

describe("A pool that is closed while it opens connections", () => {
  for (const end of ["close", "terminate"] as const) {
    it(`leaves no socket: ${end}()`, async () => {
      await using silent = await silence();
      const pool = createPool({ host: "127.0.0.1", port: silent.port, maxSize: 2 });
      const waiting = pool.fetchValue("select 1").catch((error: unknown) => error);
      await giveUpWaiting(pool, 2);
      await until(() => silent.sockets.size === 2);
      await pool[end]();
      assert.equal(((await waiting) as { code: string }).code, "MW_ERR_PG_CLOSED");
      assert.equal(pool.statistics().size, 0);
      await until(() => silent.sockets.size === 0);
    });
  }

  it("does not wait for a hook that does not end", async () => {
    const { dsn } = await startServer();
    await using observer = await connect({ dsn, applicationName: "observer" });
    let hasBegun = false;
    const pool = await poolOf({
      init: () => {
        hasBegun = true;
        return new Promise(() => {});
      },
    });
    await moveOnAfter(1, () => pool.acquire());
    await until(() => hasBegun);
    await pool.close();
    assert.equal(pool.statistics().size, 0);
    await until(async () => (await backends(observer)) === 0n);
  });

  it("ends the start of the server of its own", async () => {
    const pool = createPool({ embedded: { settings: { application_name: "openings" } } });
    await giveUpWaiting(pool);
    assert.equal(pool.statistics().opening, 1);
    await pool.close();
    assert.equal(pool.statistics().size, 0);
    await sleep(1);
  });
});
