import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { connect, ConnectError, type Connection, HandshakeError } from "@meanwhile/websocket";
import { gather, isCancelled, moveOnAfter } from "meanwhile";
import { WebSocketServer } from "ws";

import { CA } from "../../http/test/certificates.ts";
import { deadPort, serveBare, serveHttp, serveRaw } from "./bare-peers.ts";
import { acceptance } from "./raw-acceptance.ts";

const tls = { ca: CA };

describe("connecting", () => {
  it("sends its header fields, the origin, and the user name of the URL, which it shows nowhere", async () => {
    let headers: Readonly<Record<string, unknown>> = {};
    await using server = await serveBare((_socket, got) => (headers = got));
    const url = server.url.replace("//", "//us%40er:canary@");
    const options = { headers: { "X-One": "1", "x-two": ["a", "b"] }, origin: "https://example.org", userAgent: "me" };
    await using socket = await connect(url, options);
    assert.equal(headers["x-one"], "1");
    assert.equal(headers["x-two"], "a, b");
    assert.equal(headers["origin"], "https://example.org");
    assert.equal(headers["user-agent"], "me");
    assert.equal(headers["authorization"], `Basic ${btoa("us@er:canary")}`);
    assert.equal(socket.requestHeaders["x-one"], "1");
    assert.equal(socket.responseHeaders["upgrade"], "websocket");
    assert.doesNotMatch(inspect(socket), /canary/);
  });

  it("agrees on a subprotocol, and fails where there is none", async () => {
    await using server = await serveBare(undefined, { handleProtocols: (offered) => (offered.has("b") ? "b" : false) });
    await using socket = await connect(server.url, { subprotocols: ["a", "b"] });
    assert.equal(socket.subprotocol, "b");
    await assert.rejects(connect(server.url, { subprotocols: ["a"] }), {
      code: "MW_ERR_WS_SUBPROTOCOL",
      name: "HandshakeError",
      status: 101,
    });
  });

  it("says that nobody listens, and where", async () => {
    const port = await deadPort();
    await assert.rejects(connect(`ws://user:canary@127.0.0.1:${port}/a?token=canary`), (error: Error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(error.code, "MW_ERR_WS_CONNECT");
      assert.match(error.message, new RegExp(`^Cannot connect to ws://127.0.0.1:${port}/a\\?…: .*ECONNREFUSED`));
      assert.doesNotMatch(inspect(error), /canary/);
      return true;
    });
  });

  it("says that a host has no address", async () => {
    await assert.rejects(connect("ws://nowhere.invalid"), { code: "MW_ERR_WS_DNS" });
  });

  it("gives the status, the header and the start of the body of an answer that opens nothing", async () => {
    await using server = await serveHttp((_request, response) => {
      response.writeHead(403, { "Set-Cookie": "a=canary" }).end("canary ".repeat(10_000));
    });
    await assert.rejects(connect(server.url), (error: Error) => {
      assert.ok(error instanceof HandshakeError);
      assert.equal(error.code, "MW_ERR_WS_HANDSHAKE");
      assert.equal(error.status, 403);
      assert.deepEqual(error.headers["set-cookie"], ["a=canary"]);
      assert.equal(error.body.length, 4_096);
      assert.match(error.message, /403 Forbidden/);
      assert.doesNotMatch(inspect(error), /canary/);
      return true;
    });
    await server.allClosed();
  });

  for (const [what, answer] of [
    ["no HTTP", "SSH-2.0-OpenSSH\r\n"],
    [
      "a wrong Sec-WebSocket-Accept",
      "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
    ],
    ["another upgrade", "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"],
    ["a header that is too long", `HTTP/1.1 101 x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`],
  ] as const) {
    it(`refuses a server that answers with ${what}`, async () => {
      await using server = await serveRaw((socket) => socket.once("data", () => socket.write(answer)));
      await assert.rejects(connect(server.url), { code: "MW_ERR_WS_HANDSHAKE" });
      await server.allClosed();
    });
  }

  it("refuses an extension that it has not asked for", async () => {
    await using server = await serveRaw((socket) => {
      socket.once("data", (head: Buffer) => socket.write(acceptance(head, "Sec-WebSocket-Extensions: x-own\r\n")));
    });
    await assert.rejects(connect(server.url, { compression: "off" }), { code: "MW_ERR_WS_HANDSHAKE", status: 101 });
  });

  it("says that a server hung up before it answered", async () => {
    await using server = await serveRaw((socket) => socket.once("data", () => socket.destroy()));
    await assert.rejects(connect(server.url), { code: "MW_ERR_WS_CONNECT", message: /before the server had answered/ });
  });

  it("gives up after openTimeoutMs, and closes what it has begun", async () => {
    await using server = await serveRaw((socket) => socket.resume());
    await assert.rejects(connect(server.url, { openTimeoutMs: 20 }), { code: "MW_ERR_WS_OPEN_TIMEOUT" });
    await server.allClosed();
  });

  it("closes what it has begun when it is cancelled, at each step", async () => {
    const steps = [
      () => {},
      (write: (text: string) => void) => write("HTTP/1.1 101"),
      (write: (text: string) => void) => write("HTTP/1.1 403 x\r\nContent-Length: 1000\r\n\r\nstart"),
    ];
    for (const step of steps) {
      await using server = await serveRaw((socket) => socket.once("data", () => step((text) => socket.write(text))));
      await moveOnAfter(10, () => connect(server.url).catch((error: unknown) => assert.ok(isCancelled(error))));
      await server.allClosed();
    }
  });

  it("leaves no connection behind when it is cancelled as it opens", async () => {
    await using server = await serveBare();
    for (let delayMs = 0; delayMs < 6; delayMs += 0.5) {
      const open: Connection[] = [];
      await moveOnAfter(delayMs, async () => void open.push(await connect(server.url)));
      for (const socket of open) socket.terminate();
    }
    await server.allClosed();
  });

  it("speaks TLS, and trusts only whom it is told to", async () => {
    await using server = await serveBare(undefined, { isSecure: true });
    await using socket = await connect(server.url, { tls });
    await socket.send("secret");
    assert.equal(await socket.recv(), "secret");
    await assert.rejects(connect(server.url), { code: "MW_ERR_WS_TLS", message: /'tls.ca'/ });
    await assert.rejects(connect(server.url.replace("wss:", "ws:"), { tls }), ConnectError);
    await using plain = await serveBare();
    await assert.rejects(connect(plain.url.replace("ws:", "wss:"), { tls }), { code: "MW_ERR_WS_TLS" });
    await assert.rejects(connect(server.url, { tls: { cert: "none", key: "none" } }), {
      code: "MW_ERR_WS_INVALID_ARGUMENT",
      message: /'tls'/,
    });
  });

  it("goes to a Unix socket", { skip: process.platform === "win32" }, async () => {
    const socketPath = join(tmpdir(), `mw-ws-${process.pid}.sock`);
    const http = createServer();
    const sockets = new WebSocketServer({ server: http });
    sockets.on("connection", (socket, request) => socket.send(`${request.headers.host}${request.url}`));
    await new Promise<void>((resolve) => http.listen(socketPath, resolve));
    try {
      await using socket = await connect("ws://some.where/path", { socketPath });
      assert.equal(await socket.recv(), "some.where/path");
      assert.equal(socket.remoteAddress, undefined);
    } finally {
      http.close();
      await rm(socketPath, { force: true });
    }
  });

  it("opens many at once", async () => {
    await using server = await serveBare();
    const sockets = await gather(Array.from({ length: 50 }, () => () => connect(server.url)));
    assert.equal(new Set(sockets.map(({ id }) => id)).size, 50);
    await gather(sockets.map((socket) => () => socket.close()));
  });
});

