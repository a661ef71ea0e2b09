import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  ClientSession,
  HttpError,
  type Middleware,
  type RequestOptions,
  Secret,
  type SessionOptions,
} from "@meanwhile/http";

import { serve } from "./servers.ts";

const EVIL = ["\r\nX-Evil: 1", "\n", "\r", "\0", "\u0001", "\u007f", "\u2028", "\u{1f600}"];

describe("what cannot be sent", () => {
  it("is refused before any byte is sent", async () => {
    await using server = await serve((_request, response) => response.end());
    await using session = new ClientSession({ baseUrl: server.url });
    const refused = async (call: Promise<unknown>, what: string) => {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof HttpError, `${what}: ${String(error)}`);
        assert.match(error.code, /^MW_ERR_HTTP_INVALID_(ARGUMENT|HEADER|URL)$/);
        assert.equal(error.attempts, 0);
        assert.doesNotMatch(error.message, /[\r\n\0]|Evil: 1$/);
        return true;
      });
    };
    for (const evil of EVIL) {
      const shown = JSON.stringify(evil);
      await refused(session.get("/", { headers: { [`X-A${evil}`]: "1" } }), `name ${shown}`);
      await refused(session.get("/", { headers: { "X-A": `1${evil}` } }), `value ${shown}`);
      await refused(session.get("/", { headers: [["X-A", `1${evil}`]] }), `pair ${shown}`);
      await refused(session.request(`GET${evil}`, "/"), `method ${shown}`);
      assert.throws(() => new ClientSession({ userAgent: evil }), { code: "MW_ERR_HTTP_INVALID_HEADER" });
      assert.throws(() => new ClientSession({ headers: { a: evil } }), { code: "MW_ERR_HTTP_INVALID_HEADER" });
    }
    for (const evil of EVIL.slice(0, 6)) await refused(session.get(`/a${evil}b`), `url ${JSON.stringify(evil)}`);
    for (const name of ["Transfer-Encoding", "connection", "Upgrade", "Expect", "Keep-Alive", "", "a b", "a:"]) {
      await refused(session.get("/", { headers: { [name]: "chunked" } }), name);
    }
    for (const method of ["", "GET /", "CONNECT", "connect"]) await refused(session.request(method, "/"), method);
    assert.equal(server.sockets.length, 0);
    // What a query may hold is encoded, not refused.
    assert.equal((await session.get("/", { params: { evil: "\r\n\0" } })).url, `${server.url}/?evil=%0D%0A%00`);
  });

  it("names a URL that is none", async () => {
    await using session = new ClientSession();
    for (const url of [
      "",
      "/relative",
      "http://",
      "http://h:99999/",
      "ftp://h/",
      "file:///etc/passwd",
      "data:,x",
      "http://u:%ff@h/",
    ]) {
      await assert.rejects(session.get(url), { code: "MW_ERR_HTTP_INVALID_URL", attempts: 0 }, url);
    }
  });

  it("names the option that has a wrong type or value", async () => {
    await using session = new ClientSession({ baseUrl: "http://127.0.0.1:1" });
    const bad: ReadonlyArray<[RegExp, unknown]> = [
      [/'timeouts'/, { timeouts: 5 }],
      [/'totalMs'/, { timeouts: { totalMs: 0 } }],
      [/'idleMs'/, { timeouts: { idleMs: Number.NaN } }],
      [/'poolMs'/, { timeouts: { poolMs: "5" } }],
      [/'maxBodyBytes'/, { maxBodyBytes: -1 }],
      [/'maxRedirects'/, { maxRedirects: 1.5 }],
      [/'raiseForStatus'/, { raiseForStatus: "yes" }],
      [/'decompress'/, { decompress: 1 }],
      [/'allowDowngrade'/, { allowDowngrade: 1 }],
      [/'retry'/, { retry: "3" }],
      [/'retry.attempts'/, { retry: 0 }],
      [/'retry.totalMs'/, { retry: { totalMs: -1 } }],
      [/'retry.maxRetryAfterMs'/, { retry: { maxRetryAfterMs: -1 } }],
      [/'retry.backoff'/, { retry: { backoff: 5 } }],
      [/'retry.methods'/, { retry: { methods: "GET" } }],
      [/'headers'/, { headers: "a: b" }],
      [/'headers.a'/, { headers: { a: {} } }],
      [/'params'/, { params: 5 }],
      [/'params.a'/, { params: { a: {} } }],
      [/'form'/, { form: "a=b" }],
      [/'body'/, { body: 5 }],
      [/'body'/, { body: "x", json: 1 }],
      [/'json'/, { json: () => {} }],
      [/'json'/, { json: 1n }],
    ];
    for (const [name, options] of bad) {
      await assert.rejects(session.post("/", options as RequestOptions), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
        message: name,
        attempts: 0,
      });
    }
    await assert.rejects(session.get(5 as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT", message: /'url'/ });
    await assert.rejects(session.request(5 as never, "/"), {
      code: "MW_ERR_HTTP_INVALID_ARGUMENT",
      message: /'method'/,
    });
  });

  it("names the option of a session too", () => {
    const bad: ReadonlyArray<[RegExp, unknown]> = [
      [/'limit'/, { limit: 0 }],
      [/'limitPerHost'/, { limitPerHost: 0.5 }],
      [/'maxHeaderBytes'/, { maxHeaderBytes: Infinity }],
      [/'maxHeaderCount'/, { maxHeaderCount: 0 }],
      [/'retry'/, { retry: "3" }],
      [/'options'/, 5],
    ];
    for (const [message, options] of bad) {
      assert.throws(() => new ClientSession(options as SessionOptions), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
        message,
      });
    }
    assert.throws(() => new ClientSession({ baseUrl: "nowhere" }), { code: "MW_ERR_HTTP_INVALID_URL" });
    assert.throws(() => new ClientSession({ headers: { upgrade: "x" } }), { code: "MW_ERR_HTTP_INVALID_HEADER" });
  });

  it("says where a header field for the proxy belongs", async () => {
    await using server = await serve((_request, response) => response.end());
    await using session = new ClientSession({ baseUrl: server.url });
    const refused = { code: "MW_ERR_HTTP_INVALID_HEADER", attempts: 0, message: /pass proxy: \{ url, headers \}/ };
    const headers = { "Proxy-Authorization": "Basic eDp5" };
    assert.throws(() => new ClientSession({ headers }), refused);
    await assert.rejects(session.get("/", { headers }), refused);
    const adding: Middleware = (request, next) => next(request.with({ headers }));
    await assert.rejects(session.get("/", { middlewares: [adding] }), refused);
    await new ClientSession({ proxy: { url: server.url, headers } }).close();
    assert.equal(server.sockets.length, 0);
  });

  it("names a Content-Length that is not the size of the body", async () => {
    await using server = await serve((request, response, body) => {
      response.end(`${request.headers["content-length"]} ${body}`);
    });
    await using session = new ClientSession({ baseUrl: server.url });
    const refused = { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0, message: /'headers\.content-length'/ };
    const wrong: ReadonlyArray<[string, RequestOptions["body"]]> = [
      ["3", "four"],
      ["5", "four"],
      ["4", Buffer.from("fives")],
      ["4", new Blob(["fives"])],
      ["1", undefined],
      ["x", "four"],
      ["-1", "four"],
      ["4, 4", "four"],
      ["1e3", (async function* () {})()],
    ];
    for (const [length, body] of wrong) {
      await assert.rejects(session.post("/", { headers: { "content-length": length }, body }), refused, length);
    }
    await assert.rejects(session.post("/", { headers: { "content-length": ["4", "4"] }, body: "four" }), refused);
    assert.equal(server.sockets.length, 0);
    const right = await session.post("/", { headers: { "content-length": 5 }, body: "fünf" });
    assert.equal(await right.text(), "5 fünf");
    // A middleware that sends another body need not know of it.
    const other: Middleware = (request, next) => next(request.with({ body: "another" }));
    const changed = await session.post("/", {
      headers: { "content-length": 4 },
      body: "four",
      middlewares: [other],
    });
    assert.equal(await changed.text(), "7 another");
  });

  it("is a Secret in JSON, or one of nothing", async () => {
    await using session = new ClientSession({ baseUrl: "http://127.0.0.1:1" });
    const refused = { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0, message: /reveal\(\)/ };
    const key = new Secret("canary");
    for (const json of [key, { key }, { list: [{ deep: { key } }] }, [key]]) {
      await assert.rejects(session.post("/", { json }), refused);
    }
    const echo: Middleware = (request) => request.respond({ body: String(request.body) });
    const kept = await session.post("/", { json: { text: "Secret(***)" }, middlewares: [echo] });
    assert.equal(await kept.text(), '{"text":"Secret(***)"}');
    for (const value of [undefined, null, 5, {}, key]) {
      assert.throws(() => new Secret(value as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT", message: /'value'/ });
    }
  });
});
