import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";

import {
  type CacheEntry,
  type CacheStore,
  ClientSession,
  httpCache,
  MemoryCacheStore,
  type Middleware,
} from "@meanwhile/http";
import { MockNetwork } from "@meanwhile/http/testing";
import { cancelScope, gather, now, sleep, sleepForever, taskGroup } from "meanwhile";
import { runTest } from "meanwhile/testing";

import { serve } from "./servers.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => unknown;

/** A server that counts, and a session with a cache before it. */
async function cached(answer: Answer, options: { store?: CacheStore; retry?: false } = {}) {
  const asked: IncomingMessage[] = [];
  const server = await serve((request, response) => {
    asked.push(request);
    return answer(request, response, asked.length);
  });
  const { store = new MemoryCacheStore() } = options;
  const session = new ClientSession({ baseUrl: server.url, middlewares: [httpCache({ store })] });
  const text = async (url = "/", headers: Record<string, string> = {}) => (await session.get(url, { headers })).text();
  const status = async (url = "/", headers: Record<string, string> = {}) => {
    const response = await session.get(url, { headers });
    await response.text();
    return response.headers.get("cache-status") ?? "";
  };
  const end = async () => {
    await session.close();
    await server[Symbol.asyncDispose]();
  };
  return { asked, server, session, store, text, status, [Symbol.asyncDispose]: end };
}

const counting =
  (headers: Record<string, string>): Answer =>
  (_request, response, count) =>
    response.writeHead(200, headers).end(`answer ${count}`);

/** Moves the clock on the wall, and nothing else. */
function wallClock(context: TestContext): (ms: number) => void {
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  return (ms) => context.mock.timers.tick(ms);
}

