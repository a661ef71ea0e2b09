import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { describe, it } from "node:test";

import { cancelScope, createTask, Event, isCancelled, moveOnAfter, run, sleep, sleepForever } from "meanwhile";

import { expectWarning } from "../../../tools/test-setup.ts";
import { connect, type Server, type ServerConnection, serve } from "../src/index.ts";
import { ask, readAnswer, requestOf } from "./raw-requests.ts";

/** Takes what comes, and ends when the connection does. */
async function listen(socket: ServerConnection): Promise<void> {
  for await (const _ of socket);
}

describe("closing a server", () => {
  it("closes its connections with 1001, or with what is said, and waits for the handlers", () =>
    run(async () => {
      for (const [code, reason] of [
        [1001, ""],
        [4000, "later"],
      ] as const) {
        let ended = false;
        const server = await serve(async (socket) => {
          try {
            await listen(socket);
          } finally {
            await sleep(2);
            ended = true;
          }
        });
        await using socket = await connect(server.url);
        await (code === 1001 ? server.close() : server.close(code, reason));
        assert.ok(ended);
        assert.deepEqual(await socket.waitClosed(), { code, reason, by: "peer", wasClean: true });
        assert.equal(server.statistics().failed, 0);
        assert.equal(server.statistics().state, "closed");
        assert.equal(server.connections.size, 0);
      }
    }));

  it("takes nobody in any more", () =>
    run(async () => {
      const server = await serve(listen);
      await server.close();
      await assert.rejects(ask(server.port), { code: "ECONNREFUSED" });
    }));

  it("refuses with 503 who is being let in", () =>
    run(async () => {
      const asked = new Event();
      const goOn = new Event();
      const authenticate = async (): Promise<string> => {
        asked.set();
        await goOn.wait();
        return "ada";
      };
      const server = await serve<string>(() => assert.fail("it was let in"), { authenticate, allowedOrigins: "any" });
      const client = connectSocket(server.port ?? 0, "127.0.0.1");
      client.write(requestOf());
      await asked.wait();
      const closing = createTask(() => server.close());
      goOn.set();
      assert.match(await readAnswer(client), /^HTTP\/1\.1 503 /);
      await closing;
      assert.equal(server.statistics().failed, 0);
    }));

  it("cancels handlers that go on, and cuts their connections", () =>
    run(async () => {
      let wasCancelled = false;
      const server = await serve(async () => {
        try {
          await sleepForever();
        } catch (error) {
          wasCancelled = isCancelled(error);
          throw error;
        }
      });
      // It never answers the close frame.
      const client = connectSocket(server.port ?? 0, "127.0.0.1");
      client.on("error", () => {});
      client.write(requestOf());
      await readAnswer(client);
      const begin = performance.now();
      await server.close(1001, "", { timeoutMs: 2 });
      assert.ok(performance.now() - begin < 1_000, "it was waited for the close frame of the client");
      assert.ok(wasCancelled);
      assert.equal(server.statistics().failed, 0);
      if (!client.closed) await once(client, "close");
    }));

  it("does not wait for ever for handlers that ignore their cancellation, and names them", async () => {
    await using warnings = expectWarning("MW_WARN_WS_STUCK");
    const letGo = Promise.withResolvers<void>();
    await run(async () => {
      const server = await serve(null, { routes: { "/rooms/:room": () => letGo.promise } });
      await using socket = await connect(`${server.url}/rooms/tea`);
      // A deadlock otherwise: nothing of this test keeps the process.
      const awake = setInterval(() => {}, 1_000);
      await server.close(1001, "", { timeoutMs: 1 });
      assert.match((await warnings.first()).message, /connection \d+, 127\.0\.0\.1 at \/rooms\/tea\..*cancellable\(\)/);
      assert.equal(server.statistics().state, "closing");
      assert.equal((await socket.waitClosed()).code, 1001);
      letGo.resolve();
      await server.waitClosed();
      assert.equal(server.statistics().state, "closed");
      clearInterval(awake);
    });
  });

  it("can be asked for again, with less patience", () =>
    run(async () => {
      const server = await serve(() => sleepForever());
      await using socket = await connect(server.url);
      const patient = createTask(() => server.close());
      await sleep(1);
      assert.ok(!patient.done);
      await server.close(1001, "", { timeoutMs: 1 });
      await patient;
      await server.close();
      assert.equal((await socket.waitClosed()).code, 1001);
    }));

  it("goes on when whoever waits for it is cancelled", () =>
    run(async () => {
      const server = await serve(listen);
      await using socket = await connect(server.url);
      await cancelScope(async (scope) => {
        scope.cancel();
        await server.close();
      });
      assert.equal(server.statistics().state, "closed");
      assert.equal((await socket.waitClosed()).code, 1001);
    }));

  it("in a handler is refused, as it would wait for itself", () =>
    run(async () => {
      const told: unknown[] = [];
      await using server: Server = await serve(() => server.close(), { onError: (error) => told.push(error) });
      await using socket = await connect(server.url);
      assert.equal((await socket.waitClosed()).code, 1011);
      assert.equal((told[0] as { code: string }).code, "MW_ERR_WS_BUSY");
    }));

  it("can be started by a handler", () =>
    run(async () => {
      const server = await serve(async (socket) => {
        createTask(() => server.close());
        await listen(socket);
      });
      await using socket = await connect(server.url);
      await server.waitClosed();
      assert.equal((await socket.waitClosed()).code, 1001);
    }));

  it("happens at the end of its run: handlers are cancelled, and clients told 1001", async () => {
    let wasCancelled = false;
    const closed = await run(async () => {
      const { server, client } = await run(async () => {
        const inner = await serve(async () => {
          try {
            await sleepForever();
          } catch (error) {
            wasCancelled = isCancelled(error);
            throw error;
          }
        });
        const socket = connectSocket(inner.port ?? 0, "127.0.0.1");
        socket.write(requestOf());
        await readAnswer(socket);
        // It answers with a close frame of its own, masked with zeros.
        socket.on("data", () => socket.end(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9])));
        return { server: inner, client: once(socket, "data") };
      });
      const [frame] = (await client) as [Buffer];
      return { state: server.statistics().state, frame };
    });
    assert.ok(wasCancelled);
    assert.equal(closed.state, "closed");
    assert.deepEqual([...closed.frame], [0x88, 2, 0x03, 0xe9]);
  });

  it("is waited for by waitClosed", () =>
    run(async () => {
      const server = await serve(listen);
      assert.equal(await moveOnAfter(1, () => server.waitClosed().then(() => "closed")), undefined);
      await server.close();
      await server.waitClosed();
    }));

  it("wants a code and a reason that fit into a close frame", () =>
    run(async () => {
      await using server = await serve(listen);
      for (const code of [999, 1005, 1006, 5000]) {
        await assert.rejects(server.close(code), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
      }
      await assert.rejects(server.close(1000, "x".repeat(124)), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
      await assert.rejects(server.close(1001, "", { timeoutMs: -1 }), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
      assert.equal(server.statistics().state, "open");
    }));
});
