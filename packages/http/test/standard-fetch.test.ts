import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { ClientSession, HttpError } from "@meanwhile/http";
import { isCancelled, moveOnAfter, sleep } from "meanwhile";

import { deadUrl, onEachHead, serveAtOnce, serveRaw, type TestServer } from "./servers.ts";

const TEXT = "the same for everybody";
const DIGEST = createHash("sha384").update(TEXT).digest("base64");

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): unknown {
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const status = Number(path.slice(1, 4));
  if (path.startsWith("/echo")) {
    const { headers, method } = request;
    // A boundary is as long as its maker likes.
    const [type, boundary] = (headers["content-type"] ?? "").split(";");
    const text = boundary?.includes("boundary=") === true ? "a form" : body.toString();
    return response.end(JSON.stringify({ method, type, own: headers["x-own"], text }));
  }
  if (path === "/text") return response.setHeader("content-type", "text/plain").end(TEXT);
  if (path === "/gzip") return response.setHeader("content-encoding", "gzip").end(gzipSync(TEXT));
  if (path === "/cookies") return response.setHeader("set-cookie", ["a=1", "b=2"]).setHeader("x-two", ["1", "2"]).end();
  if (path === "/cut") return response.writeHead(200, { "content-length": 9 }).write("cut", () => request.socket.end());
  if (path === "/drop") return request.socket.destroy();
  if (path === "/loop") return response.writeHead(302, { location: `/loop?${query}x` }).end();
  if (query !== "") return response.writeHead(status, { location: query }).end();
  return response.writeHead(status, "Own Words").end(`${status}`.startsWith("2") ? "" : "body");
}

const serve = (): Promise<TestServer> =>
  serveAtOnce((request, response) => {
    buffer(request).then(
      (body) => answer(request, response, body),
      () => {},
    );
  });

function form(): FormData {
  const made = new FormData();
  made.append("a", "1");
  return made;
}

type Body = NonNullable<RequestInit["body"]>;

const post = (body: Body, more: RequestInit = {}): RequestInit => ({ method: "POST", body, ...more });

/** Each is a path and an init; a function makes what can be used only once. */
const CASES: ReadonlyArray<readonly [string, (() => RequestInit)?]> = [
  ["/text"],
  ["/text#fragment"],
  ["/gzip"],
  ["/cookies"],
  ["/echo", () => ({ headers: { "X-Own": "1" } })],
  [
    "/echo",
    () => ({
      headers: new Headers([
        ["x-own", "a"],
        ["x-own", "b"],
      ]),
    }),
  ],
  ["/echo", () => ({ method: "put", body: "text" })],
  ["/echo", () => ({ method: "HEAD" })],
  ["/echo", () => ({ method: "DELETE" })],
  ["/echo", () => ({ method: "POST" })],
  ["/echo", () => post("text")],
  ["/echo", () => post("text", { headers: { "content-type": "x/y" } })],
  ["/echo", () => post(new URLSearchParams({ a: "1" }))],
  ["/echo", () => post(new Uint8Array(5))],
  ["/echo", () => post(new Uint8Array(5).buffer)],
  ["/echo", () => post(new DataView(new ArrayBuffer(5), 1, 3))],
  ["/echo", () => post(new Blob(["b"], { type: "x/y" }))],
  ["/echo-form", () => post(new Blob([]))],
  ["/echo", () => post(ReadableStream.from([Buffer.from("a")]) as Body, { duplex: "half" })],
  ["/echo", () => post(ReadableStream.from([Buffer.from("a")]) as Body)],
  ["/echo", () => ({ body: "GET has none" })],
  ["/echo", () => ({ method: "CONNECT" })],
  ["/echo", () => ({ method: "BAD METHOD" })],
  ["/echo", () => ({ headers: { "bad name": "1" } })],
  ["/204"],
  ["/205"],
  ["/304"],
  ["/404"],
  ["/500"],
  ["/301?/text"],
  ["/302?/301?/text"],
  ["/303?/echo", () => post("text")],
  ["/302?/echo", () => post("text")],
  ["/307?/echo", () => post("text")],
  ["/308?/echo", () => post(form())],
  ["/307?/echo", () => post(ReadableStream.from([Buffer.from("a")]) as Body, { duplex: "half" })],
  ["/302?/text", () => ({ redirect: "manual" })],
  ["/302?/text", () => ({ redirect: "error" })],
  ["/302?ftp://127.0.0.1/"],
  ["/302"],
  ["/loop?"],
  ["/cut"],
  ["/drop"],
  ["/text", () => ({ integrity: `sha384-${DIGEST}` })],
  ["/text", () => ({ integrity: `sha256-AAAA sha384-${DIGEST}` })],
  ["/text", () => ({ integrity: "sha384-AAAA" })],
  ["/text", () => ({ integrity: "md5-AAAA" })],
  ["/text", () => ({ signal: AbortSignal.abort(new RangeError("before")) })],
  ["/text", () => ({ signal: AbortSignal.abort() })],
  ["/text", () => ({ redirect: "sideways" as never })],
];