describe("httpCache", () => {
  it("answers from what it has as long as that is fresh", async (context) => {
    const pass = wallClock(context);
    await using cache = await cached(counting({ "cache-control": "max-age=60", "x-kept": "1" }));
    assert.equal(await cache.text(), "answer 1");
    pass(59_000);
    const hit = await cache.session.get("/");
    assert.deepEqual([hit.status, hit.headers.get("x-kept"), hit.headers.get("age")], [200, "1", "59"]);
    assert.match(hit.headers.get("cache-status") ?? "", /^meanwhile; hit; ttl=[01]$/);
    assert.equal(await hit.text(), "answer 1");
    pass(2_000);
    assert.equal(await cache.text(), "answer 2");
    assert.equal(cache.asked.length, 2);
  });

  it("takes the Age of an answer into account, and the letters of a directive in any case", async () => {
    await using cache = await cached(counting({ "Cache-Control": "Max-Age=60", Age: "61" }));
    await cache.text();
    assert.equal(await cache.text(), "answer 2");
    await using secret = await cached(counting({ "Cache-Control": "No-Store, max-age=60" }));
    await secret.text();
    assert.equal(await secret.text(), "answer 2");
  });

  it("waits for an equal request no longer than the timeouts say", async () => {
    const asked: string[] = [];
    const server: Middleware = async (request) => {
      asked.push(request.headers.get("x-name") ?? "");
      if (request.headers.get("x-name") === "slow") await sleepForever();
      return request.respond({ headers: { "cache-control": "max-age=60" } });
    };
    await runTest(async () => {
      await using session = new ClientSession({ baseUrl: "http://a.test", middlewares: [httpCache(), server] });
      await taskGroup(async (group) => {
        group.createTask(() => session.get("/", { headers: { "x-name": "slow" } }));
        await sleep(1);
        const short = session.get("/", { headers: { "x-name": "short" }, timeouts: { totalMs: 50 } });
        await assert.rejects(short, { code: "MW_ERR_HTTP_TOTAL_TIMEOUT", phase: "total" });
        // It is a place in the queue that it has no time for: it asks for itself.
        await session.get("/", { headers: { "x-name": "own" }, timeouts: { poolMs: 50 } });
        group.cancel();
      });
    });
    assert.deepEqual(asked, ["slow", "own"]);
  });

  it("lets requests with other credentials, and for what is not kept, not wait for each other", async () => {
    const asked: string[] = [];
    const server: Middleware = async (request) => {
      asked.push(request.headers.get("authorization") ?? request.url.pathname);
      await sleep(100);
      return request.respond({
        headers: { "cache-control": request.url.pathname === "/never" ? "no-store" : "max-age=60" },
      });
    };
    await runTest(async () => {
      await using session = new ClientSession({ baseUrl: "http://a.test", middlewares: [httpCache(), server] });
      const started = now();
      const call = (url: string, authorization?: string) => session.get(url, { headers: { authorization } });
      await gather(["a", "b", "a"].map((name) => () => call("/", name)));
      assert.equal(now() - started, 100);
      assert.deepEqual(asked.splice(0), ["a", "b"]);
      await call("/never");
      const then = now();
      await gather([1, 2, 3].map(() => () => call("/never")));
      assert.equal(now() - then, 100);
      assert.deepEqual(asked.splice(0), ["/never", "/never", "/never", "/never"]);
      // After a while it is tried again to share the answer.
      await sleep(61_000);
      const later = now();
      await gather([1, 2].map(() => () => call("/never")));
      assert.equal(now() - later, 200);
    });
  });

  it("waits for its store no longer than the timeouts say", async () => {
    const never = new Promise<never>(() => {});
    const server: Middleware = (request) => request.respond({ headers: { "cache-control": "max-age=60" }, body: "a" });
    const ends: Partial<CacheStore>[] = [{ get: () => never }, { set: () => never }, { delete: () => never }];
    for (const odd of ends) {
      const store: CacheStore = { get: () => undefined, set: () => {}, delete: () => {}, clear: () => {}, ...odd };
      await using session = new ClientSession({ middlewares: [httpCache({ store }), server] });
      const options = { timeouts: { totalMs: 5 } };
      const call = async (): Promise<string> =>
        (await session.request("delete" in odd ? "POST" : "GET", "http://a.test/", options)).text();
      // An answer that has come is given, whether it can be kept or not.
      if ("set" in odd) assert.equal(await call(), "a");
      else await assert.rejects(call(), { code: "MW_ERR_HTTP_TOTAL_TIMEOUT", message: /the store of the cache/ });
    }
  });

  it("takes for nothing what is no entry, whatever the store gives", async () => {
    const kept = new MemoryCacheStore();
    await using first = await cached(counting({ "cache-control": "max-age=60" }), { store: kept });
    await first.text();
    const entry = kept.get(`GET ${first.server.url}/`);
    assert.ok(entry !== undefined);
    const { policy } = entry;
    const odd: unknown[] = [
      null,
      "text",
      5,
      [],
      {},
      { ...entry, body: "text" },
      { ...entry, statusText: undefined },
      { ...entry, policy: null },
      ...["st", "t", "resh", "rescc", "v"].map((name) => ({ ...entry, policy: { ...policy, [name]: null } })),
      { ...entry, policy: { ...policy, resh: { a: 5 } } },
    ];
    for (const found of odd) {
      const store = { get: () => found as CacheEntry, set: () => {}, delete: () => {}, clear: () => {} };
      await using cache = await cached(counting({ "cache-control": "max-age=60" }), { store });
      assert.equal(await cache.text(), "answer 1", JSON.stringify(found));
    }
  });

  it("gives each reader bytes of their own", async () => {
    await using cache = await cached((_request, response) => {
      response.writeHead(200, { "cache-control": "max-age=60" }).write("abc");
      setImmediate(() => response.end("def"));
    });
    const texts: string[] = [];
    for (let read = 0; read < 3; read += 1) {
      let text = "";
      for await (const chunk of (await cache.session.get("/")).stream()) {
        text += Buffer.from(chunk).toString();
        chunk.fill(0);
      }
      texts.push(text);
    }
    assert.deepEqual(texts, ["abcdef", "abcdef", "abcdef"]);
    assert.equal(cache.asked.length, 1);
  });

  it("keeps nothing that must not be kept", async () => {
    const never: ReadonlyArray<[Record<string, string>, Record<string, string>]> = [
      [{ "cache-control": "no-store" }, {}],
      [{ "cache-control": "max-age=60", vary: "*" }, {}],
      [{ "cache-control": "max-age=60" }, { "cache-control": "no-store" }],
      [{ "cache-control": "max-age=60" }, { range: "bytes=0-1" }],
      [{ "cache-control": "max-age=60" }, { "if-none-match": '"x"' }],
      [{}, {}],
    ];
    for (const [said, asked] of never) {
      const store = new MemoryCacheStore();
      await using cache = await cached(counting(said), { store });
      await cache.text("/", asked);
      assert.equal(await cache.text("/", asked), "answer 2", JSON.stringify([said, asked]));
      assert.equal(store.size, 0);
    }
  });

  it("uses an answer with must-revalidate while it is fresh, and never when it is stale", async (context) => {
    const pass = wallClock(context);
    await using cache = await cached(counting({ "cache-control": "max-age=60, must-revalidate, stale-if-error=600" }));
    await cache.text();
    assert.equal(await cache.text(), "answer 1");
    pass(61_000);
    assert.equal(await cache.text("/", { "cache-control": "max-stale=600" }), "answer 2");
  });

  it("asks whether a stale answer has changed, and takes the new header fields", async (context) => {
    const pass = wallClock(context);
    await using cache = await cached((request, response, count) => {
      const headers = { etag: '"v1"', "cache-control": "max-age=10", "x-count": String(count) };
      if (request.headers["if-none-match"] === '"v1"') response.writeHead(304, headers).end();
      else response.writeHead(200, headers).end("body");
    });
    await cache.text();
    pass(11_000);
    const renewed = await cache.session.get("/");
    assert.deepEqual([renewed.status, await renewed.text(), renewed.headers.get("x-count")], [200, "body", "2"]);
    assert.equal(renewed.headers.get("cache-status"), "meanwhile; fwd=stale; fwd-status=304");
    pass(5_000);
    assert.match(await cache.status(), /hit/);
    assert.equal(cache.asked.length, 2);
  });

  it("asks by date where there is no tag, and believes a 304 that says nothing else", async (context) => {
    const pass = wallClock(context);
    const date = new Date(Date.now() - 1_000).toUTCString();
    await using cache = await cached((request, response) => {
      if (request.headers["if-modified-since"] === date) response.writeHead(304).end();
      else response.writeHead(200, { "last-modified": date, "cache-control": "max-age=10" }).end("body");
    });
    await cache.text();
    pass(11_000);
    assert.equal(await cache.text(), "body");
    assert.equal(cache.asked.length, 2);
  });

  it("asks for the whole when a 304 speaks of another answer", async () => {
    await using cache = await cached((request, response, count) => {
      if (request.headers["if-none-match"] !== undefined) response.writeHead(304, { etag: '"other"' }).end();
      else response.writeHead(200, { etag: '"mine"', "cache-control": "no-cache" }).end(`answer ${count}`);
    });
    await cache.text();
    assert.equal(await cache.text(), "answer 3");
  });

  it("obeys what a request says", async (context) => {
    const pass = wallClock(context);
    await using cache = await cached(counting({ "cache-control": "max-age=60" }));
    const only = await cache.session.get("/", { headers: { "cache-control": "only-if-cached" } });
    assert.deepEqual([only.status, cache.asked.length], [504, 0]);
    await cache.text();
    assert.equal(await cache.text("/", { "cache-control": "only-if-cached" }), "answer 1");
    pass(30_000);
    assert.equal(await cache.text("/", { "cache-control": "max-age=31" }), "answer 1");
    assert.equal(await cache.text("/", { "cache-control": "min-fresh=29" }), "answer 1");
    assert.equal(await cache.text("/", { "cache-control": "max-age=29" }), "answer 2");
    assert.match(await cache.status("/", { "cache-control": "no-cache" }), /fwd=request/);
    assert.match(await cache.status("/", { "cache-control": "min-fresh=61" }), /fwd=request/);
    pass(70_000);
    assert.equal(await cache.text("/", { "cache-control": "max-stale=20" }), "answer 4");
    assert.equal(await cache.text("/", { "cache-control": "max-stale=5" }), "answer 5");
  });

  it("keeps one answer for each value of what the server varies by", async () => {
    await using cache = await cached((request, response, count) => {
      response.writeHead(200, { vary: "Accept-Language", "cache-control": "max-age=60" });
      response.end(`${request.headers["accept-language"]} ${count}`);
    });
    for (let round = 0; round < 2; round += 1) {
      assert.equal(await cache.text("/", { "accept-language": "de" }), "de 1");
      assert.equal(await cache.text("/", { "accept-language": "en" }), "en 2");
      assert.equal(await cache.text("/", { "accept-language": "fr" }), "fr 3");
    }
    assert.match(await cache.status("/", { "accept-language": "it" }), /fwd=vary-miss/);
  });

  it("never gives an answer to somebody with other credentials", async () => {
    const { Secret } = await import("@meanwhile/http");
    await using cache = await cached((request, response) => {
      response.setHeader("cache-control", "public, max-age=60");
      response.end([request.headers.authorization, request.headers.cookie, request.headers["x-key"]].join());
    });
    const asked: ReadonlyArray<[Record<string, string | InstanceType<typeof Secret>>, string]> = [
      [{ authorization: "a" }, "a,,"],
      [{ authorization: "b" }, "b,,"],
      [{ cookie: "c=1" }, ",c=1,"],
      [{ "x-key": new Secret("s") }, ",,s"],
      [{ "x-key": new Secret("t") }, ",,t"],
      [{}, ",,"],
    ];
    for (let round = 0; round < 2; round += 1) {
      for (const [headers, body] of asked) {
        assert.equal(await (await cache.session.get("/", { headers })).text(), body);
      }
    }
    assert.equal(cache.asked.length, asked.length);
  });

  it("tells the cookies of a jar apart where the server varies by them", async () => {
    const network = new MockNetwork();
    network.get("/login/:id", ({ params }) => ({ headers: { "set-cookie": `sid=${params["id"]}; Path=/` } }));
    const headers = { vary: "Cookie", "cache-control": "max-age=60" };
    network.get("/me", (request) => ({ headers, body: String(request.headers.get("cookie")) }));
    const middlewares = [httpCache(), network.middleware];
    await using session = new ClientSession({ baseUrl: "http://h.test", cookies: true, middlewares });
    for (const id of ["1", "2", "1", "2"]) {
      await (await session.get(`/login/${id}`)).text();
      assert.equal(await (await session.get("/me")).text(), `sid=${id}`);
    }
    assert.equal(network.calls.filter(({ url }) => url.pathname === "/me").length, 2);
  });

  it("forgets what a request has changed, for everybody", async () => {
    await using cache = await cached((request, response, count) => {
      response.setHeader("cache-control", "max-age=60");
      response.setHeader("vary", "accept");
      if (request.method === "POST") response.writeHead(201, { location: "/made" });
      if (request.method === "PUT") response.statusCode = 500;
      response.end(`${count}`);
    });
    for (const accept of ["x/1", "x/2"]) await cache.text("/", { accept });
    await cache.text("/made");
    await (await cache.session.put("/")).text();
    await (await cache.session.options("/")).text();
    assert.equal(await cache.text("/", { accept: "x/2" }), "2");
    await (await cache.session.post("/")).text();
    for (const accept of ["x/1", "x/2"]) assert.match(await cache.status("/", { accept }), /fwd=/);
    assert.match(await cache.status("/made"), /fwd=/);
  });

  it("stands in for a server with a problem as long as stale-if-error allows", async (context) => {
    const pass = wallClock(context);
    let mood = "well";
    await using cache = await cached((_request, response) => {
      if (mood === "gone") return response.destroy();
      response.writeHead(mood === "well" ? 200 : 503, { "cache-control": "max-age=10, stale-if-error=60" });
      return response.end(mood);
    });
    await cache.text();
    pass(20_000);
    for (mood of ["ill", "gone"]) assert.equal(await cache.text(), "well", mood);
    mood = "ill";
    assert.equal(await cache.text("/", { "cache-control": "no-cache" }), "ill");
    pass(60_000);
    assert.equal(await cache.text(), "ill");
    mood = "gone";
    await assert.rejects(cache.text(), { code: "MW_ERR_HTTP_RESET" });
  });

  it("answers HEAD from what GET has brought", async () => {
    await using cache = await cached(counting({ "cache-control": "max-age=60", "x-kept": "1" }));
    await cache.text();
    const head = await cache.session.head("/");
    assert.deepEqual([head.headers.get("x-kept"), await head.text(), cache.asked.length], ["1", "", 1]);
  });

  it("keeps a packed body packed, and unpacks it for whoever wants that", async () => {
    const packed = gzipSync("hello ".repeat(1_000));
    await using cache = await cached((_request, response) =>
      response.writeHead(200, { "cache-control": "max-age=60", "content-encoding": "gzip" }).end(packed),
    );
    assert.equal((await cache.text()).length, 6_000);
    assert.equal((await cache.text()).length, 6_000);
    const raw = await cache.session.get("/", { decompress: false });
    assert.deepEqual(Buffer.from(await raw.bytes()), packed);
    assert.equal(cache.asked.length, 1);
    await assert.rejects(async () => (await cache.session.get("/", { maxBodyBytes: 5_999 })).text(), {
      code: "MW_ERR_HTTP_BODY_TOO_LARGE",
    });
  });

  it("follows a kept redirect, and keeps no Set-Cookie", async () => {
    await using cache = await cached((request, response) => {
      response.setHeader("cache-control", "max-age=60");
      response.setHeader("set-cookie", "canary=1");
      if (request.url === "/old") response.writeHead(301, { location: "/new" });
      response.end("new");
    });
    for (let round = 0; round < 2; round += 1) assert.equal(await cache.text("/old"), "new");
    const again = await cache.session.get("/new");
    assert.deepEqual([again.headers.getSetCookie(), await again.text(), cache.asked.length], [[], "new", 2]);
  });

  it("keeps only what was read to its end", async () => {
    const part = Buffer.alloc(200_000, "x");
    const store = new MemoryCacheStore();
    const answer: Answer = async (request, response) => {
      response.setHeader("cache-control", "max-age=60");
      response.write(part);
      await sleep(2);
      if (request.url === "/broken") response.destroy();
      else response.end(part);
    };
    await using cache = await cached(answer, { store });
    for await (const chunk of (await cache.session.get("/left")).stream()) {
      assert.ok(chunk.length > 0);
      break;
    }
    await assert.rejects(cache.text("/broken"), { code: "MW_ERR_HTTP_INCOMPLETE" });
    await (await cache.session.get("/closed")).close();
    await cancelScope(async (scope) => {
      const response = await cache.session.get("/cancelled");
      scope.cancel();
      await response.text();
    });
    assert.equal(store.size, 0);
    let count = 0;
    for await (const chunk of (await cache.session.get("/whole")).stream()) count += chunk.length;
    assert.deepEqual([count, store.size], [2 * part.length, 1]);
    assert.equal((await cache.text("/whole")).length, count);
    assert.equal(cache.session.statistics().inUse, 0);
  });

  it("holds no more of a body than an entry may have", async () => {
    const store = new MemoryCacheStore({ maxEntryBytes: 1_000 });
    const answer: Answer = (request, response) => {
      response.setHeader("cache-control", "max-age=60");
      const length = Number(request.url?.slice(1));
      response.write("x".repeat(length - 1));
      setImmediate(() => response.end("x"));
    };
    await using cache = await cached(answer, { store });
    for (const length of [1_001, 1_000, 50_000]) assert.equal((await cache.text(`/${length}`)).length, length);
    assert.equal(store.size, 1);
    assert.equal((await cache.text("/1000")).length, 1_000);
    assert.equal(cache.asked.length, 3);
  });

  it("asks once for equal requests at the same time", async () => {
    await using cache = await cached(async (_request, response, count) => {
      await sleep(2);
      const body = `answer ${count} ${"x".repeat(300_000)}`;
      response.writeHead(200, { "cache-control": "max-age=60", "content-length": body.length }).end(body);
    });
    const texts = await gather(Array.from({ length: 20 }, () => async () => cache.text()));
    assert.deepEqual([new Set(texts).size, cache.asked.length], [1, 1]);
  });

  it("makes equal requests wait for no answer that cannot be shared, and not for a body of unknown length", async () => {
    await using cache = await cached(async (request, response, count) => {
      await sleep(2);
      response.setHeader("cache-control", request.url === "/own" ? "no-store" : "max-age=60");
      response.write(`${count}`);
      if (request.url === "/own") response.end();
    });
    const texts = await gather(Array.from({ length: 5 }, () => async () => cache.text("/own")));
    assert.equal(new Set(texts).size, 5);
    // Nobody reads these to the end, and all get theirs.
    const open = await gather(Array.from({ length: 3 }, () => async () => cache.session.get("/endless")));
    for (const response of open) await response.close();
    assert.equal(cache.session.statistics().inUse, 0);
  });

  it("lets the next one ask when the one who asked is cancelled or fails", async () => {
    await using cache = await cached(async (_request, response, count) => {
      if (count === 1) return;
      response.writeHead(200, { "cache-control": "max-age=60", "content-length": 8 }).end(`answer ${count}`);
    });
    await taskGroup(async (group) => {
      const first = group.createTask(() => cache.text());
      while (cache.asked.length === 0) await sleep(1);
      const others = Array.from({ length: 3 }, () => group.createTask(() => cache.text()));
      await sleep(1);
      first.cancel();
      for (const other of others) assert.equal(await other, "answer 2");
    });
    assert.equal(cache.asked.length, 2);
  });

  it("works with a store that answers later, and throws what it throws", async () => {
    const kept = new Map<string, CacheEntry>();
    const later: CacheStore = {
      get: async (key) => {
        await sleep(1);
        const entry = kept.get(key);
        // As if it had been written down.
        return entry === undefined
          ? undefined
          : { ...JSON.parse(JSON.stringify({ ...entry, body: "" })), body: entry.body };
      },
      set: async (key, entry) => {
        await sleep(1);
        kept.set(key, entry);
      },
      delete: async (key) => kept.delete(key),
      clear: async () => kept.clear(),
    };
    await using cache = await cached(counting({ "cache-control": "max-age=60", vary: "accept" }), { store: later });
    for (let round = 0; round < 2; round += 1) assert.equal(await cache.text(), "answer 1");
    await using broken = await cached(counting({}), {
      store: { ...later, get: () => Promise.reject(new RangeError("away")) },
    });
    await assert.rejects(broken.text(), RangeError);
  });

  it("asks again where an entry cannot be read", async () => {
    const store = new MemoryCacheStore();
    await using cache = await cached(counting({ "cache-control": "max-age=60" }), { store });
    await cache.text();
    const key = `GET ${cache.server.url}/`;
    store.set(key, { ...(store.get(key) as CacheEntry), policy: { v: 99 } });
    assert.equal(await cache.text(), "answer 2");
  });

  it("names a store that is none", () => {
    for (const store of [5, {}, null]) {
      assert.throws(() => httpCache({ store: store as never }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
  });
});

describe("MemoryCacheStore", () => {
  const entry = (length: number): CacheEntry => ({
    id: "1",
    vary: "",
    variant: "",
    policy: {},
    statusText: "",
    body: new Uint8Array(length),
  });

  it("drops what was not used for the longest time", () => {
    const store = new MemoryCacheStore({ maxEntries: 2 });
    store.set("a", entry(1));
    store.set("b", entry(1));
    store.get("a");
    store.set("c", entry(1));
    assert.deepEqual([store.get("a")?.id, store.get("b")?.id, store.get("c")?.id], ["1", undefined, "1"]);
    store.clear();
    assert.deepEqual([store.size, store.bytes], [0, 0]);
  });

  it("has no more bytes than it may, the small ones of many entries too", () => {
    const store = new MemoryCacheStore({ maxBytes: 100_000 });
    for (let index = 0; index < 1_000; index += 1) {
      store.set(`${index}`, entry(index % 2_000));
      assert.ok(store.bytes <= 100_000);
    }
    assert.ok(store.size < 200);
    store.set("big", entry(100_000));
    assert.equal(store.get("big"), undefined);
    for (let index = 0; index < 1_000; index += 1) store.delete(`${index}`);
    assert.deepEqual([store.size, store.bytes], [0, 0]);
  });

  it("names an option that cannot be used", () => {
    for (const name of ["maxBytes", "maxEntryBytes", "maxEntries"]) {
      assert.throws(() => new MemoryCacheStore({ [name]: -1 }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    assert.throws(() => new MemoryCacheStore(5 as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
  });
});
