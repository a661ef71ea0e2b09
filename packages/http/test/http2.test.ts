import assert from "node:assert/strict";
import { once } from "node:events";
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { createServer as createTlsServer } from "node:tls";

import { ClientSession, type SessionOptions, type TraceEvent } from "@meanwhile/http";
import { createTask, fixed, gather, moveOnAfter, run, sleep } from "meanwhile";

import { CA, SERVER, serveSecure } from "./certificates.ts";
import { serveHttpProxy } from "./proxy-servers.ts";
import { serveRaw } from "./servers.ts";

interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly sockets: Socket[];
  readonly sessions: ServerHttp2Session[];
  allClosed(): Promise<void>;
}

type Talk = (stream: ServerHttp2Stream, path: string, method: string) => unknown;

/** An HTTP/2 server on 127.0.0.1. */
async function serve(
  talk: Talk,
  options: SecureServerOptions = {},
): Promise<TestServer & { readonly server: Http2SecureServer }> {
  const server = createSecureServer({ ...SERVER, ...options });
  const sockets: Socket[] = [];
  const sessions: ServerHttp2Session[] = [];
  server.on("secureConnection", (socket: Socket) => sockets.push(socket));
  server.on("session", (session) => {
    session.on("error", () => {});
    sessions.push(session);
  });
  server.on("sessionError", () => {});
  server.on("tlsClientError", () => {});
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    talk(stream, String(headers[":path"]), String(headers[":method"]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const allClosed = async (): Promise<void> => {
    const alive = sockets.filter((socket) => !socket.closed);
    await Promise.all(alive.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
  };
  return {
    url: `https://127.0.0.1:${port}`,
    sockets,
    sessions,
    server,
    allClosed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const ok: Talk = (stream, path) => {
  stream.respond({ ":status": 200 });
  stream.end(path);
};

const client = (options: SessionOptions = {}): ClientSession =>
  new ClientSession({ http2: true, tls: { ca: CA }, ...options });

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const fetchAll = (session: ClientSession, url: string, count: number): Promise<string[]> =>
  Promise.all(numbers(count).map(async (index) => (await session.get(`${url}/${index}`)).text()));

const paths = (count: number): string[] => numbers(count).map((index) => `/${index}`);

describe("A session with http2", () => {
  it("sends a hundred requests at once over one connection, and keeps it", async () => {
    await using server = await serve(ok);
    await using session = client();
    assert.deepEqual(await fetchAll(session, server.url, 100), paths(100));
    assert.deepEqual(await fetchAll(session, server.url, 100), paths(100));
    assert.equal(server.sockets.length, 1);
    const { inUse, idle, waiting } = session.statistics();
    assert.deepEqual([inUse, idle, waiting], [0, 1, 0]);
  });

  it("has no more streams on a connection than the server allows", async () => {
    let now = 0;
    let most = 0;
    await using server = await serve(
      async (stream, path) => {
        now += 1;
        most = Math.max(most, now / server.sockets.length);
        stream.once("close", () => (now -= 1));
        await new Promise((resolve) => setImmediate(resolve));
        ok(stream, path, "GET");
      },
      { settings: { maxConcurrentStreams: 3 } },
    );
    await using session = client({ limit: 20 });
    assert.deepEqual(await fetchAll(session, server.url, 100), paths(100));
    assert.ok(most <= 3, `${most}`);
    assert.ok(server.sockets.length <= 7, `${server.sockets.length}`);
    assert.equal(session.statistics().inUse, 0);
  });

  it("falls back to HTTP/1.1 where the server wants that", async () => {
    await using server = await serveSecure((request, response) => response.end(request.httpVersion + request.url));
    const events: TraceEvent[] = [];
    await using session = client({ limit: 5, trace: (event) => events.push(event) });
    assert.deepEqual(
      await fetchAll(session, server.url, 20),
      paths(20).map((path) => `1.1${path}`),
    );
    assert.ok(server.sockets.length <= 5, `${server.sockets.length}`);
    assert.equal(session.statistics().idle, server.sockets.length);
    assert.ok(events.every(({ protocol }) => protocol !== "h2"));
    await using alone = client({ keepAlive: false });
    assert.equal(await (await alone.get(`${server.url}/x`)).text(), "1.1/x");
    await session.close();
    await server.allClosed();
  });

  it("speaks HTTP/1.1 without the option, also to a server that knows both", async () => {
    await using server = await serve(ok, { allowHTTP1: true });
    server.server.on("request", (request, response) => {
      if (request.httpVersion === "1.1") response.end("old");
    });
    await using session = client({ http2: false });
    assert.equal(await (await session.get(server.url)).text(), "old");
    assert.throws(() => client({ http2: "yes" as unknown as boolean }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
  });

  it("tells its trace which protocol it is, and of one connection only", async () => {
    const events: TraceEvent[] = [];
    await using server = await serve(ok);
    await using session = client({ trace: (event) => events.push(event) });
    await (await session.get(server.url)).text();
    assert.deepEqual(
      events.map(({ kind }) => kind).join(" "),
      "request-start queued dequeued connect-start connect-end sent response-start response-end",
    );
    assert.equal(events.find(({ kind }) => kind === "connect-end")?.protocol, "h2");
    events.length = 0;
    await (await session.get(server.url)).text();
    assert.deepEqual(
      events.map(({ kind }) => kind).join(" "),
      "request-start queued dequeued sent response-start response-end",
    );
    assert.equal(events[2]?.reused, true);
  });

  it("sends and gets header fields as over HTTP/1.1, and no pseudo fields", async () => {
    await using server = await serve((stream) => {
      stream.respond({ ":status": 201, "set-cookie": ["a=1", "b=2"], "x-two": ["1", "2"] }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "42" }));
      stream.end("body");
    });
    const seen: Record<string, unknown>[] = [];
    server.server.on("stream", (_stream, headers) => seen.push({ ...headers }));
    await using session = client({ cookies: true });
    const headers = { host: "other.test", "x-own": ["1", "2"] };
    const response = await session.get(`${server.url}/p?q=1`, { headers });
    assert.equal(await response.text(), "body");
    assert.deepEqual([response.status, response.headers.get("x-two")], [201, "1, 2"]);
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.ok([...response.headers.keys()].every((name) => !name.startsWith(":")));
    assert.equal(response.trailers.get("x-sum"), "42");
    await (await session.get(server.url)).text();
    assert.deepEqual(
      [seen[0]?.[":authority"], seen[0]?.["x-own"], seen[0]?.["host"]],
      ["other.test", "1, 2", undefined],
    );
    assert.deepEqual([seen[0]?.[":path"], seen[1]?.["cookie"]], ["/p?q=1", "a=1; b=2"]);
    assert.equal(seen[1]?.[":authority"], server.url.slice("https://".length));
  });

  it("cancels one of many and leaves the others alone", async () => {
    const held: ServerHttp2Stream[] = [];
    const closed = Promise.withResolvers<number>();
    await using server = await serve((stream, path) => {
      if (path === "/7") stream.once("close", () => closed.resolve(stream.rstCode));
      held.push(stream);
      if (held.length === 50) for (const one of held) if (one.id !== victim) one.respond({ ":status": 200 });
    });
    let victim = 0;
    await using session = client();
    await run(async () => {
      const tasks = numbers(50).map((index) =>
        createTask(async () => (await session.get(`${server.url}/${index}`)).text()),
      );
      while (held.length < 50) await sleep(1);
      tasks[7]?.cancel();
      victim = 15;
      assert.equal(await closed.promise, 8);
      for (const stream of held) if (!stream.closed) stream.end("done");
      const others = tasks.filter((_, index) => index !== 7);
      assert.deepEqual(
        await gather(others),
        Array.from({ length: 49 }, () => "done"),
      );
    });
    assert.equal(server.sockets.length, 1);
    assert.deepEqual([session.statistics().inUse, session.statistics().idle], [0, 1]);
  });

  it("ends only the stream that a timeout hits", async () => {
    const held: ServerHttp2Stream[] = [];
    await using server = await serve((stream, path) => {
      if (path === "/slow") return void held.push(stream);
      if (path === "/stuck") {
        stream.respond({ ":status": 200 });
        return void stream.write("begun");
      }
      return ok(stream, path, "GET");
    });
    await using session = client();
    const slow = session.get(`${server.url}/slow`);
    const total = session.get(`${server.url}/slow`, { timeouts: { totalMs: 10 } });
    const idle = session.get(`${server.url}/slow`, { timeouts: { idleMs: 10 } });
    await assert.rejects(total, { code: "MW_ERR_HTTP_TOTAL_TIMEOUT" });
    await assert.rejects(idle, { code: "MW_ERR_HTTP_IDLE_TIMEOUT" });
    const stuck = async (): Promise<string> =>
      (await session.get(`${server.url}/stuck`, { timeouts: { idleMs: 10 } })).text();
    await assert.rejects(stuck, { code: "MW_ERR_HTTP_IDLE_TIMEOUT" });
    for (const stream of held) if (!stream.closed) ok(stream, "late", "GET");
    assert.equal(await (await slow).text(), "late");
    assert.equal(session.statistics().inUse, 0);
  });

  it("sends nothing over a connection that may be dead until it answers", async () => {
    await using server = await serve((stream, path) => (path === "/slow" ? undefined : ok(stream, path, "GET")));
    await using session = client();
    await (await session.get(server.url)).text();
    server.sockets[0]?.pause();
    await assert.rejects(session.get(`${server.url}/slow`, { timeouts: { totalMs: 5 } }));
    assert.equal(await (await session.get(`${server.url}/x`)).text(), "/x");
    assert.equal(server.sockets.length, 2);
  });

  it("fails with a code of its own for every reset by the server", async () => {
    await using server = await serve((stream, path) => {
      const [, when, code] = path.split("/");
      if (when === "body") {
        stream.respond({ ":status": 200 });
        // Node ends the stream in order where it can: this is how it breaks off.
        stream.write("begun", () => stream.destroy(new Error("broken off")));
      } else stream.close(Number(code));
    });
    await using session = client();
    // Of 13 below: it is no failure.
    for (const code of numbers(13)) {
      await assert.rejects(session.get(`${server.url}/head/${code}`), { code: "MW_ERR_HTTP_RESET" }, `head ${code}`);
      if (code > 0) continue;
      const late = await session.get(`${server.url}/body/${code}`);
      await assert.rejects(late.text(), { code: "MW_ERR_HTTP_INCOMPLETE" }, `body ${code}`);
    }
    assert.equal(server.sockets.length, 1);
    assert.equal(session.statistics().inUse, 0);
  });

  it("sends again what the server has refused, whatever the method, but once", async () => {
    let asked = 0;
    await using server = await serve((stream, path) => {
      asked += 1;
      if (asked === 1 || path === "/never") stream.close(7);
      else ok(stream, path, "POST");
    });
    await using session = client();
    assert.equal(await (await session.post(`${server.url}/a`, { body: "x" })).text(), "/a");
    asked = 1;
    await assert.rejects(session.post(`${server.url}/never`, { body: "x" }), { code: "MW_ERR_HTTP_RESET" });
    assert.equal(asked, 3);
    asked = 0;
    async function* body() {
      yield "x";
    }
    await assert.rejects(session.post(`${server.url}/b`, { body: body() }), { code: "MW_ERR_HTTP_RESET" });
  });

  it("moves to another connection after GOAWAY; what was not processed goes with it", async () => {
    let isLeaving = true;
    await using server = await serve((stream, path) => {
      if (path === "/old") {
        stream.respond({ ":status": 200 });
        stream.write("be");
        return void setImmediate(() => stream.end("gun"));
      }
      if (isLeaving) {
        isLeaving = false;
        return stream.session?.goaway(0, (stream.id ?? 0) - 2);
      }
      return ok(stream, path, "GET");
    });
    await using session = client();
    await (await session.get(`${server.url}/old`)).text();
    const [old, refused] = await Promise.all([
      session.get(`${server.url}/old`),
      session.post(`${server.url}/new`, { body: "x" }),
    ]);
    assert.deepEqual([await old.text(), await refused.text()], ["begun", "/new"]);
    assert.equal(server.sockets.length, 2);
    assert.equal(session.statistics().idle, 1);
    // The server of Node keeps its end of a connection that it has left with a stream unanswered.
    await session.close();
  });

  it("fails what the server may have processed before an angry GOAWAY", async () => {
    await using server = await serve((stream, path) => {
      if (path === "/no") stream.session?.goaway(2, 2 ** 31 - 1);
      else ok(stream, path, "POST");
    });
    await using session = client();
    await (await session.get(server.url)).text();
    await assert.rejects(session.post(`${server.url}/no`, { body: "x" }), { code: "MW_ERR_HTTP_RESET" });
    assert.equal(await (await session.get(`${server.url}/yes`)).text(), "/yes");
    assert.equal(server.sockets.length, 2);
  });

  it("fails all streams of a connection that breaks", async () => {
    const held: ServerHttp2Stream[] = [];
    await using server = await serve((stream, path) => {
      held.push(stream);
      if (path !== "/0") return;
      stream.respond({ ":status": 200 });
      stream.write("begun");
    });
    await using session = client();
    const begun = await session.get(`${server.url}/0`);
    const rest = [session.post(`${server.url}/1`), session.post(`${server.url}/2`)];
    const results = Promise.allSettled(rest);
    while (held.length < 3) await new Promise((resolve) => setImmediate(resolve));
    server.sockets[0]?.destroy();
    await assert.rejects(begun.text(), { code: "MW_ERR_HTTP_INCOMPLETE" });
    for (const result of await results) {
      assert.equal(result.status === "rejected" && (result.reason as { code: string }).code, "MW_ERR_HTTP_RESET");
    }
    assert.deepEqual([session.statistics().inUse, session.statistics().idle], [0, 0]);
  });

  it("refuses floods of header fields, in the head and after the body", async () => {
    const many = Object.fromEntries(numbers(200).map((index) => [`x-${index}`, "y"]));
    const flood: Record<string, string> = { ...many };
    for (const index of numbers(2_000)) flood[`z-${index}`] = "y";
    const fields: Record<string, Record<string, string>> = { many, long: { "x-long": "y".repeat(20_000) } };
    await using server = await serve(
      (stream, path) => {
        const [, where, which = ""] = path.split("/");
        if (which === "flood") return stream.respond({ ":status": 200, ...flood });
        if (where === "head") return stream.respond({ ":status": 200, ...fields[which] }, { endStream: true });
        stream.respond({ ":status": 200 }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers(fields[which] ?? {}));
        return stream.end("body");
      },
      { maxSendHeaderBlockLength: 1_000_000 },
    );
    await using session = client();
    for (const which of ["many", "long"]) {
      await assert.rejects(session.get(`${server.url}/head/${which}`), { code: "MW_ERR_HTTP_HEADERS_TOO_LARGE" });
      const response = await session.get(`${server.url}/trailers/${which}`);
      await assert.rejects(response.text(), { code: "MW_ERR_HTTP_HEADERS_TOO_LARGE" });
    }
    // So far beyond the limits that Node refuses it, as a server would that is asked too much.
    const reset = { code: "MW_ERR_HTTP_RESET", message: /ENHANCE_YOUR_CALM.*maxHeaderBytes or maxHeaderCount/ };
    await assert.rejects(session.get(`${server.url}/head/flood`), reset);
    assert.equal(session.statistics().inUse, 0);
    await using generous = client({ maxHeaderBytes: 64_000, maxHeaderCount: 500 });
    assert.equal((await generous.get(`${server.url}/head/many`)).headers.get("x-199"), "y");
    assert.equal((await generous.get(`${server.url}/head/long`)).headers.get("x-long")?.length, 20_000);
  });

  it("heeds the limit of a body, its length, and makes the server wait for the reader", async () => {
    let written = 0;
    await using server = await serve((stream, path) => {
      if (path === "/lie") {
        stream.respond({ ":status": 200, "content-length": "10" });
        return void stream.end("abc");
      }
      stream.respond({ ":status": 200 });
      const more = (): void => {
        while (!stream.destroyed && written < 50_000_000) {
          written += 65_536;
          if (!stream.write(Buffer.alloc(65_536))) return void stream.once("drain", more);
        }
        stream.end();
      };
      return more();
    });
    await using session = client();
    await assert.rejects(async () => (await session.get(server.url, { maxBodyBytes: 1_000 })).text(), {
      code: "MW_ERR_HTTP_BODY_TOO_LARGE",
    });
    await assert.rejects(async () => (await session.get(`${server.url}/lie`)).text(), { code: /PROTOCOL|INCOMPLETE/ });
    written = 0;
    const response = await session.get(server.url);
    for (let turns = 0; turns < 20; turns += 1) await sleep(1);
    assert.ok(written < 2_000_000, `${written}`);
    await response.close();
    assert.equal(session.statistics().inUse, 0);
  });

  it("uploads bytes and streams, and stops one that is cancelled in the middle of a wait", async () => {
    const stuck = Promise.withResolvers<number>();
    await using server = await serve((stream, path) => {
      if (path === "/stuck") return void stream.once("close", () => stuck.resolve(stream.rstCode));
      return buffer(stream).then(
        (bytes) => ok(stream, String(bytes.length), "PUT"),
        () => {},
      );
    });
    let isClosed = false;
    async function* body(count: number) {
      try {
        for (let index = 0; index < count; index += 1) yield Buffer.alloc(100_000);
      } finally {
        isClosed = true;
      }
    }
    await using session = client();
    assert.equal(await (await session.put(server.url, { body: "hello" })).text(), "5");
    assert.equal(await (await session.put(server.url, { body: body(30) })).text(), "3000000");
    assert.equal(await (await session.post(server.url)).text(), "0");
    isClosed = false;
    await run(async () => {
      await moveOnAfter(10, async () => session.put(`${server.url}/stuck`, { body: body(1_000) }));
    });
    assert.equal(await stuck.promise, 8);
    assert.equal(isClosed, true);
    assert.equal(session.statistics().inUse, 0);
    // What cannot be sent is told apart from a connection that cannot be made.
    await using other = client();
    const wrong = { body: "hello", headers: { "content-length": "3" } };
    await assert.rejects(other.put(server.url, wrong), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    const twice = { headers: { "user-agent": ["a", "b"] } };
    await assert.rejects(other.get(server.url, twice), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    async function* broken() {
      yield "x";
      throw new Error("canary");
    }
    await assert.rejects(session.put(server.url, { body: broken() }), { code: "MW_ERR_HTTP_REQUEST_BODY" });
  });

  it("gives up the rest of a body when the answer is there before", async () => {
    await using server = await serve((stream) => {
      stream.respond({ ":status": 413 });
      stream.end("too much");
    });
    await using session = client();
    async function* body() {
      for (;;) yield Buffer.alloc(100_000);
    }
    const response = await session.put(server.url, { body: body() });
    assert.deepEqual([response.status, await response.text()], [413, "too much"]);
    assert.equal(session.statistics().inUse, 0);
    assert.equal(await (await session.get(server.url)).text(), "too much");
    assert.equal(server.sockets.length, 1);
  });

  it("says which address an answer came from, also when nothing of the stream is left", async () => {
    await using server = await serve((stream) => stream.respond({ ":status": 204 }, { endStream: true }));
    await using session = client();
    for (const options of [{}, {}, { keepAlive: false }]) {
      const response = await session.get(server.url, options);
      await response.bytes();
      assert.equal(response.remoteAddress, "127.0.0.1");
    }
  });

  it("follows a redirect without a body from a private address to another", async () => {
    const head = { ":status": 302, location: "/end" };
    await using server = await serve((stream, path) =>
      path === "/end" ? ok(stream, path, "GET") : stream.respond(head, { endStream: true }),
    );
    const { port } = new URL(server.url);
    await using session = client({ privateRedirects: false, dns: { resolve: { localhost: "127.0.0.1" } } });
    assert.equal(await (await session.get(`https://localhost:${port}/`)).text(), "/end");
  });

  it("follows redirects and tries again", async () => {
    let asked = 0;
    await using server = await serve((stream, path) => {
      asked += 1;
      if (path === "/from") stream.respond({ ":status": 302, location: "/to" }, { endStream: true });
      else if (path === "/busy" && asked < 5) stream.respond({ ":status": 503 }, { endStream: true });
      else ok(stream, path, "GET");
    });
    await using session = client();
    assert.equal(await (await session.get(`${server.url}/from`)).text(), "/to");
    const response = await session.get(`${server.url}/busy`, { retry: { attempts: 4, backoff: fixed(1) } });
    assert.deepEqual([await response.text(), response.attempts], ["/busy", 3]);
    assert.equal(server.sockets.length, 1);
  });

  it("closes everything with the session, also what is under way and being made", async () => {
    await using server = await serve((stream, path) => {
      if (path !== "/begun") return;
      stream.respond({ ":status": 200 });
      stream.write("begun");
    });
    const session = client();
    const begun = await session.get(`${server.url}/begun`);
    const waiting = Promise.allSettled(numbers(10).map(() => session.get(server.url)));
    const early = client();
    const making = Promise.allSettled(numbers(10).map(() => early.get(server.url)));
    await sleep(1);
    await session.close();
    await early.close();
    await assert.rejects(begun.text(), { code: "MW_ERR_HTTP_CLOSED" });
    for (const result of [...(await waiting), ...(await making)]) {
      assert.equal(result.status === "rejected" && (result.reason as { code: string }).code, "MW_ERR_HTTP_CLOSED");
    }
    await server.allClosed();
  });

  it("closes a connection that was idle for keepAliveMs", async () => {
    await using server = await serve(ok);
    await using session = client({ keepAliveMs: 5 });
    await (await session.get(server.url)).text();
    assert.equal(session.statistics().idle, 1);
    await server.allClosed();
    while (session.statistics().idle > 0) await sleep(1);
    assert.deepEqual(session.statistics().hosts, {});
    assert.equal(await (await session.get(`${server.url}/x`)).text(), "/x");
  });

  it("takes a connection for one request without keepAlive", async () => {
    await using server = await serve(ok);
    await using session = client({ keepAlive: false });
    assert.deepEqual(await fetchAll(session, server.url, 3), paths(3));
    assert.equal(server.sockets.length, 3);
    await server.allClosed();
    assert.deepEqual([session.statistics().inUse, session.statistics().idle], [0, 0]);
  });

  it("fails everybody who waits for a connection that cannot be made, and stops making one nobody waits for", async () => {
    await using server = await serve(ok);
    await using wary = new ClientSession({ http2: true });
    for (const result of await Promise.allSettled(numbers(5).map(() => wary.get(server.url)))) {
      assert.equal(result.status === "rejected" && (result.reason as { code: string }).code, "MW_ERR_HTTP_TLS");
    }
    await using session = client();
    await run(async () => {
      const task = createTask(async () => session.get(server.url));
      await sleep(0);
      task.cancel();
    });
    assert.deepEqual(session.statistics().hosts, {});
    await using silent = await serveRaw((socket) => socket.resume());
    const url = silent.url.replace("http:", "https:");
    const results = await Promise.allSettled(numbers(3).map(() => session.get(url, { timeouts: { connectMs: 10 } })));
    for (const result of results) {
      assert.equal(
        result.status === "rejected" && (result.reason as { code: string }).code,
        "MW_ERR_HTTP_CONNECT_TIMEOUT",
      );
    }
    await silent.allClosed();
    assert.ok(silent.sockets.length <= 1);
  });

  it("answers others while a large body waits to be sent", async () => {
    const held: ServerHttp2Stream[] = [];
    await using server = await serve((stream, path) => {
      if (path !== "/large") return ok(stream, path, "GET");
      stream.respond({ ":status": 200 });
      return held.push(stream);
    });
    await using session = client();
    const response = await session.put(`${server.url}/large`, { body: Buffer.alloc(20_000_000) });
    assert.deepEqual(await fetchAll(session, server.url, 5), paths(5));
    const [stream] = held;
    assert.ok(stream !== undefined);
    const { length } = await buffer(stream);
    stream.end(String(length));
    assert.equal(await response.text(), "20000000");
    assert.equal(server.sockets.length, 1);
  });

  it("asks again over HTTP/1.1 where that is required, and stays with it", async () => {
    const asked: string[] = [];
    await using server = await serve(
      (stream) => {
        asked.push("2.0");
        stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
      },
      { allowHTTP1: true },
    );
    server.server.on("request", (request, response) => {
      if (request.httpVersion !== "1.1") return;
      asked.push("1.1");
      response.write(`${request.method} `);
      request.pipe(response);
    });
    await using session = client({ limit: 5 });
    const body = (): AsyncGenerator<string> =>
      (async function* () {
        yield "hello";
      })();
    assert.equal(await (await session.post(server.url, { body: "hello" })).text(), "POST hello");
    assert.deepEqual(asked, ["2.0", "1.1"]);
    // What is sent once only can be sent now.
    assert.equal(await (await session.put(server.url, { body: body() })).text(), "PUT hello");
    assert.equal((await fetchAll(session, server.url, 20)).length, 20);
    assert.equal(asked.lastIndexOf("2.0"), 0);
    // Also when nothing is left of that host.
    for (const socket of server.sockets) socket.destroy();
    while (Object.keys(session.statistics().hosts).length > 0) await sleep(1);
    assert.equal(await (await session.get(server.url)).text(), "GET ");
    assert.equal(asked.lastIndexOf("2.0"), 0);
    // Another session does not know.
    await using other = client();
    await assert.rejects(other.put(server.url, { body: body() }), {
      code: "MW_ERR_HTTP_RESET",
      message: /HTTP_1_1_REQUIRED/,
    });
    assert.equal(await (await other.put(server.url, { body: body() })).text(), "PUT hello");
    await using alone = client({ keepAlive: false });
    assert.equal(await (await alone.get(server.url)).text(), "GET ");
  });

  it("lets a burst go on over HTTP/1.1 where that turns out to be required", async () => {
    await using server = await serve((stream) => stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED), {
      allowHTTP1: true,
      settings: { maxConcurrentStreams: 3 },
    });
    server.server.on("request", (request, response) => {
      if (request.httpVersion === "1.1") response.end(request.url);
    });
    await using session = client({ limit: 20 });
    assert.deepEqual(await fetchAll(session, server.url, 50), paths(50));
    assert.equal(session.statistics().inUse, 0);
    await session.close();
    await server.allClosed();
  });

  it("closes a connection for HTTP/1.1 that nobody waits for any more", async () => {
    let count = 0;
    await using server = await serve(ok, {
      allowHTTP1: true,
      settings: { maxConcurrentStreams: 1 },
      ALPNCallback: () => ((count += 1) === 1 ? "h2" : "http/1.1"),
    });
    const answered = Promise.withResolvers<void>();
    await using slow = await serveRaw((socket, index) => {
      const upstream = connect(Number(new URL(server.url).port), "127.0.0.1");
      upstream.on("error", () => {});
      upstream.pipe(socket).once("close", () => upstream.destroy());
      if (index === 0) socket.pipe(upstream);
      else
        answered.promise.then(
          () => socket.pipe(upstream),
          () => {},
        );
    });
    await using session = client();
    const url = `https://127.0.0.1:${slow.port}`;
    await fetchAll(session, url, 1);
    // The second one waits for the first, and a connection is made for it meanwhile.
    assert.deepEqual(await fetchAll(session, url, 2), paths(2));
    assert.deepEqual([slow.sockets.length, count], [2, 1]);
    answered.resolve();
    while (slow.open() > 1) await sleep(1);
    assert.equal(count, 2);
    assert.equal(session.statistics().idle, 1);
  });

  it("goes through a tunnel of a proxy", async () => {
    await using server = await serve(ok);
    await using proxy = await serveHttpProxy();
    await using session = client({ proxy: `http://127.0.0.1:${proxy.port}` });
    assert.deepEqual(await fetchAll(session, server.url, 10), paths(10));
    assert.deepEqual([proxy.asked.length, session.statistics().idle], [1, 1]);
  });

  it("keeps connections that nobody needed in the end, and closes them like all others", async () => {
    await using server = await serve(ok, { settings: { maxConcurrentStreams: 2 } });
    await using session = client({ keepAliveMs: 20, limit: 40 });
    for (let round = 0; round < 5; round += 1) assert.deepEqual(await fetchAll(session, server.url, 40), paths(40));
    await server.allClosed();
    while (session.statistics().idle > 0) await sleep(1);
    assert.deepEqual(session.statistics().hosts, {});
  });

  it("serves a thousand requests and leaves nothing open", async () => {
    await using server = await serve(ok);
    {
      await using session = client({ limit: 100 });
      assert.deepEqual(await fetchAll(session, server.url, 1_000), paths(1_000));
      assert.equal(server.sockets.length, 1);
    }
    await server.allClosed();
  });
});

const [DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION] = [0, 1, 2, 3, 4, 6, 7, 9];
const [NO_FLAGS, END_STREAM, END_HEADERS] = [0, 1, 4];
/** `:status: 200`, compressed. */
const STATUS_200 = [0x88];

/** @see {@link https://www.rfc-editor.org/rfc/rfc9113#section-4.1} */
function frame(type: number, flags: number, stream: number, payload: string | readonly number[]): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload) : Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** Writes frames by hand: what it is told when a connection begins, and for each stream that the client opens. */
async function serveFrames(first: Buffer, forStream: (stream: number) => Buffer): Promise<TestServer> {
  const sockets: Socket[] = [];
  const server = createTlsServer({ ...SERVER, ALPNProtocols: ["h2"] }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(first);
    let seen = Buffer.alloc(0);
    let at = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
    socket.on("data", (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      while (seen.length >= at + 9) {
        const type = seen.readUInt8(at + 3);
        const stream = seen.readUInt32BE(at + 5);
        at += 9 + seen.readUIntBE(at, 3);
        if (type === HEADERS) socket.write(forStream(stream));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    sockets,
    sessions: [],
    async allClosed() {},
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("A session with http2 and a hostile server", () => {
  const settings = frame(SETTINGS, NO_FLAGS, 0, []);
  const head = (stream: number): Buffer => frame(HEADERS, END_HEADERS, stream, STATUS_200);
  const whole = (stream: number): Buffer => Buffer.concat([head(stream), frame(DATA, END_STREAM, stream, "ok")]);

  it("does not take a body for whole that was ended by a reset without an error", async () => {
    await using server = await serveFrames(settings, (stream) =>
      Buffer.concat([
        head(stream),
        frame(DATA, NO_FLAGS, stream, "half"),
        frame(RST_STREAM, NO_FLAGS, stream, [0, 0, 0, 0]),
      ]),
    );
    await using session = client();
    const response = await session.get(server.url);
    await assert.rejects(response.text(), { code: "MW_ERR_HTTP_INCOMPLETE" });
    assert.equal(session.statistics().inUse, 0);
  });

  it("takes a whole answer from one that resets the rest of the request", async () => {
    await using server = await serveFrames(settings, (stream) =>
      Buffer.concat([whole(stream), frame(RST_STREAM, NO_FLAGS, stream, [0, 0, 0, 0])]),
    );
    await using session = client();
    async function* body() {
      for (;;) yield Buffer.alloc(100_000);
    }
    assert.equal(await (await session.put(server.url, { body: body() })).text(), "ok");
    assert.equal(session.statistics().inUse, 0);
  });

  it("gives up a connection that is none, and a stream on which the rules are broken", async () => {
    const lies: Record<string, [Buffer, (stream: number) => Buffer]> = {
      PROTOCOL: [Buffer.from("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), () => Buffer.alloc(0)],
      RESET: [settings, (stream) => frame(HEADERS, END_HEADERS + END_STREAM, stream, [])],
    };
    for (const [code, [first, forStream]] of Object.entries(lies)) {
      await using server = await serveFrames(first, forStream);
      await using session = client();
      await assert.rejects(session.get(server.url), { code: `MW_ERR_HTTP_${code}` });
      assert.equal(session.statistics().inUse, 0);
    }
  });

  it("says which limit ends a flood of frames, for every request on that connection", async () => {
    const many = (...one: Buffer[]): Buffer => Buffer.concat(Array.from({ length: 20_000 }, () => one).flat());
    const floods: Record<string, readonly [string, RegExp, (stream: number) => Buffer]> = {
      SETTINGS: ["PROTOCOL", /more SETTINGS or PING frames/, () => many(settings)],
      PING: ["PROTOCOL", /more SETTINGS or PING frames/, () => many(frame(PING, NO_FLAGS, 0, "12345678"))],
      "empty DATA": [
        "PROTOCOL",
        /more empty or invalid HTTP\/2 frames/,
        (stream) => Buffer.concat([head(stream), many(frame(DATA, NO_FLAGS, stream, ""))]),
      ],
      CONTINUATION: [
        "HEADERS_TOO_LARGE",
        /more CONTINUATION frames/,
        (stream) =>
          Buffer.concat([
            frame(HEADERS, NO_FLAGS, stream, STATUS_200),
            many(frame(CONTINUATION, NO_FLAGS, stream, [])),
          ]),
      ],
      PRIORITY: [
        "PROTOCOL",
        /does not speak HTTP/,
        (stream) => many(frame(PRIORITY, NO_FLAGS, stream, [0, 0, 0, 0, 1])),
      ],
    };
    for (const [name, [code, message, forStream]] of Object.entries(floods)) {
      let streams = 0;
      await using server = await serveFrames(settings, (stream) => {
        streams += 1;
        return streams === 3 ? forStream(stream) : Buffer.alloc(0);
      });
      await using session = client();
      const asking = numbers(3).map(async (index) => (await session.get(`${server.url}/${index}`)).text());
      for (const result of await Promise.allSettled(asking)) {
        assert.ok(result.status === "rejected", name);
        const { code: own, message: text } = result.reason as { code: string; message: string };
        assert.equal(own, `MW_ERR_HTTP_${code}`, name);
        assert.match(text, message, name);
      }
      assert.deepEqual([server.sockets.length, session.statistics().inUse], [1, 0], name);
    }
  });

  it("waits for its settings no longer than for a connection", async () => {
    await using server = await serveFrames(Buffer.alloc(0), () => Buffer.alloc(0));
    await using session = client();
    const timeouts = { connectMs: 50, idleMs: 50 };
    const results = await Promise.allSettled(numbers(3).map(() => session.get(server.url, { timeouts })));
    // One is sent, the others wait to be told how many there may be.
    for (const result of results) {
      const code = result.status === "rejected" ? (result.reason as { code: string }).code : "none";
      assert.match(code, /(CONNECT|IDLE)_TIMEOUT$/);
    }
    assert.equal(server.sockets.length, 1);
  });

  it("makes no connections without end to one that allows no streams", async () => {
    // SETTINGS_MAX_CONCURRENT_STREAMS = 0
    const none = frame(SETTINGS, NO_FLAGS, 0, [0, 3, 0, 0, 0, 0]);
    await using server = await serveFrames(none, () => Buffer.alloc(0));
    await using session = client();
    const timeouts = { connectMs: 50, idleMs: 50 };
    const results = await Promise.allSettled(numbers(5).map(() => session.get(server.url, { timeouts })));
    assert.ok(results.every(({ status }) => status === "rejected"));
    assert.ok(server.sockets.length <= 2, `${server.sockets.length}`);
    assert.equal(session.statistics().inUse, 0);
  });

  it("sends again what an angry GOAWAY says was not processed, and once only", async () => {
    const goaway = frame(GOAWAY, NO_FLAGS, 0, [0, 0, 0, 0, 0, 0, 0, 2]);
    let asked = 0;
    await using server = await serveFrames(settings, (stream) => {
      asked += 1;
      return asked === 1 ? goaway : whole(stream);
    });
    await using session = client();
    assert.equal(await (await session.post(server.url, { body: "x" })).text(), "ok");
    assert.equal(asked, 2);
    await using other = await serveFrames(settings, () => goaway);
    await assert.rejects(session.post(other.url, { body: "x" }), { code: "MW_ERR_HTTP_RESET" });
    assert.equal(other.sockets.length, 2);
  });

  it("does not send again what a GOAWAY that requires HTTP/1.1 leaves open, but the next over HTTP/1.1", async () => {
    // The last stream that it may have done something about is 1.
    const goaway = frame(GOAWAY, NO_FLAGS, 0, [0, 0, 0, 1, 0, 0, 0, 13]);
    await using server = await serveFrames(settings, () => goaway);
    await using session = client();
    await assert.rejects(session.post(server.url, { body: "x" }), { code: "MW_ERR_HTTP_RESET" });
    assert.equal(server.sockets.length, 1);
    // It does not speak what it requires.
    await assert.rejects(session.post(server.url, { body: "x" }), { code: "MW_ERR_HTTP_TLS" });
    assert.equal(server.sockets.length, 1);
  });
});
