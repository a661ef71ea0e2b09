import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, HttpError, type RequestOptions } from "@meanwhile/http";
import { type MockFault, MockNetwork, type MockReply } from "@meanwhile/http/testing";
import { cancelScope, fixed, isCancelled, now, sleep, timeout } from "meanwhile";
import { runTest } from "meanwhile/testing";

function mocked(options: object = {}) {
  const network = new MockNetwork();
  const session = new ClientSession({ baseUrl: "http://api.test", middlewares: [network.middleware], ...options });
  const text = async (url: string, asked: RequestOptions & { method?: string } = {}) =>
    (await session.request(asked.method ?? "GET", url, asked)).text();
  return { network, session, text, [Symbol.asyncDispose]: () => session.close() };
}

describe("MockNetwork", () => {
  it("answers with status, header fields and JSON, text, bytes or a stream", async () => {
    await using mock = mocked();
    const { network, session, text } = mock;
    network.get("/json", { status: 201, statusText: "Made", headers: { "x-a": ["1", "2"] }, json: { a: 1 } });
    const response = await session.get("/json");
    assert.deepEqual(
      [response.status, response.statusText, response.headers.get("x-a"), response.headers.get("content-type")],
      [201, "Made", "1, 2", "application/json"],
    );
    assert.deepEqual(await response.json(), { a: 1 });
    network.get("/typed", { json: 1, headers: { "Content-Type": "application/problem+json" } });
    assert.equal((await session.get("/typed")).headers.get("content-type"), "application/problem+json");
    network.get("/text", { body: "héllo" });
    network.get("/bytes", { body: new Uint8Array([104, 105]) });
    network.get("/stream", {
      body: (async function* () {
        yield "a";
        yield Buffer.from("b");
      })(),
    });
    assert.deepEqual([await text("/text"), await text("/bytes"), await text("/stream")], ["héllo", "hi", "ab"]);
    network.head("/text", { headers: { "x-a": "1" }, body: "never" });
    assert.equal(await text("/text", { method: "HEAD" }), "");
    network.delete("/empty");
    assert.deepEqual([(await session.delete("/empty")).status, session.statistics().hosts], [200, {}]);
  });

  it("matches by method, URL, header fields and body", async () => {
    await using mock = mocked();
    const { network, text } = mock;
    network.get("/users/:id", ({ params }) => ({ body: `user ${params["id"]}` }));
    network.get("http://api.test/exact?a=1", { body: "exact" });
    network.get(new URLPattern({ hostname: "*.other.test" }), { body: "pattern" });
    network.get(/\/r\d+$/, { body: "regexp" });
    network.get((url) => url.searchParams.has("chosen"), { body: "function" });
    network.get("/*", { body: "rest" });
    network.on({ headers: { "x-key": /^k/ }, body: "b", method: "post" }, { body: "both" });
    network.on({ method: "POST", body: (request) => request.json<{ a: number }>().a === 1 }, { body: "json" });
    network.put("/p", ({ text: sent }) => ({ body: `put ${sent}` }));
    network.patch("/p", { body: "patch" });
    const expected: ReadonlyArray<[string, string, (RequestOptions & { method?: string })?]> = [
      ["/users/7?x=1", "user 7"],
      ["/exact?a=1", "exact"],
      ["/exact?a=2", "rest"],
      ["http://x.other.test/", "pattern"],
      ["/deep/r12", "regexp"],
      ["/z?chosen", "function"],
      ["/post", "both", { method: "POST", body: "b", headers: { "x-key": "k1" } }],
      ["/post", "json", { method: "POST", json: { a: 1 } }],
      ["/p", "put ab", { method: "PUT", body: streamed("a", "b") }],
      ["/p", "patch", { method: "PATCH" }],
    ];
    for (const [url, body, options] of expected) assert.equal(await text(url, options), body, url);
    assert.equal(network.calls.length, expected.length);
    assert.equal(network.lastCall?.method, "PATCH");
  });

  it("answers in sequence, and records what it was asked", async () => {
    await using mock = mocked();
    const { network, text } = mock;
    const first = network.get("/a", { body: "1" }).once();
    const second = network.get("/a", { body: "2" }).times(2);
    network.get("/a", { body: "3" });
    const texts = [];
    for (let index = 0; index < 5; index += 1) texts.push(await text("/a", { headers: { "x-n": String(index) } }));
    assert.deepEqual(texts, ["1", "2", "2", "3", "3"]);
    assert.deepEqual([first.calls.length, second.lastCall?.headers.get("x-n"), first.isSpent], [1, "2", true]);
    network.assertDone();
    network.reset();
    await assert.rejects(text("/a"), { code: "MW_ERR_HTTP_NOT_MOCKED", message: /there is none/ });
  });

  it("says what there is when a request fits no route, and does not hide it", async () => {
    await using mock = mocked({ retry: 3 });
    const { network, text } = mock;
    network.get("/a").once();
    network.post("/b", { body: "x" });
    await text("/a");
    await assert.rejects(text("/a?token=canary"), (error) => {
      assert.ok(error instanceof HttpError);
      assert.equal(error.code, "MW_ERR_HTTP_NOT_MOCKED");
      assert.match(error.message, /GET \/a: asked 1 of 1 times\n {2}POST \/b: asked 0 times/);
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
    assert.throws(() => network.assertDone(), {
      name: "AssertionError",
      message: /no route: GET http:\/\/api\.test\/a$/,
    });
    assert.equal(network.unmatched.length, 1);
  });

  it("asserts that every call that was to come has come", () => {
    const network = new MockNetwork();
    network.get("/any");
    network.assertDone();
    network.get("/twice").times(2);
    assert.throws(() => network.assertDone(), { message: /missing: GET \/twice: asked 0 of 2 times/ });
  });

  it("fails as a network fails", async () => {
    await using mock = mocked();
    const faults: Readonly<Record<MockFault, [string, string]>> = {
      dns: ["MW_ERR_HTTP_DNS", "ConnectError"],
      connect: ["MW_ERR_HTTP_CONNECT", "ConnectError"],
      tls: ["MW_ERR_HTTP_TLS", "ConnectError"],
      "connect-timeout": ["MW_ERR_HTTP_CONNECT_TIMEOUT", "HttpTimeoutError"],
      timeout: ["MW_ERR_HTTP_IDLE_TIMEOUT", "HttpTimeoutError"],
      reset: ["MW_ERR_HTTP_RESET", "HttpError"],
      protocol: ["MW_ERR_HTTP_PROTOCOL", "HttpError"],
      incomplete: ["MW_ERR_HTTP_INCOMPLETE", "HttpError"],
    };
    for (const [fail, [code, name]] of Object.entries(faults)) {
      mock.network.get(`/${fail}`, { fail: fail as MockFault, body: "part" });
      await assert.rejects(mock.text(`/${fail}`), { code, name, method: "GET" });
    }
    let got = "";
    await assert.rejects(async () => {
      for await (const part of (await mock.session.get("/incomplete")).stream()) got += Buffer.from(part).toString();
    });
    assert.equal(got, "part");
  });

  it("works with retries and redirects", async () => {
    await using mock = mocked({ retry: { attempts: 3, backoff: fixed(0) } });
    const { network, session } = mock;
    network.get("/a", { fail: "reset" }).once();
    network.get("/a", { status: 503 }).once();
    network.get("/a", ({ attempt }) => ({ body: `attempt ${attempt}` }));
    const response = await session.get("/a");
    assert.deepEqual([response.attempts, await response.text()], [3, "attempt 3"]);
    network.get("/old", { status: 302, headers: { location: "http://other.test/new" } });
    network.get("http://other.test/new", ({ headers }) => ({ body: String(headers.get("authorization")) }));
    const moved = await session.get("/old", { headers: { authorization: "canary" } });
    assert.deepEqual([moved.url, await moved.text()], ["http://other.test/new", "null"]);
  });

  it("works with a cookie jar", async () => {
    await using mock = mocked({ cookies: true });
    const { network, text } = mock;
    network.get("/login", { headers: { "set-cookie": ["sid=1; Path=/", "b=2"] } });
    network.get("/me", ({ headers }) => ({ body: String(headers.get("cookie")) }));
    await text("/login");
    assert.equal(await text("/me"), "sid=1; b=2");
    assert.equal(await text("/me", { headers: { cookie: "own=1" } }), "own=1; sid=1; b=2");
    assert.equal(await text("http://api.test/me?x"), "sid=1; b=2");
  });

  it("takes the time of the clock, and ends with the timeouts of the request and of the scope", async () => {
    await runTest(async () => {
      await using mock = mocked();
      const { network, session } = mock;
      network.get("/slow", { delayMs: 5_000, body: "late" });
      network.get("/later", async () => {
        await sleep(7_000);
        return { body: "later" };
      });
      const started = now();
      assert.equal(await (await session.get("/slow")).text(), "late");
      assert.equal(await (await session.get("/later")).text(), "later");
      assert.equal(now() - started, 12_000);
      await assert.rejects(session.get("/slow", { timeouts: { idleMs: 1_000 } }), { code: "MW_ERR_HTTP_IDLE_TIMEOUT" });
      await assert.rejects(session.get("/slow", { timeouts: { totalMs: 500 } }), { code: "MW_ERR_HTTP_TOTAL_TIMEOUT" });
      await assert.rejects(
        timeout(100, () => session.get("/slow")),
        { code: "MW_ERR_TIMEOUT" },
      );
      assert.equal(now() - started, 13_600);
    });
  });

  it("obeys a cancellation", async () => {
    await using mock = mocked();
    mock.network.get("/slow", { delayMs: 60_000 });
    await cancelScope(async (scope) => {
      setImmediate(() => scope.cancel());
      await assert.rejects(mock.text("/slow"), isCancelled);
    });
  });

  it("refuses what cannot be used", () => {
    const network = new MockNetwork();
    const replies: ReadonlyArray<unknown> = [
      5,
      null,
      "text",
      { fail: "toString" },
      { delayMs: -1 },
      { json: 1, body: "x" },
    ];
    for (const reply of replies) {
      assert.throws(() => network.get("/a", reply as MockReply), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    for (const url of ["nonsense", "http://[", 5, {}]) {
      assert.throws(() => network.get(url as string), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    assert.throws(() => network.on({ headers: { a: 5 as never } }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    assert.throws(() => network.on({ body: 5 as never }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    assert.throws(() => network.get("/a").times(0), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
  });
});

async function* streamed(...parts: ReadonlyArray<string>): AsyncGenerator<string, void> {
  yield* parts;
}
