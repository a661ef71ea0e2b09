// Where middlewares, redirects, caches and the end of a session meet.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { basicAuth, ClientSession, httpCache, Secret } from "@meanwhile/http";
import { exponential, fixed, gather, run, taskGroup } from "meanwhile";
import { MockClock } from "meanwhile/testing";

import { serve, serveAtOnce, serveRaw, onEachHead } from "./servers.ts";

describe("A middleware that leads to another origin", () => {
  it("takes no credentials to where that redirects", async () => {
    const seen: unknown[] = [];
    await using other = await serve((request, response) => {
      seen.push([request.headers.authorization, request.headers.cookie, request.headers["x-key"]]);
      if (request.url === "/") response.writeHead(302, { location: "/next" });
      response.end();
    });
    await using session = new ClientSession({
      auth: basicAuth("user", "canary"),
      headers: { cookie: "a=canary", "x-key": new Secret("canary") },
      middlewares: [
        (request, next) => (request.url.host === "a.test" ? next(request.with({ url: other.url })) : next(request)),
      ],
    });
    await (await session.get("http://a.test/")).text();
    assert.deepEqual(seen, [
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
    ]);
  });

  it("leaves no connection behind when it throws with an answer in its hands", async () => {
    await using server = await serve((_request, response) => response.write("a beginning"));
    await using session = new ClientSession({
      middlewares: [
        async (request, next) => {
          await next(request);
          throw new RangeError("of the middleware");
        },
      ],
    });
    await assert.rejects(session.get(server.url), RangeError);
    assert.equal(session.statistics().inUse, 0);
    await server.allClosed();
  });
});

describe("A redirect out of a cache", () => {
  it("is judged like one from anywhere", async () => {
    let asked = 0;
    await using inside = await serve((_request, response) => {
      asked += 1;
      response.end("secret");
    });
    await using server = await serve((_request, response) => {
      response.writeHead(301, { location: inside.url, "cache-control": "max-age=60" }).end();
    });
    await using session = new ClientSession({
      middlewares: [httpCache()],
      dns: { resolve: { "public.test": "127.0.0.1" } },
      // As if every address were public but that of the server inside.
      privateRedirects: (_address, _family, hostname) => hostname !== "127.0.0.1",
    });
    for (let call = 0; call < 2; call++) {
      await assert.rejects(session.get(`http://public.test:${server.port}/`), { code: "MW_ERR_HTTP_ADDRESS_REFUSED" });
    }
    assert.equal(asked, 0);
  });
});

describe("Retry-After", () => {
  it("keeps those off who wait for the slot of the request that was told so", async () => {
    const clock = new MockClock();
    const times: number[] = [];
    await using server = await serve((_request, response) => {
      times.push(clock.now());
      if (times.length === 1) response.writeHead(429, { "retry-after": "30" }).end();
      else response.end();
    });
    await run(
      async () => {
        const retry = { attempts: 2, backoff: fixed(0) };
        await using session = new ClientSession({ limitPerHost: 1, retry, timeouts: { totalMs: Infinity } });
        await gather(Array.from({ length: 4 }, () => async () => (await session.get(server.url)).text()));
      },
      { clock },
    );
    const [first = 0, ...later] = times;
    assert.equal(later.length, 4);
    assert.ok(
      later.every((time) => time - first >= 30_000),
      String(later.map((time) => time - first)),
    );
  });
});

describe("session.close()", () => {
  it("ends the waits for a paused host, and before another attempt", async () => {
    await using server = await serve((request, response) => {
      response.writeHead(503, request.url === "/paused" ? { "retry-after": "60" } : {}).end();
    });
    const session = new ClientSession({ retry: { attempts: 3, backoff: exponential({ baseMs: 60_000 }) } });
    await taskGroup(async (group) => {
      const calls = ["/later", "/paused"].map((path) =>
        group.createTask(() => assert.rejects(session.get(server.url + path), { code: "MW_ERR_HTTP_CLOSED" })),
      );
      while (server.sockets.length < 2 || session.statistics().inUse > 0) await new Promise(setImmediate);
      await session.close();
      await Promise.all(calls);
    });
  });
});

describe("A large body in memory", () => {
  it("may take longer than idleMs, as long as the server takes it", async () => {
    await using server = await serveAtOnce((request, response) => {
      request.on("data", () => {
        request.pause();
        setTimeout(() => request.resume(), 1);
      });
      request.on("end", () => response.end("all of it"));
    });
    await using session = new ClientSession({ timeouts: { idleMs: 300, totalMs: Infinity } });
    const response = await session.put(server.url, { body: new Uint8Array(32_000_000) });
    assert.equal(await response.text(), "all of it");
  });

  it("leaves no connection to the next request if the answer came before all of it was sent", async () => {
    await using server = await serveRaw((socket) => {
      onEachHead(socket, () => {
        socket.pause();
        socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
      });
    });
    await using session = new ClientSession();
    assert.equal((await session.put(server.url, { body: new Uint8Array(20_000_000) })).status, 413);
    assert.equal((await session.get(server.url)).status, 413);
    assert.equal(server.sockets.length, 2);
  });
});

describe("session.fetch", () => {
  it("is a function of its own", async () => {
    await using server = await serve((_request, response) => response.end("fine"));
    await using session = new ClientSession();
    // oxlint-disable-next-line typescript/unbound-method -- that it may be taken is the point
    const { fetch } = session;
    assert.equal(await (await fetch(server.url)).text(), "fine");
  });
});
