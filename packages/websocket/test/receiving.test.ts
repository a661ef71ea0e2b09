import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, deflateRawSync } from "node:zlib";

import { connect, ConnectionClosedError, type TraceEvent } from "@meanwhile/websocket";
import { run, sleep, taskGroup, timeout, TimeoutError } from "meanwhile";
import type { WebSocket } from "ws";

import { echo, serveBare, serveRaw } from "./bare-peers.ts";
import { acceptance } from "./raw-acceptance.ts";

/** A frame with 900 000 bytes like this one, compressed. */
function packedOf(byte: number): Buffer {
  const flush = { finishFlush: constants.Z_SYNC_FLUSH };
  const packed = deflateRawSync(Buffer.alloc(900_000, byte), flush).subarray(0, -4);
  return Buffer.concat([Buffer.from([0xc2, 126, packed.length >> 8, packed.length & 0xff]), packed]);
}

describe("receiving", () => {
  it("gives texts as strings and bytes as bytes, in the order they came", async () => {
    await using server = await serveBare(echo);
    await using socket = await connect(server.url);
    await socket.send("héllo 😀");
    await socket.send(new Uint8Array([0, 255]));
    await socket.send(new Uint8Array([7]).buffer);
    await socket.send("");
    assert.equal(await socket.recv(), "héllo 😀");
    assert.deepEqual(await socket.recv(), Buffer.from([0, 255]));
    assert.deepEqual(await socket.recv(), Buffer.from([7]));
    assert.equal(await socket.recv(), "");
  });

  it("reads JSON, and says that a message is none without showing it", async () => {
    await using server = await serveBare(echo);
    await using socket = await connect(server.url);
    await socket.sendJson({ a: [1] });
    assert.deepEqual(await socket.recvJson(), { a: [1] });
    await socket.send("canary");
    await assert.rejects(socket.recvJson(), (error: Error) => {
      assert.equal((error as { code?: string }).code, "MW_ERR_WS_MESSAGE");
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
    await assert.rejects(socket.sendJson(undefined), { code: "MW_ERR_WS_MESSAGE" });
    await assert.rejects(socket.sendJson(1n), { code: "MW_ERR_WS_MESSAGE" });
  });

  it("loses no message when it is cancelled", async () => {
    let peer: WebSocket | undefined;
    await using server = await serveBare((socket) => (peer = socket));
    await using socket = await connect(server.url);
    await assert.rejects(
      timeout(1, () => socket.recv()),
      TimeoutError,
    );
    peer?.send("one");
    peer?.send("two");
    assert.equal(await socket.recv(), "one");
    assert.equal(await socket.recv(), "two");
  });

  it("refuses a second one at once and names the first", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url);
    await run(() =>
      taskGroup(async (group) => {
        const first = group.createTask(() => socket.recv(), { name: "reader" });
        await sleep(5);
        await assert.rejects(socket.recv(), { code: "MW_ERR_WS_BUSY", message: /the task "reader"/ });
        await socket.send("for the first");
        assert.equal(await first, "for the first");
      }),
    );
  });

  it("delivers what came before the end, then throws", async () => {
    await using server = await serveBare((socket) => {
      socket.send("one");
      socket.send("two");
      socket.close(4001, "enough");
    });
    await using socket = await connect(server.url);
    await socket.waitClosed();
    assert.equal(await socket.recv(), "one");
    assert.equal(await socket.recv(), "two");
    const expected = { code: "MW_ERR_WS_CLOSED", closeCode: 4001, reason: "enough", by: "peer", wasClean: true };
    await assert.rejects(socket.recv(), expected);
    await assert.rejects(socket.recv(), expected);
  });

  for (const code of [1000, 1001, undefined]) {
    it(`ends a loop without an error when the peer closes with ${code ?? "no code"}`, async () => {
      await using server = await serveBare((socket) => {
        socket.send("last");
        socket.close(code);
      });
      await using socket = await connect(server.url);
      assert.deepEqual(await Array.fromAsync(socket), ["last"]);
      assert.equal(socket.closed?.code, code ?? 1005);
      assert.deepEqual(await Array.fromAsync(socket), []);
    });
  }

  for (const [what, end] of [
    ["closes with another code", (socket: WebSocket) => socket.close(1011, "oops")],
    ["cuts the connection", (socket: WebSocket) => socket.terminate()],
  ] as const) {
    it(`ends a loop with an error when the peer ${what}`, async () => {
      await using server = await serveBare(end);
      await using socket = await connect(server.url);
      await assert.rejects(async () => {
        for await (const message of socket) assert.fail(`received ${message.length}`);
      }, ConnectionClosedError);
    });
  }

  it("says that the network failed, and how", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url);
    server.sockets[0]?.resetAndDestroy();
    await assert.rejects(socket.recv(), { by: "network", closeCode: 1006, wasClean: false, message: /ECONNRESET/ });
  });

  it("slows down a peer whose messages are not received", async () => {
    const chunk = Buffer.alloc(16_384);
    const count = 2_000;
    let peer: WebSocket | undefined;
    await using server = await serveBare((socket) => {
      peer = socket;
      for (let index = 0; index < count; index += 1) socket.send(chunk);
    });
    await using socket = await connect(server.url, { queue: { high: 4 } });
    while (!socket.statistics().isPaused) await new Promise(setImmediate);
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    // One piece of what the socket has read may hold a few more.
    assert.ok(socket.statistics().queued <= 4 + 5, String(socket.statistics().queued));
    assert.ok((peer?.bufferedAmount ?? 0) > 0);
    for (let index = 0; index < count; index += 1) assert.equal((await socket.recv()).length, chunk.length);
    assert.equal(socket.statistics().queued, 0);
    assert.equal(socket.statistics().isPaused, false);
  });

  it("unpacks no more than is received, however small it came", async () => {
    const packed = packedOf(0);
    await using server = await serveRaw((socket) => {
      const fields = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
      socket.once("data", (request: Buffer) => {
        socket.write(acceptance(request, fields));
        // All in one piece: pausing the socket would come too late.
        setImmediate(() => socket.write(Buffer.concat(Array<Buffer>(40).fill(packed))));
      });
    });
    await using socket = await connect(server.url, { closeTimeoutMs: 10 });
    while (!socket.statistics().isPaused) await new Promise(setImmediate);
    for (let turn = 0; turn < 10; turn += 1) await sleep(5);
    assert.ok(socket.statistics().messagesReceived <= 3, String(socket.statistics().messagesReceived));
    for (let index = 0; index < 40; index += 1) assert.equal((await socket.recv()).length, 900_000);
  });

  for (const closes of [false, true]) {
    const ending = closes ? "after a close frame" : "without one";
    it(`leaves out no message in the middle, and ends with an error, when more came than it keeps of a connection lost ${ending}`, async () => {
      await using server = await serveRaw((socket) => {
        const fields = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
        socket.once("data", (request: Buffer) => {
          socket.write(acceptance(request, fields));
          const messages = Array.from({ length: 40 }, (_, index) => packedOf(index));
          const end = closes ? Buffer.from([0x88, 2, 3, 232]) : Buffer.alloc(0);
          setImmediate(() => socket.write(Buffer.concat([...messages, end])));
        });
      });
      await using socket = await connect(server.url, { maxMessageBytes: 900_000 });
      while (!socket.statistics().isPaused) await new Promise(setImmediate);
      await sleep(5); // all has come
      server.sockets[0]?.resetAndDestroy();
      // Nothing is read, so that the connection is lost is noticed by who writes.
      while (socket.state === "open") {
        await Promise.race([socket.send("x").catch(() => {}), sleep(1)]);
      }
      const unpacked = async (count: number): Promise<void> => {
        while (socket.statistics().messagesReceived < count) await sleep(1);
      };
      await unpacked(20);
      const got = [(await socket.recv())[0], (await socket.recv())[0]]; // which makes room again
      await unpacked(40);
      const end = { closeCode: 1006, by: "network", wasClean: false, message: /too many to keep/ };
      await assert.rejects(async () => {
        for await (const message of socket) got.push(message[0]);
      }, end);
      assert.ok(got.length >= 4 && got.length < 40, String(got.length));
      assert.deepEqual(got, Array.from(got.keys()));
    });
  }

  it("closes with 1009 where a message is too long, before or after unpacking", async () => {
    for (const perMessageDeflate of [false, true]) {
      await using server = await serveBare((socket) => socket.send(Buffer.alloc(2_000)), { perMessageDeflate });
      await using socket = await connect(server.url, { maxMessageBytes: 1_000 });
      const expected = { closeCode: 1009, reason: "", by: "us", wasClean: false, message: /'maxMessageBytes'/ };
      await assert.rejects(socket.recv(), expected);
    }
  });

  it("closes with 1008 where a message comes in too many pieces", async () => {
    await using server = await serveBare((socket) => {
      for (let index = 0; index < 5; index += 1) socket.send("x", { fin: false });
    });
    await using socket = await connect(server.url, { maxFragments: 3 });
    await assert.rejects(socket.recv(), { closeCode: 1008, by: "us", message: /'maxFragments'/ });
  });

  it("goes on after a loop was left", async () => {
    await using server = await serveBare((socket) => {
      socket.send("one");
      echo(socket);
    });
    await using socket = await connect(server.url);
    for await (const message of socket) {
      assert.equal(message, "one");
      break;
    }
    assert.equal(socket.state, "open");
    await socket.send("two");
    assert.equal(await socket.recv(), "two");
  });

  it("tells its trace of messages without what is in them", async () => {
    await using server = await serveBare(echo);
    const events: TraceEvent[] = [];
    {
      await using socket = await connect(`${server.url}/path?key=canary`, { trace: (event) => events.push(event) });
      await socket.send("canary");
      await socket.recv();
      await socket.ping();
    }
    const kinds = events.map(({ kind }) => kind);
    assert.deepEqual(kinds, ["connect-start", "open", "sent", "received", "pong", "closed"]);
    assert.doesNotMatch(JSON.stringify(events), /canary/);
    assert.equal(events[0]?.url, `${server.url}/path?…`);
  });
});