const OURS_ALONE = new Set(["connection", "date", "keep-alive"]);

type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** All that can be seen of a fetch. */
async function seen(call: Fetch, url: string, init: RequestInit | undefined): Promise<unknown> {
  try {
    const response = await call(url, init);
    const { status, statusText, ok, redirected, type } = response;
    const headers = [...response.headers].filter(([name]) => !OURS_ALONE.has(name));
    const hasBody = response.body !== null;
    const facts = { status, statusText, ok, redirected, type, url: response.url, headers, hasBody };
    return { ...facts, cookies: response.headers.getSetCookie(), body: await response.text().catch(nameOf) };
  } catch (error) {
    return nameOf(error);
  }
}

function nameOf(error: unknown): string {
  assert.ok(error instanceof Error);
  return `${error.constructor.name} ${error.name}`;
}

describe("session.fetch is like the global fetch", () => {
  for (const [path, init] of CASES) {
    const shown = init === undefined ? "" : ` with ${String(init).slice(6)}`;
    it(`at ${path}${shown}`, async () => {
      await using server = await serve();
      await using session = new ClientSession({ maxRedirects: 20 });
      const ours = await seen((url, given) => session.fetch(url, given), server.url + path, init?.());
      const theirs = await seen(fetch, server.url + path, init?.());
      assert.deepEqual(ours, theirs);
      assert.equal(session.statistics().inUse, 0);
    });
  }

  for (const url of ["not a URL", "http://user:pass@127.0.0.1/", "ftp://127.0.0.1/", "http://127.0.0.1:99999/"]) {
    it(`for the URL ${url}`, async () => {
      await using session = new ClientSession();
      const ours = await seen((one) => session.fetch(one), url, undefined);
      assert.equal(ours, await seen(fetch, url, undefined));
    });
  }

  it("where nobody listens", async () => {
    await using session = new ClientSession();
    const url = await deadUrl();
    assert.equal(await seen((one) => session.fetch(one), url, undefined), await seen(fetch, url, undefined));
  });

  it("with a Request, and with an init that changes it", async () => {
    await using server = await serve();
    await using session = new ClientSession();
    const request = (): Request => new Request(`${server.url}/echo`, post("text", { headers: { "x-own": "1" } }));
    const inits: ReadonlyArray<RequestInit> = [{}, { body: "other" }, { headers: { "x-own": "2" } }];
    for (const init of inits) {
      const given = request();
      const ours: unknown = await (await session.fetch(given, init)).json();
      assert.deepEqual(ours, await (await fetch(request(), init)).json());
      const other = request();
      await fetch(other, init);
      assert.equal(given.bodyUsed, other.bodyUsed);
    }
    assert.equal(session.statistics().inUse, 0);
  });
});