describe("redirects", () => {
  /** A server that leads elsewhere. */
  const leading = (
    to: (request: { url?: string | undefined; headers: Record<string, unknown> }) => string,
    status = 302,
  ) => serveHttp((request, response) => response.writeHead(status, { Location: to(request) }).end());

  it("are followed, and take header fields along to the same origin only", async () => {
    const seen: unknown[] = [];
    const note = (_socket: unknown, headers: Readonly<Record<string, unknown>>) =>
      seen.push([headers["authorization"], headers["x-key"], headers["user-agent"]]);
    await using server = await serveBare(note);
    await using elsewhere = await leading(() => `${server.url.replace("ws:", "http:")}/there#part`);
    await using socket = await connect(elsewhere.url.replace("//", "//user:pass@"), { headers: { "x-key": "k" } });
    assert.deepEqual(seen, [[undefined, undefined, "meanwhile"]]);
    assert.equal(socket.state, "open");
    assert.equal(server.sockets.length, 1);
  });

  it("keep header fields within the origin", async () => {
    const seen: unknown[] = [];
    await using server = await leading(({ url, headers }) => {
      seen.push([url, headers["x-key"]]);
      return "/b";
    });
    await assert.rejects(connect(`${server.url}/a`, { headers: { "x-key": "k" }, maxRedirects: 1 }), {
      code: "MW_ERR_WS_REDIRECT",
      message: /more than 1 times/,
    });
    assert.deepEqual(seen, [
      ["/a", "k"],
      ["/b", "k"],
    ]);
  });

  it("are not followed from a secure server to one that is not, nor to nowhere", async () => {
    for (const location of ["mailto:someone", "http://[", ""]) {
      await using server = await leading(() => location);
      await assert.rejects(connect(server.url), { name: "HandshakeError" });
    }
    await using server = await leading(() => "/b");
    await assert.rejects(connect(server.url, { maxRedirects: 0 }), { code: "MW_ERR_WS_HANDSHAKE", status: 302 });
  });
});
