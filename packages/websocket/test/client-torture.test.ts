import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { connect, type Connection, reconnecting } from "@meanwhile/websocket";
import { gather } from "meanwhile";
import { torture } from "meanwhile/testing";

import { type BareServer, serveBare } from "./bare-peers.ts";

type UseCase = (url: string, note: (socket: Connection) => void) => Promise<unknown>;

const USE_CASES: Readonly<Record<string, UseCase>> = {
  "a message and its answer": async (url, note) => {
    await using socket = await connect(url);
    note(socket);
    await socket.send("hello");
    assert.equal(await socket.recv(), "hello");
    await socket.close(4000);
  },
  "a message piece by piece, and another one behind it": async (url, note) => {
    await using socket = await connect(url);
    note(socket);
    await gather([() => socket.send(["a", "b"]), () => socket.send("c"), () => socket.ping()]);
    await socket.recv();
  },
  "a loop of connections": async (url, note) => {
    for await (const socket of reconnecting(url)) {
      note(socket);
      await socket.sendJson(1);
      for await (const message of socket) {
        assert.equal(message, "1");
        break;
      }
      break;
    }
  },
};

describe("whatever a client does, cancelled at any checkpoint and during any wait, leaves no connection open", () => {
  let server: BareServer;
  before(async () => {
    server = await serveBare();
  });
  after(() => server[Symbol.asyncDispose]());

  for (const [name, use] of Object.entries(USE_CASES)) {
    it(name, async () => {
      const seen: Connection[] = [];
      const report = await torture({
        setup: () => void (seen.length = 0),
        run: () => use(server.url, (socket) => seen.push(socket)),
        check: async () => {
          for (const socket of seen) await socket.waitClosed();
          await server.allClosed();
        },
      });
      assert.ok(report.runs > 5, String(report.runs));
    });
  }
});