/** Sends a head and a first chunk, and then nothing. */
const halting = (): Promise<TestServer> =>
  serveRaw((socket) => {
    onEachHead(socket, () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin"));
  });

const silent = (): Promise<TestServer> => serveRaw((socket) => socket.resume());

describe("session.fetch", () => {
  it("resolves a relative URL against the baseUrl of its session", async () => {
    await using server = await serve();
    await using session = new ClientSession({ baseUrl: server.url });
    const response = await session.fetch("/text");
    assert.deepEqual([response.url, await response.text()], [`${server.url}/text`, TEXT]);
    const clone = (await session.fetch("/301?/text")).clone();
    assert.deepEqual([clone.url, clone.redirected, await clone.text()], [`${server.url}/text`, true, TEXT]);
  });

  it("fails with a TypeError whose cause is the HttpError", async () => {
    await using server = await serve();
    await using session = new ClientSession({ baseUrl: server.url, raiseForStatus: true });
    await assert.rejects(session.fetch("/drop"), (error) => {
      assert.ok(error instanceof TypeError && error.cause instanceof HttpError);
      assert.equal(error.message, "fetch failed");
      assert.equal(error.cause.code, "MW_ERR_HTTP_RESET");
      return true;
    });
    await assert.rejects(session.fetch("/text", { integrity: "sha512-AAAA" }), (error) => {
      assert.ok(error instanceof TypeError && error.cause instanceof HttpError);
      assert.equal(error.cause.code, "MW_ERR_HTTP_CHECKSUM");
      return true;
    });
    assert.equal((await session.fetch("/404")).status, 404);
    const cut = await session.fetch("/cut");
    await assert.rejects(cut.text(), (error) => {
      assert.ok(error instanceof TypeError && error.cause instanceof HttpError);
      assert.deepEqual([error.message, error.cause.code], ["terminated", "MW_ERR_HTTP_INCOMPLETE"]);
      return true;
    });
  });

  it("rejects with the reason of the signal and frees the connection, before the head and after it", async () => {
    await using server = await silent();
    await using half = await halting();
    await using session = new ClientSession();
    const reason = new RangeError("enough");
    const early = new AbortController();
    const waiting = session.fetch(server.url, { signal: early.signal });
    while (server.sockets.length === 0) await sleep(1);
    early.abort(reason);
    await assert.rejects(waiting, reason);
    assert.equal(session.statistics().inUse, 0);
    const late = new AbortController();
    const response = await session.fetch(half.url, { signal: late.signal });
    const reading = response.text();
    late.abort(reason);
    await assert.rejects(reading, reason);
    assert.equal(session.statistics().inUse, 0);
    await half.allClosed();
  });

  it("leaves no listener on the signal behind", async () => {
    await using server = await serve();
    await using session = new ClientSession({ baseUrl: server.url });
    const { signal } = new AbortController();
    let count = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      count += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      count -= 1;
      remove(...args);
    };
    await (await session.fetch("/text", { signal })).text();
    await session.fetch("/204", { signal });
    await (await session.fetch("/text", { signal })).body?.cancel();
    await assert.rejects(session.fetch("/drop", { signal }), TypeError);
    assert.equal(count, 0);
  });

  it("closes the connection when its body is cancelled", async () => {
    await using server = await halting();
    await using session = new ClientSession();
    const response = await session.fetch(server.url);
    await response.body?.cancel();
    assert.equal(session.statistics().inUse, 0);
    await server.allClosed();
  });

  it("obeys the scope around the call, and the scope around the reader", async () => {
    await using server = await silent();
    await using half = await halting();
    await using session = new ClientSession();
    assert.equal(await moveOnAfter(20, () => session.fetch(server.url)), undefined);
    const response = await session.fetch(half.url);
    let wasCancelled = false;
    await moveOnAfter(20, async () => {
      try {
        await response.text();
      } catch (error) {
        wasCancelled = isCancelled(error);
        throw error;
      }
    });
    assert.equal(wasCancelled, true);
    assert.equal(session.statistics().inUse, 0);
    await half.allClosed();
  });

  it("reads only as fast as the body is read", async () => {
    let sent = 0;
    await using server = await serveAtOnce((_request, response) => {
      const write = (): void => {
        while (sent < 64_000_000 && !response.destroyed) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536))) break;
        }
      };
      response.on("drain", write);
      write();
    });
    await using session = new ClientSession();
    const response = await session.fetch(server.url);
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    assert.ok(value instanceof Uint8Array && value.length > 0);
    await sleep(100);
    assert.ok(sent < 32_000_000, `${sent}`);
    await reader?.cancel();
    assert.equal(session.statistics().inUse, 0);
  });

  it("gives a body that a reader with its own buffer can read", async () => {
    await using server = await serve();
    await using session = new ClientSession({ baseUrl: server.url });
    const reader = (await session.fetch("/text")).body?.getReader({ mode: "byob" });
    let text = "";
    for (;;) {
      const { done, value } = (await reader?.read(new Uint8Array(4))) ?? { done: true, value: undefined };
      if (done) break;
      text += Buffer.from(value).toString();
    }
    assert.equal(text, TEXT);
  });

  it("tries again only if the session does", async () => {
    let asked = 0;
    await using server = await serveAtOnce((_request, response) => {
      asked += 1;
      response.writeHead(asked === 1 ? 503 : 200).end();
    });
    await using session = new ClientSession({ baseUrl: server.url });
    assert.equal((await session.fetch("/")).status, 503);
    asked = 0;
    await using retrying = new ClientSession({ baseUrl: server.url, retry: { attempts: 2, backoff: () => 0 } });
    assert.equal((await retrying.fetch("/")).status, 200);
  });

  it("gives a status that no Response can be made with", async () => {
    await using server = await serveRaw((socket) =>
      onEachHead(socket, () => socket.write("HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok")),
    );
    await using session = new ClientSession();
    const response = await session.fetch(server.url);
    assert.deepEqual([response.status, response.ok, await response.text()], [999, false, "ok"]);
  });
});

describe("session.fetch() and odd answers", () => {
  it("takes any reason phrase, and leaks no slot", async () => {
    const phrases = ["Größe \u{1f600}", "tab\there", "bell\u0007", ""];
    for (const phrase of phrases) {
      await using server = await serveRaw((socket) => {
        onEachHead(socket, () => socket.write(`HTTP/1.1 200 ${phrase}\r\nContent-Length: 2\r\n\r\nok`));
      });
      await using session = new ClientSession({ limit: 1, timeouts: { poolMs: 500 } });
      const wanted = (await session.get(server.url)).statusText;
      await session.close();
      await using again = new ClientSession({ limit: 1, timeouts: { poolMs: 500 } });
      for (let turn = 0; turn < 2; turn += 1) {
        const response = await again.fetch(server.url);
        assert.equal(response.statusText, wanted);
        assert.equal(response.clone().statusText, wanted);
        assert.equal(await response.text(), "ok");
      }
      assert.equal(again.statistics().inUse, 0);
    }
  });
});
