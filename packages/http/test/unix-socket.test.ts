import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";
import { moveOnAfter, sleep } from "meanwhile";

import { CA, SERVER } from "./certificates.ts";
import { serve } from "./servers.ts";

interface SocketServer extends AsyncDisposable {
  readonly path: string;
  readonly sockets: Socket[];
}

/** An HTTP server on a Unix socket; `/silent` gets no answer. */
async function serveSocket(isSecure: boolean): Promise<SocketServer> {
  const directory = await mkdtemp(join(tmpdir(), "meanwhile-"));
  const path = join(directory, "s");
  const sockets: Socket[] = [];
  const listener: RequestListener = (request, response) => {
    if (request.url !== "/silent") response.end(`${request.headers.host} ${request.url}`);
  };
  const server = isSecure ? createHttpsServer(SERVER, listener) : createHttpServer(listener);
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.listen(path);
  await once(server, "listening");
  return {
    path,
    sockets,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await rm(directory, { recursive: true });
    },
  };
}

describe("the option socketPath", () => {
  it("sends all requests to a Unix socket, over one connection for each origin", async () => {
    await using server = await serveSocket(false);
    const dns = { lookup: (): never => assert.fail("was looked up") };
    await using session = new ClientSession({ socketPath: server.path, dns });
    for (let index = 0; index < 3; index += 1) {
      assert.equal(await (await session.get("http://docker/info?a=b")).text(), "docker /info?a=b");
    }
    assert.equal(await (await session.get("http://127.0.0.1:99/")).text(), "127.0.0.1:99 /");
    assert.equal(server.sockets.length, 2);
  });

  it("speaks TLS over it", async () => {
    await using server = await serveSocket(true);
    await using session = new ClientSession({ socketPath: server.path, tls: { ca: CA } });
    assert.equal(await (await session.get("https://server.test/")).text(), "server.test /");
    await assert.rejects(session.get("https://evil.test/"), { code: "MW_ERR_HTTP_TLS" });
  });

  it("closes the socket when a request is cancelled", async () => {
    await using server = await serveSocket(false);
    await using session = new ClientSession({ socketPath: server.path });
    await moveOnAfter(5, () => session.get("http://docker/silent"));
    while (server.sockets.some((socket) => !socket.closed)) await sleep(1);
    assert.equal(session.statistics().inUse, 0);
  });

  it("reports a socket that is not there", async () => {
    await using session = new ClientSession({ socketPath: join(tmpdir(), "meanwhile-no-such-socket") });
    await assert.rejects(session.get("http://docker/"), { code: "MW_ERR_HTTP_CONNECT", message: /ENOENT/ });
  });

  it("excludes what has to do with addresses", () => {
    const wrong: ReadonlyArray<object> = [{ proxy: "127.0.0.1:1" }, { publicOnly: true }, { publicOnly: () => true }];
    for (const options of [...wrong, { socketPath: "" }, { socketPath: 7 }, { socketPath: "a\0b" }]) {
      assert.throws(() => new ClientSession({ socketPath: "/tmp/s", ...options }), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
      });
    }
  });
});

describe("the option localAddress", () => {
  it("is where connections come from", async () => {
    await using server = await serve((request, response) => response.end(request.socket.remoteAddress));
    await using session = new ClientSession({ localAddress: "127.0.0.5" });
    assert.equal(await (await session.get(server.url)).text(), "127.0.0.5");
    assert.throws(() => new ClientSession({ localAddress: "localhost" }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
  });
});

describe("the option keepAliveMs", () => {
  it("is how long an idle connection is kept", async () => {
    await using server = await serve((_request, response) => response.end("hello"));
    await using session = new ClientSession({ keepAliveMs: 3 });
    await (await session.get(server.url)).text();
    assert.equal(session.statistics().idle, 1);
    await server.allClosed();
    while (session.statistics().idle > 0) await sleep(1);
    for (const keepAliveMs of [0, -1, 0.5, Infinity, 600_001, "5"]) {
      assert.throws(() => new ClientSession({ keepAliveMs: keepAliveMs as never }), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
      });
    }
  });

  it("gives way to a server that keeps connections for a shorter time", async () => {
    const told: string[] = [];
    await using server = await serve((_request, response) => {
      response
        .setHeader("connection", "keep-alive")
        .setHeader("keep-alive", told.shift() ?? "timeout=1")
        .end("hello");
    });
    for (const options of [{}, { keepAliveMs: 60_000 }]) {
      told.splice(0, told.length, "timeout=60", "timeout=60", "timeout=1", "timeout=60");
      const before = server.sockets.length;
      await using session = new ClientSession(options);
      const counts: number[] = [];
      for (let index = 0; index < 4; index += 1) {
        await (await session.get(server.url)).text();
        await sleep(1);
        counts.push(server.sockets.length - before);
      }
      // One that the server may close any moment is not used again.
      assert.deepEqual(counts, [1, 1, 1, 2]);
    }
  });
});
