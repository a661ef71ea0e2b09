import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, PassThrough } from "node:stream";
import { describe, it } from "node:test";

import { Event, run, sleep, sleepForever } from "meanwhile";
import { WebSocketServer } from "ws";

import { expectWarning } from "../../../tools/test-setup.ts";
import { CA, CLIENT, SERVER } from "../../http/test/certificates.ts";
import {
  connect,
  ConnectionClosedError,
  type Server,
  serve,
  type ServeErrorInfo,
  type ServerConnection,
  type TraceEvent,
} from "../src/index.ts";

describe("serve", () => {
  it("has each connection handled by a task of its own", () =>
    run(async () => {
      await using server = await serve(async (socket) => {
        for await (const message of socket) await socket.send(`${socket.id}: ${String(message)}`);
      });
      await using first = await connect(server.url);
      await using second = await connect(server.url);
      await second.send("two");
      await first.send("one");
      const answers = [await first.recv(), await second.recv()].map((answer) => String(answer).split(": "));
      assert.deepEqual(
        answers.map(([, text]) => text),
        ["one", "two"],
      );
      assert.notEqual(answers[0]?.[0], answers[1]?.[0]);
      assert.equal(server.connections.size, 2);
      assert.equal(server.statistics().opened, 2);
    }));

  it("tells a handler what the client has asked for", () =>
    run(async () => {
      const hosts: string[] = [];
      await using server = await serve(null, {
        routes: {
          "/rooms/:room": ({ request, params }) => {
            assert.equal(params["room"], "blue green");
            assert.equal(request.url.searchParams.get("seat"), "7");
            hosts.push(request.url.host);
            assert.equal(request.headers.get("x-name"), "ada");
            assert.equal(request.remoteAddress, "127.0.0.1");
            assert.equal(request.isSecure, false);
            assert.equal(request.clientCertificate, undefined);
            assert.doesNotMatch(JSON.stringify(request), /seat|ada/);
          },
        },
      });
      await using socket = await connect(`${server.url}/rooms/blue%20green?seat=7`, { headers: { "X-Name": "ada" } });
      assert.equal((await socket.waitClosed()).code, 1000);
      assert.deepEqual(hosts, [new URL(server.url).host]);
      assert.equal(server.statistics().failed, 0);
    }));

  it("closes a connection with 1000 when its handler has returned", () =>
    run(async () => {
      await using server = await serve((socket) => socket.send("bye"));
      await using socket = await connect(server.url);
      assert.equal(await socket.recv(), "bye");
      assert.deepEqual(await socket.waitClosed(), { code: 1000, reason: "", by: "peer", wasClean: true });
    }));

  it("closes it with 1011 when the handler throws, tells onError, and harms no other", () =>
    run(async () => {
      const told: Array<[unknown, ServeErrorInfo<undefined>]> = [];
      await using server = await serve(
        async (socket) => {
          for await (const message of socket) {
            if (message === "fail") throw new RangeError("out of range");
            await socket.send(message);
          }
        },
        { onError: (error, info) => told.push([error, info]) },
      );
      await using other = await connect(server.url);
      await using socket = await connect(server.url);
      await socket.send("fail");
      const { code, reason } = await socket.waitClosed();
      assert.deepEqual([code, reason], [1011, ""]);
      await other.send("alive");
      assert.equal(await other.recv(), "alive");
      const [[error, info] = []] = told;
      assert.ok(error instanceof RangeError);
      assert.equal(info?.during, "handler");
      assert.equal(info?.request, info?.socket?.request);
      assert.equal(server.statistics().failed, 1);
    }));

  it("warns of handlers that throw where nobody is told, and not of each", async () => {
    await using warnings = expectWarning("MW_WARN_WS_HANDLER");
    await run(async () => {
      await using server = await serve(() => {
        throw new RangeError("out of range");
      });
      for (let count = 0; count < 3; count++) {
        await using socket = await connect(server.url);
        assert.equal((await socket.waitClosed()).code, 1011);
      }
      assert.equal(server.statistics().failed, 3);
    });
    assert.match((await warnings.first()).message, /handler .* failed: RangeError: out of range/);
    assert.equal(warnings.seen.length, 1);
  });

  it("warns of what cannot be shown, and lets no text of a client draw on a terminal", async () => {
    await using warnings = expectWarning("MW_WARN_WS_HANDLER");
    await run(async () => {
      for (const thrown of [Object.create(null), new RangeError("\u001B[2Jgone")]) {
        await using server = await serve(() => {
          throw thrown;
        });
        await using socket = await connect(server.url);
        assert.equal((await socket.waitClosed()).code, 1011);
      }
    });
    await new Promise(setImmediate);
    const texts = warnings.seen.map(({ message }) => message);
    assert.match(texts[0] ?? "", /no error \(object\)/);
    assert.match(texts[1] ?? "", /RangeError: \\u001b\[2Jgone/);
  });

  it("does not call it a failure when a handler ends because its client has gone", () =>
    run(async () => {
      const ended = new Event();
      await using server = await serve(async (socket) => {
        try {
          await socket.recv();
        } finally {
          ended.set();
        }
      });
      const socket = await connect(server.url);
      socket.terminate();
      await ended.wait();
      await server.close();
      assert.equal(server.statistics().failed, 0);
    }));

  it("calls it a failure when another connection of the handler has gone", () =>
    run(async () => {
      const told: unknown[] = [];
      await using upstream = await serve(() => {});
      await using server = await serve(
        async () => {
          await using behind = await connect(upstream.url);
          await behind.recv();
        },
        { onError: (error) => told.push(error) },
      );
      await using socket = await connect(server.url);
      assert.equal((await socket.waitClosed()).code, 1011);
      assert.ok(told[0] instanceof ConnectionClosedError);
    }));

  it("does not let what onError throws out", async () => {
    await using _warnings = expectWarning("MW_WARN_SUPPRESSED");
    await run(async () => {
      const fail = (): never => {
        throw new RangeError("out of range");
      };
      await using server = await serve(fail, { onError: fail });
      await using socket = await connect(server.url);
      assert.equal((await socket.waitClosed()).code, 1011);
    });
  });

  it("serves on a Unix socket", () =>
    run(async () => {
      const folder = mkdtempSync(join(tmpdir(), "meanwhile-"));
      try {
        const socketPath = join(folder, "socket");
        await using server = await serve((socket) => socket.send(String(socket.request.remoteAddress)), { socketPath });
        assert.deepEqual([server.address, server.port, server.url], [socketPath, undefined, "ws://localhost"]);
        await using socket = await connect(server.url, { socketPath });
        assert.equal(await socket.recv(), "undefined");
      } finally {
        rmSync(folder, { recursive: true });
      }
    }));

  it("serves over TLS, and tells who the client is", () =>
    run(async () => {
      const names: unknown[] = [];
      const handler = ({ request }: ServerConnection): unknown =>
        names.push(request.isSecure && request.clientCertificate?.subject.CN, request.url.protocol);
      const tls = { ...SERVER, ca: CA, requestCert: true, rejectUnauthorized: false };
      await using server = await serve(handler, { tls });
      assert.match(server.url, /^wss:/);
      for (const shown of [{}, { cert: CLIENT.cert, key: CLIENT.key }]) {
        await using socket = await connect(server.url, { tls: { ca: CA, ...shown } });
        await socket.waitClosed();
      }
      assert.deepEqual(names.slice(0, 2), [undefined, "wss:"]);
      assert.equal(typeof names[2], "string");
    }));

  it("ends connections over TLS that do not ask in time", () =>
    run(async () => {
      await using server = await serve(sleepForever, { tls: SERVER, openTimeoutMs: 20 });
      const silent = connectSocket(server.port ?? 0, "127.0.0.1").resume();
      await once(silent, "close");
      assert.equal(server.statistics().opened, 0);
    }));

  it("lets no more connections come than it could refuse", () =>
    run(async () => {
      await using server = await serve(sleepForever, { maxConnections: 2 });
      const sockets = Array.from({ length: 5 }, () => connectSocket(server.port ?? 0, "127.0.0.1").resume());
      const [first] = await Promise.race(sockets.map(async (socket) => [socket, await once(socket, "close")] as const));
      assert.ok(first.closed);
      assert.equal(sockets.filter((socket) => socket.closed).length, 1);
      for (const socket of sockets) socket.destroy();
    }));

  it("ends who has asked for nothing before it keeps out who asks", () =>
    run(async () => {
      await using server = await serve(sleepForever, { maxConnectionsPerAddress: 2, drainMs: 1 });
      const silent = Array.from({ length: 4 }, () => connectSocket(server.port ?? 0, "127.0.0.1").resume());
      await Promise.all(silent.map((socket) => once(socket, "connect")));
      await using first = await connect(server.url);
      await using second = await connect(server.url);
      await assert.rejects(connect(server.url), { status: 429 });
      assert.deepEqual([first.state, second.state], ["open", "open"]);
      for (const socket of silent) socket.destroy();
    }));

  it("makes room again when a connection is over", () =>
    run(async () => {
      await using server = await serve(() => {}, { maxConnections: 1 });
      for (let round = 0; round < 3; round++) {
        const socket = await connect(server.url);
        await socket.waitClosed();
        while (server.statistics().connections > 0) await sleep(1);
      }
      assert.deepEqual(server.statistics(), {
        state: "open",
        connections: 0,
        handshakes: 0,
        opened: 3,
        refused: 0,
        failed: 0,
      });
    }));

  it("tells a trace of those it opens and refuses, without what may be secret", () =>
    run(async () => {
      const events: TraceEvent[] = [];
      await using server = await serve(null, { routes: { "/": () => {} }, trace: (event) => events.push(event) });
      await using socket = await connect(server.url);
      await socket.waitClosed();
      await assert.rejects(connect(`${server.url}/other?token=secret`), { status: 404 });
      const kinds = events.map(({ kind }) => kind);
      assert.deepEqual(kinds, ["open", "closed", "refused"]);
      assert.deepEqual(events[2], { kind: "refused", url: `${server.url}/other?…`, status: 404 });
    }));

  it("lets handlers see what was stored in the context of its call", () =>
    run(async () => {
      const store = new AsyncLocalStorage<string>();
      await using server = await store.run("mine", () => serve((socket) => socket.send(store.getStore() ?? "nothing")));
      await using socket = await connect(server.url);
      assert.equal(await socket.recv(), "mine");
    }));

  it("says why it cannot listen", () =>
    run(async () => {
      await using server = await serve(sleepForever);
      await assert.rejects(serve(sleepForever, { port: server.port }), {
        code: "MW_ERR_WS_LISTEN",
        message: /Cannot listen on 127\.0\.0\.1:\d+: somebody listens there already/,
      });
      await assert.rejects(serve(sleepForever, { host: "203.0.113.1" }), { code: "MW_ERR_WS_LISTEN" });
    }));

  it("is refused outside of a run", async () => {
    await assert.rejects(serve(sleepForever), { code: "MW_ERR_OUTSIDE_RUN" });
  });
});

describe("a server that is attached to another one", () => {
  it("takes upgrades, and leaves requests to it", () =>
    run(async () => {
      await using web = await started();
      await using server = await serve((socket) => socket.send("socket"), { server: web.server });
      assert.equal(server.url, web.url);
      await using socket = await connect(`${server.url}/any`);
      assert.equal(await socket.recv(), "socket");
      assert.equal(await (await fetch(web.url.replace("ws:", "http:"))).text(), "page");
    }));

  it("leaves paths that no route matches to others, and refuses those that nobody takes", () =>
    run(async () => {
      await using web = await started();
      const say = (text: string) => ({
        routes: { [`/${text}`]: (socket: { send(message: string): unknown }) => socket.send(text) },
      });
      await using one = await serve(null, { server: web.server, ...say("one") });
      await using two = await serve(null, { server: web.server, ...say("two") });
      for (const name of ["one", "two"]) {
        await using socket = await connect(`${web.url}/${name}`);
        assert.equal(await socket.recv(), name);
      }
      await assert.rejects(connect(`${web.url}/three`), { status: 404 });
      assert.deepEqual([one.statistics().opened, two.statistics().opened], [1, 1]);
    }));

  for (const order of ["before", "after"] as const) {
    it(`leaves alone what another server has taken that came ${order} it`, () =>
      run(async () => {
        const onError = (error: unknown): never => assert.fail(String(error));
        const say = async (socket: ServerConnection): Promise<void> => {
          await socket.send(await socket.recv());
        };
        await using web = await started();
        const options = { server: web.server, onError };
        const named = (): Promise<Server> => serve(null, { ...options, routes: { "/a": say } });
        const rest = (): Promise<Server> => serve(say, options);
        await using first = await (order === "before" ? named() : rest());
        await using second = await (order === "before" ? rest() : named());
        for (const path of ["/a", "/x"]) {
          await using socket = await connect(web.url + path);
          await socket.send(path);
          assert.equal(await socket.recv(), path);
          assert.equal((await socket.waitClosed()).code, 1000);
        }
        assert.equal(first.statistics().opened + second.statistics().opened, 2);
      }));

    it(`leaves alone what a listener of its own program has taken ${order} it`, () =>
      run(async () => {
        const onError = (error: unknown): never => assert.fail(String(error));
        await using web = await started();
        const bare = new WebSocketServer({ noServer: true });
        const take = (message: IncomingMessage, socket: Duplex, head: Buffer): void => {
          if (message.url === "/hmr") bare.handleUpgrade(message, socket, head, (taken) => taken.send("theirs"));
        };
        if (order === "before") web.server.on("upgrade", take);
        // What it would refuse at once it leaves alone as well.
        await using server = await serve((socket) => socket.send("ours"), {
          server: web.server,
          onError,
          subprotocols: (offered) => offered[0] ?? null,
          allowedOrigins: ["https://ours.test"],
        });
        if (order === "after") web.server.on("upgrade", take);
        {
          await using socket = await connect(`${web.url}/hmr`, { origin: "https://theirs.test" });
          assert.equal(await socket.recv(), "theirs");
          await socket.ping();
        }
        await using socket = await connect(`${web.url}/x`);
        assert.equal(await socket.recv(), "ours");
        assert.deepEqual([server.statistics().opened, server.statistics().refused], [1, 0]);
      }));
  }

  it("is not ended by a request that cannot be read", () =>
    run(async () => {
      const told: string[] = [];
      await using web = await started();
      await using server = await serve(sleepForever, {
        server: web.server,
        onError: (_error, { during }) => told.push(during),
      });
      web.server.emit("upgrade", {}, new PassThrough(), Buffer.alloc(0));
      await sleep(0);
      assert.deepEqual(told, ["handshake"]);
      assert.equal(server.statistics().state, "open");
    }));

  it("leaves it alone when it is closed", () =>
    run(async () => {
      await using web = await started();
      const server = await serve((socket) => socket.send("hello"), { server: web.server });
      await using socket = await connect(server.url);
      await server.close();
      assert.equal((await socket.waitClosed()).code, 1000);
      assert.equal(web.server.listenerCount("upgrade"), 0);
      assert.equal(await (await fetch(web.url.replace("ws:", "http:"))).text(), "page");
    }));
});

async function started(): Promise<AsyncDisposable & { server: ReturnType<typeof createServer>; url: string }> {
  const server = createServer((_request, response) => response.setHeader("Connection", "close").end("page"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    server,
    url: `ws://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
