import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";
import { cancelScope, gather, moveOnAfter, sleep, taskGroup } from "meanwhile";

import { Pool } from "../src/pool.ts";
import { checkTransport } from "../src/transport-options.ts";
import { deadUrl, serve, serveRaw } from "./servers.ts";

/** Holds every answer back until told. */
async function holding() {
  const held: { url: string; response: ServerResponse }[] = [];
  const server = await serve((request, response) => held.push({ url: request.url ?? "", response }));
  const until = async (count: number) => {
    while (held.length < count) await sleep(1);
  };
  return { server, held, until, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("limits", () => {
  it("never have more requests under way than limit, as the server counts them", async () => {
    let now = 0;
    let most = 0;
    await using server = await serve(async (_request, response) => {
      now += 1;
      most = Math.max(most, now);
      await sleep(1);
      now -= 1;
      response.end("ok");
    });
    await using session = new ClientSession({ baseUrl: server.url, limit: 3 });
    const texts = await gather(
      Array.from({ length: 30 }, (_, index) => async () => (await session.get(`/${index}`)).text()),
    );
    assert.equal(texts.length, 30);
    assert.equal(most, 3);
    assert.equal(server.sockets.length, 3);
  });

  it("serve those who wait in the order they asked", async () => {
    await using hold = await holding();
    await using session = new ClientSession({ baseUrl: hold.server.url, limit: 1 });
    await taskGroup(async (group) => {
      for (const name of ["a", "b", "c", "d"]) group.createTask(async () => (await session.get(`/${name}`)).text());
      for (let count = 1; count <= 4; count += 1) {
        await hold.until(count);
        hold.held.at(-1)?.response.end("x");
      }
    });
    assert.deepEqual(
      hold.held.map(({ url }) => url),
      ["/a", "/b", "/c", "/d"],
    );
  });

  it("of one host do not hold up another", async () => {
    await using slow = await holding();
    await using quick = await serve((_request, response) => response.end("quick"));
    await using session = new ClientSession({ limit: 3, limitPerHost: 2 });
    await taskGroup(async (group) => {
      for (let index = 0; index < 10; index += 1)
        group.createTask(async () => (await session.get(slow.server.url)).text());
      await slow.until(2);
      assert.equal(await (await session.get(quick.url)).text(), "quick");
      const { inUse, waiting, hosts } = session.statistics();
      assert.deepEqual(
        { inUse, waiting, slow: hosts[slow.server.url] },
        { inUse: 2, waiting: 8, slow: { inUse: 2, waiting: 8, idle: 0 } },
      );
      group.cancel();
    }).catch(() => {});
    assert.deepEqual(
      { ...session.statistics(), hosts: {}, idle: 0 },
      { limit: 3, inUse: 0, waiting: 0, idle: 0, hosts: {} },
    );
  });

  it("of one host hold for all ways to it together", async () => {
    const transport = checkTransport({});
    const pool = new Pool({ limit: 10, limitPerHost: 1, maxHeaderBytes: 16_384, maxHeaderCount: 128, transport });
    const url = new URL("http://host.test/");
    const host = pool.tryEnter({ url, isPublicOnly: false });
    assert.equal(pool.tryEnter({ url, isPublicOnly: true }), null);
    assert.ok(host !== null);
    pool.giveBack(host);
    const other = pool.tryEnter({ url, isPublicOnly: true });
    assert.equal(pool.tryEnter({ url, isPublicOnly: false }), null);
    assert.ok(other !== null);
    pool.giveBack(other);
    assert.equal(pool.statistics().inUse, 0);
    await pool.close();
  });

  it("count a response until its last byte has come, read or not", async () => {
    await using server = await serve((request, response) => {
      if (request.url === "/small") response.end("whole");
      else response.write("begin");
    });
    await using session = new ClientSession({ baseUrl: server.url });
    const small = await session.get("/small");
    while (session.statistics().inUse > 0) await sleep(1);
    assert.equal(await small.text(), "whole");
    const open = await session.get("/open");
    assert.equal(session.statistics().inUse, 1);
    await open.close();
    assert.equal(session.statistics().inUse, 0);
  });

  it("are given back when a request fails", async () => {
    await using server = await serveRaw((socket) => socket.destroy());
    await using session = new ClientSession({ limit: 1 });
    for (const url of [server.url, await deadUrl(), server.url]) await assert.rejects(session.get(url));
    assert.deepEqual(session.statistics(), { limit: 1, inUse: 0, waiting: 0, idle: 0, hosts: {} });
  });

  it("make a request fail that waits longer than poolMs, and only count as that", async () => {
    await using hold = await holding();
    await using session = new ClientSession({
      baseUrl: hold.server.url,
      limit: 1,
      timeouts: { totalMs: 60, connectMs: 60, idleMs: 60 },
    });
    await taskGroup(async (group) => {
      const first = group.createTask(async () =>
        (await session.get("/", { timeouts: { totalMs: Infinity, idleMs: Infinity } })).text(),
      );
      await hold.until(1);
      await assert.rejects(session.get("/", { timeouts: { poolMs: 5 } }), {
        name: "HttpTimeoutError",
        phase: "pool",
        code: "MW_ERR_HTTP_POOL_TIMEOUT",
      });
      assert.equal(session.statistics().waiting, 0);
      const queued = group.createTask(async () => (await session.get("/2")).text());
      for (let index = 0; index < 8; index += 1) await sleep(10); // longer than every other timeout of the one that waits
      hold.held[0]?.response.end("first");
      await hold.until(2);
      hold.held[1]?.response.end("second");
      assert.deepEqual([await first, await queued], ["first", "second"]);
    });
  });

  it("pass a slot on when the one who was to get it is cancelled", async () => {
    await using hold = await holding();
    await using session = new ClientSession({ baseUrl: hold.server.url, limit: 1 });
    await taskGroup(async (group) => {
      group.createTask(async () => (await session.get("/1")).text());
      await hold.until(1);
      const dropped = group.createTask(() => moveOnAfter(2, () => session.get("/dropped")));
      const last = group.createTask(async () => (await session.get("/3")).text());
      await dropped;
      hold.held[0]?.response.end();
      await hold.until(2);
      hold.held[1]?.response.end("third");
      assert.equal(await last, "third");
    });
    assert.deepEqual(
      hold.held.map(({ url }) => url),
      ["/1", "/3"],
    );
  });

  it("keep no more idle connections than limit, and forget hosts nobody uses", async () => {
    const servers = await Promise.all(
      Array.from({ length: 4 }, () => serve((_request, response) => response.end("ok"))),
    );
    await using session = new ClientSession({ limit: 2 });
    for (const { url } of servers) await (await session.get(url)).text();
    const { idle, hosts } = session.statistics();
    assert.equal(idle, 2);
    assert.deepEqual(Object.keys(hosts), [servers[2]?.url, servers[3]?.url]);
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  });
});

describe("ClientSession.close", () => {
  it("ends every wait with an error that says so", async () => {
    await using hold = await holding();
    const session = new ClientSession({ baseUrl: hold.server.url, limit: 2 });
    const expected = { code: "MW_ERR_HTTP_CLOSED", message: /session was closed/ };
    await taskGroup(async (group) => {
      for (let index = 0; index < 4; index += 1)
        group.createTask(() => assert.rejects(session.get(`/${index}`), expected));
      await hold.until(2);
      hold.held[0]?.response.write("part");
      await session.close();
    });
    await assert.rejects(session.get("/late"), expected);
    await session.close();
    await hold.server.allClosed();
    assert.deepEqual(session.statistics(), { limit: 2, inUse: 0, waiting: 0, idle: 0, hosts: {} });
  });

  it("ends the reading of a body", async () => {
    await using hold = await holding();
    const session = new ClientSession({ baseUrl: hold.server.url });
    await taskGroup(async (group) => {
      group.createTask(async () => {
        const response = await session.get("/");
        await assert.rejects(response.text(), { code: "MW_ERR_HTTP_CLOSED" });
      });
      await hold.until(1);
      hold.held[0]?.response.write("part");
      await sleep(5);
      await session.close();
    });
  });

  it("refuses one who had just got a slot", async () => {
    await using hold = await holding();
    const session = new ClientSession({ baseUrl: hold.server.url, limit: 1 });
    await taskGroup(async (group) => {
      const first = group.createTask(() => session.get("/1"));
      await hold.until(1);
      hold.held[0]?.response.write("part");
      const holder = await first;
      group.createTask(() => assert.rejects(session.get("/2"), { code: "MW_ERR_HTTP_CLOSED" }));
      await sleep(1);
      // In a cancelled scope it closes at once: the slot goes to the second, which has not run yet when all is closed.
      const freeing = cancelScope((scope) => {
        scope.cancel();
        return holder.close();
      });
      await Promise.all([freeing, session.close()]);
    });
    assert.deepEqual(session.statistics(), { limit: 1, inUse: 0, waiting: 0, idle: 0, hosts: {} });
  });

  it("works in a cancelled scope and throws no cancellation", async () => {
    await using hold = await holding();
    let closed = false;
    await moveOnAfter(2, async () => {
      const session = new ClientSession({ baseUrl: hold.server.url });
      try {
        await session.get("/");
      } finally {
        await session.close();
        closed = true;
      }
    });
    assert.ok(closed);
    await hold.server.allClosed();
  });
});
