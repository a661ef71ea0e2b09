import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connect, type Connection, serve } from "@meanwhile/websocket";
import { gather, run, sleep } from "meanwhile";

import { serveBare, serveRaw } from "./bare-peers.ts";
import { openRaw, type RawPeer, RawServer } from "./conformance/raw-peer.ts";
import { encode, PING, PONG, TEXT } from "./conformance/wire.ts";
import { acceptance } from "./raw-acceptance.ts";

const MANY = 10_000;

function framesOf(peer: RawPeer, opcode: number, payloads: readonly string[]): Buffer {
  return Buffer.concat(
    payloads.map((text) => encode({ opcode, payload: Buffer.from(text), fin: true, rsv: 0 }, peer.side)),
  );
}

/** The payloads of the pongs that come, up to this one. */
async function pongsUpTo(peer: RawPeer, last: string): Promise<readonly string[]> {
  const pongs: string[] = [];
  while (pongs.at(-1) !== last) {
    const frame = await peer.next();
    assert.equal(frame?.opcode, PONG, "the connection is still open");
    pongs.push(frame?.payload.toString() ?? "");
  }
  return pongs;
}

async function untilPaused(socket: Connection): Promise<void> {
  while (!socket.statistics().isPaused) await new Promise(setImmediate);
}

/** How many timers keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

describe("pings of the peer", () => {
  it(`are answered, ${MANY} at once, by a server and by a client`, async () => {
    await run(async () => {
      const pingAll = (socket: Connection): Promise<number[]> =>
        Promise.all(Array.from({ length: MANY }, () => socket.ping()));
      await using server = await serve(async (socket) => {
        await pingAll(socket);
        await socket.send("all answered");
        await socket.recv();
      });
      await using socket = await connect(server.url);
      assert.equal((await pingAll(socket)).length, MANY);
      assert.equal(await socket.recv(), "all answered");
      assert.equal(socket.state, "open");
      await socket.send("end");
    });
  });

  it("are answered in their order if they are few, and by the answer to the latest if they are many", async () => {
    const payloads = Array.from({ length: MANY }, (_, index) => `ping ${index}`);
    await using raw = await RawServer.start();
    const [socket, peer] = await Promise.all([connect(raw.url, { closeTimeoutMs: 10 }), raw.accept()]);
    await using _socket = socket;
    peer.write(framesOf(peer, PING, payloads.slice(0, 10)));
    assert.deepEqual(await pongsUpTo(peer, "ping 9"), payloads.slice(0, 10));
    peer.write(framesOf(peer, PING, payloads));
    const pongs = await pongsUpTo(peer, `ping ${MANY - 1}`);
    const numbers = pongs.map((pong) => payloads.indexOf(pong));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
    assert.equal(socket.state, "open");
  });

  it("cost a server no memory while it cannot answer, as the peer does not read", async () => {
    await run(async () => {
      let served: Connection | undefined;
      await using server = await serve(
        async (socket) => {
          served = socket;
          await socket.send(Buffer.alloc(16_777_216)); // more than any network takes
        },
        { compression: "off", drainMs: 1, closeTimeoutMs: 10 },
      );
      const { peer } = await openRaw(server.port ?? 0);
      using _peer = peer;
      peer.socket.pause();
      const read = served?.statistics().bytesReceived ?? 0;
      const pings = framesOf(peer, PING, Array.from({ length: MANY }, String));
      peer.write(pings);
      while ((served?.statistics().bytesReceived ?? 0) < read + pings.length) await sleep(1);
      assert.ok((served?.bufferedBytes ?? Infinity) <= 16_777_216 + 16 * 16, String(served?.bufferedBytes));
      assert.equal(served?.state, "open");
      served?.terminate();
    });
  });
});

describe("ping", () => {
  it("ends in time while messages that nobody receives hold back its answer, and the connection lives on", async () => {
    await using server = await serveBare((socket) => {
      for (let index = 0; index < 40; index += 1) socket.send("x");
    });
    for (const pingIntervalMs of [null, 2]) {
      await using socket = await connect(server.url, { pingIntervalMs, pingTimeoutMs: 50 });
      await untilPaused(socket);
      await assert.rejects(socket.ping(), {
        name: "WebSocketError",
        code: "MW_ERR_WS_PING_TIMEOUT",
        message: /messages wait to be received; receive them/,
      });
      for (let index = 0; index < 40; index += 1) assert.equal(await socket.recv(), "x");
      assert.ok((await socket.ping()) >= 0);
    }
  });

  it("ends in time without a keep-alive when the peer is silent", async () => {
    await using server = await serveRaw((socket) =>
      socket.once("data", (head: Buffer) => socket.write(acceptance(head))),
    );
    await using socket = await connect(server.url, { pingIntervalMs: null, pingTimeoutMs: 10, closeTimeoutMs: 10 });
    const pings = [socket.ping(), socket.ping()];
    for (const ping of pings) {
      await assert.rejects(ping, { code: "MW_ERR_WS_PING_TIMEOUT", message: /did not answer within 10 ms/ });
    }
    assert.equal(socket.state, "open");
  });

  it("waits on while anything comes, as the answer may be behind that", async () => {
    await using raw = await RawServer.start();
    const options = { pingIntervalMs: null, pingTimeoutMs: 50, closeTimeoutMs: 10 };
    const [socket, peer] = await Promise.all([connect(raw.url, options), raw.accept()]);
    await using _socket = socket;
    const latency = socket.ping();
    const ping = await peer.next();
    const text = framesOf(peer, TEXT, ["x"]);
    for (let turn = 0; turn < 30; turn += 1) {
      peer.write(text);
      await sleep(5);
      await socket.recv();
    }
    peer.write(encode({ opcode: PONG, payload: ping?.payload ?? Buffer.alloc(0), fin: true, rsv: 0 }, peer.side));
    assert.ok((await latency) >= 100);
  });

  it("leaves no timer behind, however it ends", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url, { pingIntervalMs: null });
    const before = timers();
    await gather([() => socket.ping(), () => socket.ping()]);
    assert.equal(timers(), before);
    const cut = socket.ping();
    socket.terminate();
    await assert.rejects(cut, { code: "MW_ERR_WS_CLOSED" });
    assert.equal(timers(), before);
  });
});

describe("a connection that is not read", () => {
  it("keeps the process alive, as one that is read does", async () => {
    await using server = await serveBare((socket) => {
      for (let index = 0; index < 40; index += 1) socket.send("x");
    });
    const before = timers();
    await using socket = await connect(server.url, { pingIntervalMs: null });
    await untilPaused(socket);
    assert.equal(timers(), before + 1);
    for (let index = 0; index < 40; index += 1) await socket.recv();
    assert.equal(timers(), before);
  });
});
