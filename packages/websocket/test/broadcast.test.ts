import assert from "node:assert/strict";
import { connect as connectSocket } from "node:net";
import { describe, it } from "node:test";

import { Event, run, sleepForever } from "meanwhile";

import { broadcast, connect, serve } from "../src/index.ts";
import { readAnswer, requestOf } from "./raw-requests.ts";

describe("broadcast", () => {
  it("sends texts and bytes to all", () =>
    run(async () => {
      await using server = await serve(() => sleepForever(), { drainMs: 1 });
      await using first = await connect(server.url);
      await using second = await connect(server.url, { compression: "off" });
      for (const message of ["grüße", "x".repeat(5_000), new Uint8Array([1, 2, 3]), new Uint8Array([7]).buffer]) {
        assert.deepEqual(server.broadcast(message), { sent: 2, skipped: 0 });
        for (const socket of [first, second]) {
          const got = await socket.recv();
          if (typeof message === "string") assert.equal(got, message);
          else assert.deepEqual([...(got as Uint8Array)], [...new Uint8Array(message)]);
        }
      }
    }));

  it("leaves out whom it is told to", () =>
    run(async () => {
      await using server = await serve(() => sleepForever(), {
        routes: { "/:name": () => sleepForever() },
        drainMs: 1,
      });
      await using ada = await connect(`${server.url}/ada`);
      await using bob = await connect(`${server.url}/bob`);
      const [first, second] = server.connections;
      assert.ok(first !== undefined && second !== undefined);
      assert.deepEqual(server.broadcast("all but one", { except: first }), { sent: 1, skipped: 0 });
      assert.deepEqual(server.broadcast("nobody", { except: [first, second] }), { sent: 0, skipped: 0 });
      assert.equal(server.broadcast("ada", { filter: ({ params }) => params["name"] === "ada" }).sent, 1);
      assert.deepEqual(broadcast([], "nobody"), { sent: 0, skipped: 0 });
      assert.equal(await ada.recv(), "ada");
      assert.equal(await bob.recv(), "all but one");
    }));

  it("says how to fix what is no connection, before anybody gets anything", () =>
    run(async () => {
      await using server = await serve(() => sleepForever(), { drainMs: 1 });
      await using socket = await connect(server.url);
      const code = { code: "MW_ERR_WS_INVALID_ARGUMENT" };
      for (const bad of [null, 7, {}, [...server.connections, {}], [null]]) {
        assert.throws(() => broadcast(bad as never, "x"), code);
        assert.throws(() => server.broadcast("x", { except: bad as never }), code);
      }
      server.broadcast("y");
      assert.equal(await socket.recv(), "y");
    }));

  it("skips whoever does not keep up, and holds up nobody", () =>
    run(async () => {
      await using server = await serve(() => sleepForever(), { compression: "off", drainMs: 1 });
      const slow = connectSocket(server.port ?? 0, "127.0.0.1");
      slow.write(requestOf());
      await readAnswer(slow);
      slow.pause();
      await using quick = await connect(server.url, { compression: "off" });
      const message = new Uint8Array(1_000_000);
      let skipped = 0;
      for (let round = 0; round < 30; round++) {
        const result = server.broadcast(message);
        skipped += result.skipped;
        assert.equal((await quick.recv()).length, message.length);
      }
      const buffered = Math.max(...Array.from(server.connections, ({ bufferedBytes }) => bufferedBytes));
      assert.ok(skipped > 0, "nobody was skipped");
      assert.ok(buffered <= message.length + 33_000, `${buffered} bytes wait`);
      slow.destroy();
    }));

  it("skips whoever sends a message piece by piece, or is about to close", () =>
    run(async () => {
      const begun = new Event();
      const goOn = new Event();
      async function* pieces(): AsyncGenerator<string> {
        yield "one ";
        begun.set();
        await goOn.wait();
        yield "two";
      }
      await using server = await serve((socket) => socket.send(pieces()));
      await using socket = await connect(server.url);
      await begun.wait();
      assert.deepEqual(server.broadcast("between"), { sent: 0, skipped: 1 });
      const [connection] = server.connections;
      assert.ok(connection !== undefined);
      goOn.set();
      assert.equal(await socket.recv(), "one two");
      await socket.waitClosed();
      assert.deepEqual(broadcast([connection], "too late"), { sent: 0, skipped: 1 });
    }));

  it("refuses what is no message, and options that are none", () =>
    run(async () => {
      await using server = await serve(() => sleepForever());
      for (const bad of [7, null, undefined, {}, ["x"]]) {
        assert.throws(() => server.broadcast(bad as never), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
      }
      assert.throws(() => server.broadcast("x", { exclude: [] } as never), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
    }));
});
