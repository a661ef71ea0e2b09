import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";

import { connect } from "@meanwhile/websocket";
import { gather, isCancelled, moveOnAfter, run, sleep } from "meanwhile";

import { serveBare, serveRaw } from "./bare-peers.ts";
import { acceptance } from "./raw-acceptance.ts";

describe("closing", () => {
  it("ends with the block, with 1000", async () => {
    let closed: Promise<unknown[]> | undefined;
    await using server = await serveBare((socket) => void (closed = once(socket, "close")));
    {
      await using socket = await connect(server.url);
      assert.equal(socket.state, "open");
      assert.equal(socket.closed, undefined);
    }
    assert.equal((await closed)?.[0], 1000);
    await server.allClosed();
  });

  it("sends the code and the reason, and knows that both sides agreed", async () => {
    let closed: Promise<unknown[]> | undefined;
    await using server = await serveBare((socket) => void (closed = once(socket, "close")));
    await using socket = await connect(server.url);
    await socket.close(4321, "bye");
    assert.deepEqual(await socket.waitClosed(), { code: 4321, reason: "bye", by: "us", wasClean: true });
    assert.equal(String((await closed)?.join(" ")), "4321 bye");
    // Again it does nothing.
    await socket.close(4000, "other");
    socket.terminate();
    assert.equal(socket.closed?.code, 4321);
  });

  it("refuses codes and reasons that cannot be sent", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url);
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 1000.5, "1000"] as number[]) {
      await assert.rejects(socket.close(code), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
    }
    await assert.rejects(socket.close(1000, "x".repeat(124)), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
    assert.equal(socket.state, "open");
  });

  it("reads on to the close frame of the peer although nobody receives", async () => {
    await using server = await serveBare(
      (socket) => {
        for (let index = 0; index < 100; index += 1) socket.send(Buffer.alloc(100_000));
      },
      { perMessageDeflate: true },
    );
    await using socket = await connect(server.url);
    while (!socket.statistics().isPaused) await new Promise(setImmediate);
    await socket.close();
    assert.equal(socket.closed?.wasClean, true);
    // What had come is still there.
    assert.equal((await socket.recv()).length, 100_000);
  });

  it("cuts a connection whose peer does not answer, after closeTimeoutMs", async () => {
    await using server = await serveRaw((socket) => {
      socket.once("data", (head: Buffer) => socket.write(acceptance(head)));
    });
    await using socket = await connect(server.url, { closeTimeoutMs: 20 });
    await socket.close(4000);
    assert.deepEqual(socket.closed, { code: 4000, reason: "", by: "us", wasClean: false });
    await server.allClosed();
  });

  it("leaves a peer that does not answer soon when it is cancelled", async () => {
    await using server = await serveRaw((socket) => {
      socket.once("data", (head: Buffer) => socket.write(acceptance(head)));
    });
    await run(async () => {
      const socket = await connect(server.url);
      await moveOnAfter(1, () => socket.close().catch((error: unknown) => assert.ok(isCancelled(error))));
      assert.notEqual(socket.state, "open");
      await socket.waitClosed();
    });
    await server.allClosed();
  });

  it("closes properly in a scope that is cancelled", async () => {
    let closed: Promise<unknown[]> | undefined;
    await using server = await serveBare((socket) => void (closed = once(socket, "close")));
    await run(() =>
      moveOnAfter(50, async () => {
        await using socket = await connect(server.url);
        await socket.recv();
      }),
    );
    assert.equal((await closed)?.[0], 1000);
  });

  it("is told to everybody who waits", async () => {
    await using server = await serveBare((socket) => socket.on("message", () => socket.close(4000)));
    await using socket = await connect(server.url, { pingIntervalMs: null });
    await gather([
      () => assert.rejects(socket.recv(), { closeCode: 4000 }),
      async () => assert.equal((await socket.waitClosed()).code, 4000),
      async () => assert.equal((await socket.waitClosed()).by, "peer"),
      async () => {
        await sleep(1);
        await socket.send("x");
      },
    ]);
    await assert.rejects(socket.ping(), { closeCode: 4000 });
    await assert.rejects(socket.send("y"), { closeCode: 4000 });
    await assert.rejects(socket.send(["y"]), { closeCode: 4000 });
  });

  it("terminates at once without a word", async () => {
    let closed: Promise<unknown[]> | undefined;
    await using server = await serveBare((socket) => void (closed = once(socket, "close")));
    await using socket = await connect(server.url);
    socket.terminate();
    await assert.rejects(socket.recv(), { by: "us", closeCode: 1006, wasClean: false, message: /terminated/ });
    assert.equal((await closed)?.[0], 1006);
  });

  it("closes with 1002 where the peer breaks the protocol, and says how", async () => {
    await using server = await serveRaw((socket) => {
      // An opcode that there is not.
      socket.once("data", (head: Buffer) => socket.write(Buffer.concat([acceptance(head), Buffer.from([0x83, 0])])));
    });
    await using socket = await connect(server.url, { closeTimeoutMs: 20 });
    await assert.rejects(socket.recv(), { closeCode: 1002, by: "us", wasClean: false, message: /invalid opcode 3/ });
  });
});
