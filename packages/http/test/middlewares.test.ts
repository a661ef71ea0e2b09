import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { basicAuth, ClientSession, type Middleware, Secret } from "@meanwhile/http";
import { fixed, moveOnAfter, sleepForever } from "meanwhile";

import { serve } from "./servers.ts";

describe("Middlewares", () => {
  it("can show a request without its secrets", async () => {
    await using session = new ClientSession({
      cookies: true,
      headers: { authorization: "Bearer canary", "x-key": new Secret("canary") },
    });
    let shown = "";
    const look: Middleware = (request) => {
      shown = inspect(request, { depth: 9 }) + JSON.stringify(request) + JSON.stringify(Object.values(request));
      return request.respond();
    };
    const options = { middlewares: [look], body: "canary" };
    await session.post("http://user:canary@shop.test/a?token=canary&b=1", options);
    assert.doesNotMatch(shown, /canary/);
    assert.match(shown, /^ClientRequest { POST http:\/\/shop\.test\/a\?token=\*\*\*&b=1 }/);
  });

  it("stand around each other in their order, auth outside, those of a request inside", async () => {
    const log: string[] = [];
    const named =
      (name: string): Middleware =>
      async (request, next) => {
        log.push(`> ${name}`);
        const response = await next(request);
        log.push(`< ${name}`);
        return response;
      };
    await using server = await serve((_request, response) => response.end("fine"));
    await using session = new ClientSession({ middlewares: [named("a"), named("b")], auth: named("auth") });
    await using response = await session.get(server.url, { middlewares: [named("c")] });
    assert.equal(await response.text(), "fine");
    assert.deepEqual(log, ["> auth", "> a", "> b", "> c", "< c", "< b", "< a", "< auth"]);
    log.length = 0;
    await (await session.get(server.url, { auth: null })).text();
    assert.deepEqual(log, ["> a", "> b", "< b", "< a"]);
  });

  it("see every attempt and every hop, and change what is sent", async () => {
    const seen: string[] = [];
    await using server = await serve((request, response) => {
      seen.push(`${request.method} ${request.url} ${String(request.headers["x-number"])}`);
      if (request.url === "/") response.writeHead(302, { location: "/next" }).end();
      else response.writeHead(seen.length < 4 ? 503 : 200).end();
    });
    let number = 0;
    const counted: Middleware = (request, next) => {
      number += 1;
      const headers = { "x-number": `${number} of attempt ${request.attempt}` };
      return next(request.with({ headers, ...(request.redirects.length > 0 ? { url: `${server.url}/changed` } : {}) }));
    };
    await using session = new ClientSession({ middlewares: [counted], retry: { attempts: 2, backoff: fixed(0) } });
    const response = await session.get(server.url);
    assert.deepEqual(seen, [
      "GET / 1 of attempt 1",
      "GET /changed 2 of attempt 1",
      "GET / 3 of attempt 2",
      "GET /changed 4 of attempt 2",
    ]);
    assert.deepEqual([response.status, response.url], [200, `${server.url}/changed`]);
  });

  it("may answer themselves, with a body that is text, bytes or a stream", async () => {
    async function* pieces(): AsyncGenerator<string> {
      yield "a";
      yield "b";
    }
    for (const [body, text] of [
      ["text", "text"],
      [new Uint8Array([65]), "A"],
      [pieces(), "ab"],
      [undefined, ""],
    ] as const) {
      const headers = { "x-a": ["1", "2"], "content-encoding": "gzip" };
      await using session = new ClientSession({
        middlewares: [(request) => request.respond({ status: 201, statusText: "Made", headers, body })],
      });
      await using response = await session.get("http://nowhere.test/path");
      assert.deepEqual([response.status, response.statusText, response.url], [201, "Made", "http://nowhere.test/path"]);
      assert.equal(response.headers.get("x-a"), "1, 2");
      assert.equal(await response.text(), text);
    }
  });

  it("make answers that keep the rules of bodies", async () => {
    let closed = 0;
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) yield "x".repeat(1_000);
      } finally {
        closed += 1;
      }
    }
    const answering: Middleware = (request) => request.respond({ body: endless() });
    await using session = new ClientSession({ middlewares: [answering], maxBodyBytes: 10_000 });
    await assert.rejects((await session.get("http://a.test")).text(), { code: "MW_ERR_HTTP_BODY_TOO_LARGE" });
    for await (const _ of (await session.get("http://a.test")).stream()) break;
    await (await session.get("http://a.test")).close();
    const twice = await session.get("http://a.test", { maxBodyBytes: Infinity });
    for await (const _ of twice.stream()) break;
    await assert.rejects(twice.text(), { code: "MW_ERR_HTTP_BODY_USED" });
    assert.equal(closed, 4);
  });

  it("may be raised on: an error of theirs is the error of the call", async () => {
    await using session = new ClientSession({
      middlewares: [
        () => {
          throw new RangeError("no");
        },
      ],
    });
    await assert.rejects(session.get("http://a.test"), RangeError);
  });

  it("are cancelled where they wait", async () => {
    await using session = new ClientSession({ middlewares: [() => sleepForever()] });
    const result = await moveOnAfter(1, () => session.get("http://a.test"));
    assert.equal(result, undefined);
  });

  it("do not take the session's secrets along to another origin", async () => {
    const seen: unknown[] = [];
    await using other = await serve((request, response) => {
      seen.push([request.headers["x-key"], request.headers["x-plain"]]);
      response.end();
    });
    await using server = await serve((request, response) => {
      seen.push([request.headers["x-key"], request.headers["x-plain"]]);
      response.writeHead(302, { location: other.url }).end();
    });
    await using session = new ClientSession({ headers: { "x-key": new Secret("canary"), "x-plain": "1" } });
    const origins: boolean[] = [];
    await session.get(server.url, {
      middlewares: [
        (request, next) => {
          origins.push(request.isCrossOrigin);
          return next(request);
        },
      ],
    });
    assert.deepEqual(seen, [
      ["canary", "1"],
      [undefined, "1"],
    ]);
    assert.deepEqual(origins, [false, true]);
  });

  it("take no credentials to another origin", async () => {
    const seen: unknown[] = [];
    await using other = await serve((request, response) => {
      seen.push([request.headers.authorization, request.headers["x-key"], request.headers["x-own"]]);
      response.end();
    });
    await using session = new ClientSession({
      headers: { "x-key": new Secret("canary") },
      auth: basicAuth("user", "canary"),
      middlewares: [(request, next) => next(request.with({ url: other.url, headers: { "x-own": "1" } }))],
    });
    await session.get("http://a.test/");
    assert.deepEqual(seen, [[undefined, undefined, "1"]]);
  });

  it("are refused if they are none, and so is what they must not change", async () => {
    for (const options of [{ middlewares: 1 }, { middlewares: [null] }, { auth: "user" }] as never[]) {
      assert.throws(() => new ClientSession(options), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    const refused = async (change: object): Promise<unknown> => {
      await using session = new ClientSession({ middlewares: [(request, next) => next(request.with(change))] });
      return session.get("http://a.test").catch((error: unknown) => (error as { code: string }).code);
    };
    assert.equal(await refused({ method: "G T" }), "MW_ERR_HTTP_INVALID_ARGUMENT");
    assert.equal(await refused({ url: "file:///etc/passwd" }), "MW_ERR_HTTP_INVALID_URL");
    assert.equal(await refused({ headers: { "x-a": "1\r\nx-b: 2" } }), "MW_ERR_HTTP_INVALID_HEADER");
    assert.equal(await refused({ headers: { "transfer-encoding": "chunked" } }), "MW_ERR_HTTP_INVALID_HEADER");
  });

  it("must return an answer of theirs, and leak none otherwise", async () => {
    await using server = await serve((_request, response) => response.end("body"));
    await using session = new ClientSession({ limit: 1, timeouts: { poolMs: 500 } });
    const wrong: Middleware[] = [
      async (request, next) => void (await next(request)) as never,
      () => undefined as never,
      () => new Response("foreign") as never,
      async (request, next) => ({ status: (await next(request)).status }) as never,
    ];
    for (const middleware of wrong) {
      await assert.rejects(session.get(server.url, { middlewares: [middleware] }), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
        message: /returned no ClientResponse/,
      });
      assert.equal(session.statistics().inUse, 0);
    }
  });

  it("name methods as the session does, and statuses that there can be", async () => {
    await using session = new ClientSession();
    const seen: string[] = [];
    const renamed: Middleware = (request, next) => {
      for (const method of ["get", "Patch", "own"]) seen.push(request.with({ method }).method);
      for (const method of ["", "a b", "connect", 5 as never]) {
        assert.throws(() => request.with({ method }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
      }
      for (const status of [Infinity, 99, 1_000, 200.5, "200" as never]) {
        assert.throws(() => request.respond({ status }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
      }
      return next(request);
    };
    const server: Middleware = (request) => request.respond({ status: 999 });
    const { status } = await session.get("http://a.test/", { middlewares: [renamed, server] });
    assert.deepEqual([status, ...seen], [999, "GET", "PATCH", "own"]);
  });
});
