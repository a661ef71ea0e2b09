import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { connect, createPool, type NotificationEvent, type Pool, type TraceEvent } from "@meanwhile/postgres";
import { cancellable, cancelScope, gather, moveOnAfter, now, run, shield, timeout } from "meanwhile";

import { settleConnect } from "../src/connect-settings.ts";
import { ConnectionListening } from "../src/connection-listening.ts";
import { openLink } from "../src/open-link.ts";
import { Session } from "../src/session.ts";
import { Trace } from "../src/trace.ts";
import { startOwnServer, startServer } from "./servers.ts";

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = now() + 10_000; now() < end;) {
    if (await condition()) return;
    await turn();
  }
  assert.fail("It did not happen within 10 s");
}

const payloadOf = (result: IteratorResult<NotificationEvent, undefined>): string | undefined =>
  result.done !== true && result.value.kind === "notification" ? result.value.payload : undefined;

describe("pool.listen", () => {
  it("gives the notifications of its channels, with payload and sender", async () => {
    const { dsn } = await startServer();
    await using pool = createPool(dsn);
    await using listener = pool.listen(["Jobs", 'odd "name"']);
    await listener.ready();
    await using sender = await connect(dsn);
    await sender.execute("select pg_notify('Jobs', 'one'), pg_notify('jobs', 'not this')");
    await pool.notify('odd "name"');
    const { serverPid } = sender;
    const first = { kind: "notification", channel: "Jobs", payload: "one", serverPid };
    assert.deepEqual(await listener.next(), { done: false, value: first });
    assert.equal(payloadOf(await listener.next()), "");
  });

  it("shares one connection among all listeners, beside maxSize, and closes it with the last", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, maxSize: 1, applicationName: "listeners" });
    const listeners = ["a", "b", "a"].map((channel) => pool.listen(channel));
    await gather(listeners.map((listener) => () => listener.ready()));
    assert.equal(pool.statistics().listening, 1);
    await pool.notify("a", "to two");
    assert.deepEqual(await gather([0, 2].map((index) => async () => payloadOf(await listeners[index]!.next()))), [
      "to two",
      "to two",
    ]);
    await listeners[0]?.return();
    await pool.notify("a", "to one");
    assert.equal(payloadOf(await listeners[2]!.next()), "to one");
    for (const listener of listeners) await listener.return();
    await until(() => pool.statistics().listening === 0);
    const count = "select count(*) from pg_stat_activity where application_name = 'listeners'";
    await until(async () => (await pool.fetchValue(count)) === 1n);
  });

  it("loses nothing to a wait that is cancelled", async () => {
    const { dsn } = await startServer();
    await using pool = createPool(dsn);
    await using listener = pool.listen("slow");
    await listener.ready();
    assert.equal(await moveOnAfter(2, () => listener.next()), undefined);
    await pool.notify("slow", "kept");
    assert.equal(payloadOf(await listener.next()), "kept");
  });

  it("listens again after a lost connection, and says that some may have been missed", async () => {
    const { dsn } = await startServer();
    const events: TraceEvent[] = [];
    await using pool = createPool({ dsn, trace: (event) => events.push(event) });
    await using listener = pool.listen("lasting");
    await listener.ready();
    for (let round = 0; round < 2; round++) {
      const [pid] = await pool.fetch<{ pid: number }>("select pid from pg_stat_activity where query like 'listen %'");
      const next = listener.next();
      await pool.execute("select pg_terminate_backend($1)", pid?.pid);
      assert.deepEqual(await next, { done: false, value: { kind: "reconnected" } });
      await pool.notify("lasting", `after ${round}`);
      assert.equal(payloadOf(await listener.next()), `after ${round}`);
    }
    assert.equal(events.filter(({ kind }) => kind === "listen-reconnected").length, 2);
  });

  it("listens wherever it is called, wherever the pool was made", async () => {
    const { dsn } = await startServer();
    const hears = async (pool: Pool): Promise<void> => {
      await using listener = pool.listen("places");
      await listener.ready();
      await pool.notify("places", "here");
      assert.equal(payloadOf(await listener.next()), "here");
      await pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'places' and query ~ '^listen'",
      );
      assert.deepEqual(await listener.next(), { done: false, value: { kind: "reconnected" } });
    };
    const make = (): Pool => createPool({ dsn, applicationName: "places" });
    await using outside = make();
    await using ended = await run(() => Promise.resolve(make()));
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const { promise: made, resolve: tell } = Promise.withResolvers<Pool>();
    const running = run(() =>
      cancelScope(async (scope) => {
        scope.cancel();
        tell(make());
        await shield(() => cancellable(finished));
      }),
    );
    await using cancelled = await made;
    for (const pool of [outside, ended, cancelled]) {
      await hears(pool);
      await run(() => hears(pool));
    }
    finish();
    await running;
  });

  it("tells of no gap who has come after it", async () => {
    const { dsn } = await startServer();
    await using pool = createPool(dsn);
    for (const channel of ["first", "second", "second"]) {
      await using listener = pool.listen(channel);
      await listener.ready();
      await pool.notify(channel, channel);
      assert.equal(payloadOf(await listener.next()), channel);
    }
  });

  it("waits for a server that is away", async () => {
    await using server = await startOwnServer();
    await using pool = createPool(server.dsn);
    await using listener = pool.listen("patient");
    await listener.ready();
    const next = listener.next();
    await server.stop("immediate");
    await until(() => pool.statistics().listening === 0);
    await server.start();
    assert.deepEqual(await timeout(10_000, () => next), { done: false, value: { kind: "reconnected" } });
  });

  it("says so when it cannot connect for the first time", async () => {
    await using pool = createPool({ host: "127.0.0.1", port: 1 });
    await using listener = pool.listen("never");
    await assert.rejects(listener.next(), { code: "MW_ERR_PG_CONNECT" });
    await assert.rejects(listener.ready(), { code: "MW_ERR_PG_CONNECT" });
  });

  it("drops what a loop is too slow for, and tells the loop how much that was", async () => {
    const { dsn } = await startServer();
    await using pool = createPool(dsn);
    await using listener = pool.listen("flood", { maxQueued: 2 });
    await using marker = pool.listen("flood");
    await gather([() => listener.ready(), () => marker.ready()]);
    await pool.execute("select pg_notify('flood', n::text) from generate_series(1, 5) n");
    for (let count = 0; count < 5; count++) await marker.next();
    assert.equal(payloadOf(await listener.next()), "1");
    await pool.notify("flood", "6");
    await marker.next();
    assert.equal(payloadOf(await listener.next()), "2");
    assert.deepEqual(await listener.next(), { done: false, value: { kind: "dropped", count: 3 } });
    assert.equal(payloadOf(await listener.next()), "6");
  });

  it("ends its loops when the pool is closed", async () => {
    const { dsn } = await startServer();
    const pool = createPool(dsn);
    const loop = (async () => {
      for await (const event of pool.listen("end")) assert.fail(event.kind);
      return "ended";
    })();
    await until(() => pool.statistics().listening === 1);
    await pool.close();
    assert.equal(await loop, "ended");
    await assert.rejects(pool.listen("end").next(), { code: "MW_ERR_PG_CLOSED" });
  });

  it("refuses names that the server would cut, a second reader, and a PgBouncer", async () => {
    const { dsn } = await startServer();
    await using pool = createPool(dsn);
    for (const channels of ["", "x".repeat(64), "ü".repeat(32), [], [1], "a\0b"]) {
      assert.throws(() => pool.listen(channels as never), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    }
    assert.throws(() => pool.listen("x", { maxQueued: 0 }), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    await assert.rejects(pool.notify(""), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    await using listener = pool.listen("x");
    await listener.ready();
    const first = listener.next();
    await turn();
    await turn();
    await assert.rejects(listener.next(), { code: "MW_ERR_PG_BUSY" });
    await pool.notify("x", "for the first");
    assert.equal(payloadOf(await first), "for the first");
    await using bouncer = createPool({ dsn, pgBouncer: true });
    assert.throws(() => bouncer.listen("x"), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
  });
});

describe("connection.listen", () => {
  it("listens on the connection itself", async () => {
    const { dsn } = await startServer();
    await using connection = await connect(dsn);
    await using listener = connection.listen("own");
    await listener.ready();
    await connection.execute("notify own, 'myself'");
    assert.equal(payloadOf(await listener.next()), "myself");
    const loop = listener.next();
    await connection.close();
    assert.deepEqual(await loop, { done: true, value: undefined });
  });

  it("leaves nothing at the link when it ends", async () => {
    const { dsn } = await startServer();
    const link = await openLink(settleConnect(dsn));
    const onLost = (): void => {};
    link.onLost = onLost;
    const listening = new ConnectionListening(new Session(link, new Trace(undefined)));
    assert.notEqual(link.onLost, onLost);
    listening.close();
    assert.equal(link.onLost, onLost);
    await link.close();
  });

  it("throws when the connection is lost", async () => {
    const { dsn } = await startServer();
    await using pool = createPool(dsn);
    await using connection = await connect(dsn);
    await using listener = connection.listen("lost");
    await listener.ready();
    // It may fail before the call that ends it has its answer.
    const next = assert.rejects(listener.next(), { code: "MW_ERR_PG_CONNECTION_LOST" });
    await pool.execute("select pg_terminate_backend($1)", connection.serverPid);
    await next;
  });

  it("ends when the connection is given back to its pool, and nothing is left of it", async () => {
    const { dsn } = await startServer();
    await using pool = createPool({ dsn, maxSize: 1 });
    const connection = await pool.acquire();
    const listener = connection.listen("lent");
    await listener.ready();
    await connection.release();
    assert.deepEqual(await listener.next(), { done: true, value: undefined });
    assert.deepEqual(await pool.fetch("select pg_listening_channels()"), []);
    assert.equal(pool.statistics().opened, 1);
    await pool.execute("select pg_terminate_backend(pg_backend_pid())").catch(() => {});
    assert.equal(await pool.fetchValue("select 1"), 1);
  });
});
