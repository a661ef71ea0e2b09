import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";
import { sleep } from "meanwhile";

import { answering, onEachHead, serve, serveAtOnce, serveRaw } from "./servers.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

describe("connections", () => {
  it("are kept for the next request", async () => {
    await using server = await serve((_request, response) => response.end("ok"));
    await using session = new ClientSession();
    for (let index = 0; index < 5; index += 1) assert.equal(await (await session.get(server.url)).text(), "ok");
    assert.equal(server.sockets.length, 1);
    assert.equal(session.statistics().idle, 1);
  });

  it("are closed with the session", async () => {
    await using server = await serve((_request, response) => response.end("ok"));
    {
      await using session = new ClientSession();
      await (await session.get(server.url)).text();
    }
    await server.allClosed();
  });

  it("are not kept if the server does not want it", async () => {
    await using server = await serve((_request, response) => {
      response.setHeader("connection", "close");
      response.end("ok");
    });
    await using session = new ClientSession();
    for (let index = 0; index < 3; index += 1) assert.equal(await (await session.get(server.url)).text(), "ok");
    assert.equal(server.sockets.length, 3);
  });

  it("that died while they were kept cost an idempotent request nothing", async () => {
    // Closes a connection the moment it sees a second request on it.
    const dying = () =>
      serveRaw((socket) => {
        let count = 0;
        onEachHead(socket, () => {
          count += 1;
          if (count === 1) socket.write(OK);
          else socket.resetAndDestroy();
        });
      });
    await using server = await dying();
    await using session = new ClientSession();
    for (const method of ["GET", "GET", "PUT", "DELETE"])
      assert.equal(await (await session.request(method, server.url)).text(), "ok");
    assert.equal(server.sockets.length, 4);
    await using other = await dying();
    await (await session.post(other.url, { body: "1" })).text();
    await assert.rejects(session.post(other.url), { code: "MW_ERR_HTTP_RESET" });
    assert.equal(session.statistics().inUse, 0);
  });

  it("are given up when the server says more than it was asked", async () => {
    await using server = await serveRaw(answering(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`));
    await using session = new ClientSession();
    for (let index = 0; index < 3; index += 1) {
      assert.equal(await (await session.get(server.url)).text(), "ok");
      await sleep(2);
    }
    assert.equal(server.sockets.length, 3);
    await server.allClosed();
  });

  it("are given up after what is not HTTP", async () => {
    const lies = [
      "NOT HTTP\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ];
    for (const lie of lies) {
      await using server = await serveRaw(answering(lie));
      await using session = new ClientSession();
      await assert.rejects(async () => (await session.get(server.url)).text(), { code: "MW_ERR_HTTP_PROTOCOL" }, lie);
      await server.allClosed();
      assert.deepEqual([session.statistics().inUse, session.statistics().idle], [0, 0]);
    }
  });

  it("are given up when the answer comes before the body was sent", async () => {
    await using server = await serveAtOnce((_request, response) => response.writeHead(413).end("too much"));
    await using session = new ClientSession();
    const stopped = Promise.withResolvers<void>();
    async function* body() {
      try {
        for (;;) {
          yield Buffer.alloc(64 * 1024);
          await sleep(1);
        }
      } finally {
        stopped.resolve();
      }
    }
    const response = await session.post(server.url, { body: body() });
    assert.deepEqual([response.status, await response.text()], [413, "too much"]);
    await stopped.promise;
    await server.allClosed();
    assert.equal(session.statistics().inUse, 0);
  });

  it("are closed when the body of a request fails", async () => {
    await using server = await serve((_request, response) => response.end());
    await using session = new ClientSession();
    const failure = new RangeError("mine");
    async function* body() {
      yield "a";
      throw failure;
    }
    async function* wrong() {
      yield 7 as never;
    }
    await assert.rejects(session.post(server.url, { body: body() }), {
      code: "MW_ERR_HTTP_REQUEST_BODY",
      cause: failure,
    });
    await assert.rejects(session.post(server.url, { body: wrong() }), { code: "MW_ERR_HTTP_REQUEST_BODY" });
    await server.allClosed();
    assert.equal(session.statistics().inUse, 0);
  });

  it("carry bytes exactly as they are, large ones too", async () => {
    const big = Buffer.alloc(5_000_000, "0123456789");
    await using server = await serve((_request, response, body) => response.end(body));
    await using session = new ClientSession();
    const response = await session.put(server.url, { body: big });
    assert.ok(big.equals(await response.bytes()));
  });
});
