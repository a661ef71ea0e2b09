import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";

import { connect } from "../../src/connect.ts";
import type { Connection } from "../../src/connection.ts";
import { serve } from "../../src/serve.ts";
import { pythonMissing, runPythonClient, startPythonServer } from "./python.ts";

async function echo(socket: Connection): Promise<void> {
  for await (const message of socket) {
    if (message === "close") await socket.close(4001, "as you wish");
    else await socket.send(message);
  }
}

const MESSAGES = ["", "hello", "κόσμε 💻", "x".repeat(65_536), new Uint8Array(), new Uint8Array(1_000_000).fill(255)];

describe("the server and the client of Python's websockets", { skip: pythonMissing }, () => {
  it("understand each other", async () => {
    await run(async () => {
      await using server = await serve(echo, { subprotocols: (offered) => (offered.includes("chat") ? "chat" : null) });
      const { deflate, plain, tooLong, closedByPeer } = await runPythonClient(server.url);
      for (const used of [deflate, plain]) {
        assert.deepEqual(new Set(used.same), new Set([true]), "it gets what it has sent");
        assert.deepEqual([used.fragments, used.pong], ["abψ", true]);
        assert.deepEqual(used.closed, [4000, "bye"]);
      }
      assert.deepEqual([deflate.extensions, plain.extensions], [["permessage-deflate"], []]);
      assert.deepEqual([deflate.subprotocol, plain.subprotocol], ["chat", null]);
      assert.equal(tooLong[0], 1009);
      assert.deepEqual(closedByPeer, [4001, "as you wish"]);
    });
  });
});

describe("the client and the server of Python's websockets", { skip: pythonMissing }, () => {
  for (const compression of ["deflate", "off"] as const) {
    it(`understand each other: compression ${compression}`, async () => {
      await using server = await startPythonServer();
      await run(async () => {
        await using socket = await connect(`ws://127.0.0.1:${server.port}`, { subprotocols: ["chat"], compression });
        assert.equal(socket.subprotocol, "chat");
        for (const message of MESSAGES) {
          await socket.send(message);
          const got = await socket.recv();
          assert.deepEqual(typeof got === "string" ? got : new Uint8Array(got), message);
        }
        await socket.send(["one ", "two ", "three"]);
        assert.equal(await socket.recv(), "one two three");
        await socket.send("fragments");
        assert.equal(await socket.recv(), "abψ");
        await socket.send("ping");
        assert.equal(await socket.recv(), "pong");
        assert.ok((await socket.ping()) >= 0);
        await socket.send("close");
        await assert.rejects(socket.recv(), {
          code: "MW_ERR_WS_CLOSED",
          closeCode: 4001,
          reason: "as you wish",
          by: "peer",
        });
      });
    });
  }

  it("are told of a message that is too long for the server", async () => {
    await using server = await startPythonServer();
    await run(async () => {
      await using socket = await connect(`ws://127.0.0.1:${server.port}`, { compression: "off" });
      await socket.send("x".repeat(2 ** 20 + 1));
      await assert.rejects(socket.recv(), { closeCode: 1009, by: "peer" });
    });
  });
});
