import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connect } from "@meanwhile/websocket";
import { run, sleep, taskGroup } from "meanwhile";

import { serveBare, serveRaw } from "./bare-peers.ts";
import { acceptance } from "./raw-acceptance.ts";

/** Keeps the event loop from turning. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** A peer that opens a connection and never answers a ping. */
function serveDead(onHead: (write: (bytes: number[]) => void) => void = () => {}) {
  return serveRaw((socket) => {
    socket.once("data", (head: Buffer) => {
      socket.write(acceptance(head));
      onHead((bytes) => socket.write(Buffer.from(bytes)));
    });
  });
}

describe("keep-alive", () => {
  it("measures how long the peer takes to answer", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url);
    assert.equal(socket.latencyMs, undefined);
    const latency = await socket.ping();
    assert.equal(socket.latencyMs, latency);
    assert.ok(latency > 0 && latency < 1_000);
  });

  it("pings by itself, and keeps a connection that is answered", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url, { pingIntervalMs: 2, pingTimeoutMs: 2_000 });
    while (socket.latencyMs === undefined) await sleep(1);
    await sleep(10);
    assert.equal(socket.state, "open");
  });

  it("closes a connection whose peer does not answer, with 1011, without waiting for it", async () => {
    await using server = await serveDead();
    await using socket = await connect(server.url, { pingIntervalMs: 2, pingTimeoutMs: 10 });
    await assert.rejects(socket.recv(), {
      code: "MW_ERR_WS_PING_TIMEOUT",
      closeCode: 1011,
      by: "us",
      wasClean: false,
      message: /did not answer a ping within 10 ms/,
    });
    await server.allClosed();
    await assert.rejects(socket.send("x"), { code: "MW_ERR_WS_PING_TIMEOUT" });
  });

  it("takes pongs for pings that it did not send for nothing", async () => {
    await using server = await serveRaw((socket) => {
      let count = 0;
      socket.on("data", (data: Buffer) => {
        count += 1;
        if (count === 1) socket.write(acceptance(data));
        if (count === 2) socket.write(Buffer.from([0x8a, 4, 1, 2, 3, 4, 0x8a, 0, 0x81, 1, 120]));
      });
    });
    await using socket = await connect(server.url, { pingIntervalMs: null, closeTimeoutMs: 10 });
    await run(() =>
      taskGroup(async (group) => {
        const ping = group.createTask(() => socket.ping());
        assert.equal(await socket.recv(), "x");
        assert.equal(ping.done, false);
        ping.cancel();
      }),
    );
    assert.equal(socket.latencyMs, undefined);
  });

  it("takes what comes for a sign of life", async () => {
    let timer: ReturnType<typeof setInterval> | undefined;
    await using server = await serveDead((write) => (timer = setInterval(() => write([0x81, 1, 120]), 2)));
    await using socket = await connect(server.url, { pingIntervalMs: 2, pingTimeoutMs: 100 });
    for (let index = 0; index < 150; index += 1) assert.equal(await socket.recv(), "x");
    clearInterval(timer);
    await assert.rejects(
      async () => {
        for (;;) await socket.recv();
      },
      { code: "MW_ERR_WS_PING_TIMEOUT" },
    );
  });

  it("keeps a connection whose pong has come while the event loop was blocked", async () => {
    const blocked: number[] = [];
    // The peer, which is in this process, has answered when it tells of the ping.
    await using server = await serveBare((socket) => {
      socket.on("ping", () => {
        if (blocked.length < 3) block(250);
        blocked.push(250);
      });
    });
    await using socket = await connect(server.url, { pingIntervalMs: 5, pingTimeoutMs: 100 });
    while (blocked.length < 4) await sleep(1);
    assert.equal(socket.state, "open");
  });

  it("says so when the event loop was blocked and no pong has come", async () => {
    await using server = await serveDead();
    await using socket = await connect(server.url, { pingIntervalMs: 2, pingTimeoutMs: 40 });
    await sleep(8);
    block(300);
    await assert.rejects(socket.recv(), { message: /event loop of this process was blocked for \d+ ms/ });
  });

  it("does not blame a peer that this side does not read from", async () => {
    await using server = await serveBare((socket) => {
      for (let index = 0; index < 200; index += 1) socket.send(Buffer.alloc(65_536));
    });
    await using socket = await connect(server.url, { pingIntervalMs: 2, pingTimeoutMs: 30, queue: { high: 1 } });
    while (!socket.statistics().isPaused) await new Promise(setImmediate);
    for (let index = 0; index < 15; index += 1) await sleep(10);
    assert.equal(socket.state, "open");
    for (let index = 0; index < 200; index += 1) assert.equal((await socket.recv()).length, 65_536);
    assert.equal(socket.state, "open");
  });

  it("does not keep the process alive, and ends with the connection", async () => {
    await using server = await serveBare();
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    {
      await using _one = await connect(server.url);
      await using _two = await connect(server.url);
    }
    assert.equal(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length, before);
  });

  it("does not ping where it is not to", async () => {
    let pings = 0;
    await using server = await serveBare((socket) => socket.on("ping", () => (pings += 1)));
    await using socket = await connect(server.url, { pingIntervalMs: null });
    await sleep(10);
    assert.equal(pings, 0);
    await socket.ping();
    assert.equal(pings, 1);
  });
});
