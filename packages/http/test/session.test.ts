import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { ClientSession, HttpError, StatusError } from "@meanwhile/http";

import { serve } from "./servers.ts";

const echo = () =>
  serve((request, response, body) => {
    response.setHeader("x-method", request.method ?? "");
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

describe("ClientSession", () => {
  it("asks with each method", async () => {
    await using server = await echo();
    await using session = new ClientSession({ baseUrl: server.url });
    for (const method of ["get", "options", "delete", "post", "put", "patch"] as const) {
      const { method: asked } = await (await session[method]("/")).json<Echo>();
      assert.equal(asked, method.toUpperCase());
    }
    const custom = await (await session.request("PURGE", "/")).json<Echo>();
    assert.equal(custom.method, "PURGE");
    const head = await session.head("/");
    assert.equal(head.headers.get("X-Method"), "HEAD");
    assert.equal(await head.text(), "");
  });

  it("resolves relative URLs against baseUrl and takes absolute ones as they are", async () => {
    await using server = await echo();
    await using session = new ClientSession({ baseUrl: `${server.url}/api/` });
    assert.equal((await (await session.get("users")).json<Echo>()).url, "/api/users");
    assert.equal((await (await session.get(`${server.url}/top#part`)).json<Echo>()).url, "/top");
    assert.equal((await (await session.get(new URL(`${server.url}/url`))).json<Echo>()).url, "/url");
  });

  it("adds params to the query", async () => {
    await using server = await echo();
    await using session = new ClientSession({ baseUrl: server.url });
    const ask = async (params: object, url = "/") =>
      (await (await session.get(url, { params: params as never })).json<Echo>()).url;
    assert.equal(
      await ask({ q: "a b&c", n: 1, list: ["x", "y"], none: undefined, yes: true }),
      "/?q=a+b%26c&n=1&list=x&list=y&yes=true",
    );
    assert.equal(await ask({ b: 2 }, "/?a=1"), "/?a=1&b=2");
    assert.equal(await ask(new URLSearchParams("x=1&x=2")), "/?x=1&x=2");
    assert.equal(await ask([["k", "v"]]), "/?k=v");
    assert.equal(await ask({}), "/");
  });

  it("sends json, form, text, bytes and a stream", async () => {
    await using server = await echo();
    await using session = new ClientSession({ baseUrl: server.url });
    const send = async (options: object) => (await session.post("/", options)).json<Echo>();
    const json = await send({ json: { a: [1, "é"] } });
    assert.deepEqual([json.headers["content-type"], json.body], ["application/json", '{"a":[1,"é"]}']);
    const form = await send({ form: { a: "1 2", b: ["x", "y"] } });
    assert.deepEqual(
      [form.headers["content-type"], form.body],
      ["application/x-www-form-urlencoded;charset=UTF-8", "a=1+2&b=x&b=y"],
    );
    const text = await send({ body: "hellö" });
    assert.deepEqual([text.headers["content-type"], text.body], ["text/plain;charset=UTF-8", "hellö"]);
    const bytes = await send({ body: new Uint8Array([104, 105]), headers: { "Content-Type": "x/y" } });
    assert.deepEqual([bytes.headers["content-type"], bytes.headers["content-length"], bytes.body], ["x/y", "2", "hi"]);
    const stream = await send({
      body: (async function* () {
        yield "a";
        yield Buffer.from("b");
      })(),
    });
    assert.deepEqual([stream.headers["transfer-encoding"], stream.body], ["chunked", "ab"]);
    const empty = await send({ body: (async function* () {})() });
    assert.equal(empty.body, "");
  });

  it("lets the header fields of a request replace those of the session", async () => {
    await using server = await echo();
    await using session = new ClientSession({
      baseUrl: server.url,
      headers: { "X-A": "1", "X-B": "1" },
      userAgent: "tests",
    });
    const headers = new Headers({ "x-b": "2" });
    headers.append("x-c", "3");
    const seen = (await (await session.get("/", { headers })).json<Echo>()).headers;
    assert.deepEqual([seen["x-a"], seen["x-b"], seen["x-c"], seen["user-agent"]], ["1", "2", "3", "tests"]);
    const without = (await (await session.get("/", { headers: { "X-A": undefined } })).json<Echo>()).headers;
    assert.equal(without["x-a"], undefined);
  });

  it("makes basic auth of the userinfo, unless Authorization is given", async () => {
    await using server = await echo();
    const withUser = server.url.replace("//", "//us%40er:p%C3%A4ss@");
    await using session = new ClientSession({ baseUrl: withUser });
    const { headers } = await (await session.get("/x")).json<Echo>();
    assert.equal(Buffer.from(headers["authorization"]?.slice(6) ?? "", "base64").toString(), "us@er:päss");
    const own = await session.get(withUser, { headers: { authorization: "Bearer t" } });
    assert.equal((await own.json<Echo>()).headers["authorization"], "Bearer t");
    assert.equal(own.url, `${server.url}/`);
  });

  it("gives status, headers, url and the body in each form", async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(201, "Made", {
        "Content-Type": "text/plain",
        "Set-Cookie": ["a=1", "b=2"],
        "X-Two": ["1", "2"],
      });
      response.end("héllo");
    });
    await using session = new ClientSession();
    const response = await session.get(`${server.url}/p?q=1`);
    assert.deepEqual(
      [response.status, response.statusText, response.ok, response.url],
      [201, "Made", true, `${server.url}/p?q=1`],
    );
    assert.deepEqual([response.redirects, response.attempts, response.bodyUsed], [[], 1, false]);
    const { headers } = response;
    assert.deepEqual(
      [headers.get("x-two"), headers.has("nope"), headers.get("nope"), headers.get("constructor")],
      ["1, 2", false, null, null],
    );
    assert.deepEqual(headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(new Map(headers).get("content-type"), "text/plain");
    assert.deepEqual([...headers.keys()].length, [...headers.values()].length);
    headers.forEach((value, name, all) => assert.equal(all.get(name), value));
    assert.equal(await response.text(), "héllo");
    assert.deepEqual(await (await session.get(server.url)).bytes(), new TextEncoder().encode("héllo"));
    const parts: Uint8Array[] = [];
    for await (const part of (await session.get(server.url)).stream()) parts.push(part);
    assert.equal(Buffer.concat(parts).toString(), "héllo");
  });

  it("says where the answer came from, and how many bytes came before they were unpacked", async () => {
    const body = Buffer.alloc(10_000, "x");
    await using server = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(body));
    });
    await using session = new ClientSession();
    const response = await session.get(server.url);
    assert.equal((await response.bytes()).length, body.length);
    assert.deepEqual([response.remoteAddress, response.wireBytes], ["127.0.0.1", gzipSync(body).length]);
    const made = await session.get("http://example.test/", {
      middlewares: [(request) => request.respond({ body: "hi" })],
    });
    assert.deepEqual([await made.text(), made.remoteAddress, made.wireBytes], ["hi", undefined, 2]);
  });

  it("reads text by the charset of its type, and without byte order mark", async () => {
    await using server = await serve((request, response) => {
      response.setHeader("content-type", `text/plain; charset=${request.url?.slice(1) ?? ""}`);
      response.end(request.url === "/utf-8" ? "\ufeffé" : Buffer.from([0xe9]));
    });
    await using session = new ClientSession({ baseUrl: server.url });
    assert.equal(await (await session.get("/utf-8")).text(), "é");
    assert.equal(await (await session.get("/iso-8859-1")).text(), "é");
    assert.equal(await (await session.get("/unheard-of")).text(), "\ufffd");
  });

  it("says so if the body is read twice, or after close()", async () => {
    await using server = await echo();
    await using session = new ClientSession({ baseUrl: server.url });
    const response = await session.get("/");
    await response.text();
    await assert.rejects(response.json(), { code: "MW_ERR_HTTP_BODY_USED", message: /read before/ });
    assert.throws(() => response.stream(), { code: "MW_ERR_HTTP_BODY_USED" });
    const closed = await session.get("/");
    await closed.close();
    await closed.close();
    await assert.rejects(closed.text(), { code: "MW_ERR_HTTP_BODY_USED", message: /was closed/ });
  });

  it("says where a body is not JSON, without quoting it", async () => {
    await using server = await serve((_request, response) => response.end('{"a": canary}'));
    await using session = new ClientSession();
    await assert.rejects((await session.get(server.url)).json(), (error) => {
      assert.ok(error instanceof HttpError);
      assert.equal(error.code, "MW_ERR_HTTP_INVALID_JSON");
      assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /canary/);
      return true;
    });
  });

  it("raises for a status of 400 or above only if asked, and frees the slot", async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(503, { "Retry-After": "7" });
      response.write("x");
    });
    await using session = new ClientSession({ baseUrl: server.url });
    const response = await session.get("/");
    assert.deepEqual([response.status, response.ok], [503, false]);
    assert.throws(
      () => response.raiseForStatus(),
      (error) => error instanceof StatusError && error.status === 503 && error.retryAfterMs === 7_000,
    );
    await assert.rejects(session.get("/", { raiseForStatus: true }), {
      code: "MW_ERR_HTTP_STATUS",
      message: /503 Service Unavailable/,
    });
    assert.equal(session.statistics().inUse, 0);
  });

  it("names what it could not connect to", async () => {
    await using session = new ClientSession();
    const { deadUrl } = await import("./servers.ts");
    await assert.rejects(session.get(await deadUrl()), {
      name: "ConnectError",
      code: "MW_ERR_HTTP_CONNECT",
      message: /ECONNREFUSED/,
    });
    await assert.rejects(session.get("http://no-such-host.invalid/"), {
      name: "ConnectError",
      code: "MW_ERR_HTTP_DNS",
    });
    await using plain = await serve((_request, response) => response.end());
    await assert.rejects(session.get(plain.url.replace("http", "https")), {
      name: "ConnectError",
      code: "MW_ERR_HTTP_TLS",
    });
    assert.deepEqual(session.statistics().hosts, {});
  });
});
