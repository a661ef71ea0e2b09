import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";

import { connect, type Connection } from "@meanwhile/websocket";
import { isCancelled, moveOnAfter, run, sleep, taskGroup } from "meanwhile";
import type { WebSocket } from "ws";

import { serveBare } from "./bare-peers.ts";

/** Frames as they come, before they are put together. */
interface Frame {
  readonly text: string;
  readonly isLast: boolean;
}

/** A server that does not read before it is told to. */
async function serveDeaf(): Promise<{ server: Awaited<ReturnType<typeof serveBare>>; peer: () => WebSocket }> {
  let peer: WebSocket | undefined;
  const server = await serveBare((socket) => {
    peer = socket;
    socket.pause();
  });
  return { server, peer: () => peer ?? assert.fail("nobody has come") };
}

async function fill(socket: Connection): Promise<number> {
  let sent = 0;
  await moveOnAfter(100, async () => {
    for (;;) {
      sent += 1;
      await socket.send(Buffer.alloc(65_536));
    }
  });
  return sent;
}

describe("sending", () => {
  it("waits while the peer does not read, and keeps no more in memory than it may", async () => {
    const { server, peer } = await serveDeaf();
    await using _server = server;
    await using socket = await connect(server.url, { compression: "off", writeLimitBytes: 1_000 });
    const sent = await fill(socket);
    assert.ok(socket.bufferedBytes > 1_000 && socket.bufferedBytes < 3 * 65_536, String(socket.bufferedBytes));
    let heard = 0;
    const allHeard = new Promise<void>((resolve) => {
      peer().on("message", () => {
        heard += 1;
        if (heard === sent + 1) resolve();
      });
    });
    peer().resume();
    // The one that was cancelled while it waited for room was sent.
    await socket.send("last");
    await allHeard;
    assert.equal(heard, sent + 1);
  });

  it("sends nothing when it is cancelled before it begins", async () => {
    const heard: string[] = [];
    await using server = await serveBare((socket) =>
      socket.on("message", (data: Buffer) => heard.push(data.toString())),
    );
    await using socket = await connect(server.url);
    await run(() =>
      moveOnAfter(0, async (scope) => {
        scope.cancel();
        await socket.send("never").catch((error: unknown) => assert.ok(isCancelled(error)));
        await socket.send(["never"]).catch((error: unknown) => assert.ok(isCancelled(error)));
      }),
    );
    await socket.send("once");
    await socket.close();
    assert.deepEqual(heard, ["once"]);
  });

  it("sends what an iterable gives as pieces of one message, and does not split a character", async () => {
    const frames: Frame[] = [];
    await using server = await serveBare((socket) => {
      // The frames themselves, as `ws` puts them together.
      const receiver = (socket as unknown as { _receiver: { _fin: boolean; dataMessage: (cb: unknown) => void } })
        ._receiver;
      const dataMessage = receiver.dataMessage.bind(receiver);
      receiver.dataMessage = (callback) => {
        frames.push({ text: "", isLast: receiver._fin });
        dataMessage(callback);
      };
      socket.on("message", (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await using socket = await connect(server.url, { compression: "off" });
    await socket.send(["one ", "\u{d83d}", "\u{de00}"]);
    assert.equal(await socket.recv(), "one 😀");
    assert.deepEqual(
      frames.map(({ isLast }) => isLast),
      [false, false, false, true],
    );
    async function* bytes() {
      yield new Uint8Array([1]);
      await sleep(1);
      yield new Uint8Array([2]);
    }
    await socket.send(bytes());
    assert.deepEqual(await socket.recv(), Buffer.from([1, 2]));
    assert.equal(socket.statistics().messagesSent, 2);
  });

  it("sends nothing for an iterable that is empty", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url);
    await socket.send([]);
    await socket.send("after");
    assert.equal(await socket.recv(), "after");
  });

  it("lets others wait while a message is sent piece by piece", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url);
    await run(() =>
      taskGroup(async (group) => {
        const isBegun = Promise.withResolvers<void>();
        const goOn = Promise.withResolvers<void>();
        group.createTask(() =>
          socket.send(
            (async function* () {
              yield "a";
              isBegun.resolve();
              await goOn.promise;
              yield "b";
            })(),
          ),
        );
        await isBegun.promise;
        group.createTask(() => socket.send("second"));
        group.createTask(() => socket.send(["thi", "rd"]));
        // Control frames go between the pieces.
        await socket.ping();
        goOn.resolve();
        assert.deepEqual([await socket.recv(), await socket.recv(), await socket.recv()], ["ab", "second", "third"]);
      }),
    );
  });

  it("closes the connection when it is cancelled with a message partly out", async () => {
    let closed: Promise<unknown[]> | undefined;
    await using server = await serveBare((socket) => void (closed = once(socket, "close")));
    await using socket = await connect(server.url);
    let isCleanedUp = false;
    await moveOnAfter(5, () =>
      socket.send(
        (async function* () {
          try {
            yield "a";
            await sleep(60_000);
          } finally {
            isCleanedUp = true;
          }
        })(),
      ),
    );
    assert.ok(isCleanedUp);
    await assert.rejects(socket.send("b"), { closeCode: 1011, by: "us", reason: "a message was cut short" });
    assert.equal((await closed)?.[0], 1011);
  });

  it("goes on after an iterable that fails before its first piece, and closes after it", async () => {
    await using server = await serveBare();
    await using socket = await connect(server.url);
    const failing = function* (pieces: string[]) {
      yield* pieces;
      throw new RangeError("no more");
    };
    await assert.rejects(socket.send(failing([])), RangeError);
    await socket.send("fine");
    assert.equal(await socket.recv(), "fine");
    await assert.rejects(socket.send(failing(["a"])), RangeError);
    await assert.rejects(socket.recv(), { closeCode: 1011, by: "us" });
  });

  it("refuses pieces of two kinds, and what is no message", async () => {
    for (const pieces of [["a", new Uint8Array(1)], [new Uint8Array(1), "a"], [1]] as never[]) {
      await using server = await serveBare();
      await using socket = await connect(server.url);
      await assert.rejects(socket.send(pieces), { code: "MW_ERR_WS_MESSAGE" });
    }
    await using server = await serveBare();
    await using socket = await connect(server.url);
    for (const message of [1, null, undefined, {}, new Date()] as never[]) {
      await assert.rejects(socket.send(message), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
    }
    assert.equal(socket.state, "open");
  });

  it("tells everybody who waits for room when the connection is lost", async () => {
    const { server } = await serveDeaf();
    await using _server = server;
    await using socket = await connect(server.url, { compression: "off" });
    await fill(socket);
    await run(() =>
      taskGroup(async (group) => {
        group.createTask(() => assert.rejects(socket.send("x".repeat(100_000)), { by: "network" }));
        group.createTask(() => assert.rejects(socket.send("y".repeat(100_000)), { by: "network" }));
        await sleep(1);
        server.sockets[0]?.resetAndDestroy();
      }),
    );
  });

  it("compresses what is long enough, and only that", async () => {
    await using server = await serveBare(undefined, { perMessageDeflate: true });
    await using socket = await connect(server.url);
    await socket.send("x".repeat(1_000));
    await socket.recv();
    const plain = socket.statistics().bytesSent;
    await socket.send("x".repeat(100_000));
    assert.equal((await socket.recv()).length, 100_000);
    assert.ok(plain > 1_000);
    assert.ok(socket.statistics().bytesSent - plain < 2_000);
  });

  it("refuses a piece that is undefined, wherever it comes, instead of ending the message there", async () => {
    const heard: string[] = [];
    await using server = await serveBare((socket) =>
      socket.on("message", (data: Buffer) => heard.push(data.toString())),
    );
    for (const pieces of [["a", undefined, "b"], [undefined, "y"], [undefined]]) {
      await using socket = await connect(server.url);
      const source = pieces as string[];
      await assert.rejects(socket.send(source), { code: "MW_ERR_WS_MESSAGE", message: /of the type undefined/ });
    }
    await server.allClosed();
    assert.deepEqual(heard, []);
  });
});
