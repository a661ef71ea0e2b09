import assert from "node:assert/strict";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { type ClientResponse, ClientSession, HttpTimeoutError } from "@meanwhile/http";
import { sleep } from "meanwhile";

import { onEachHead, serve, serveAtOnce, serveRaw } from "./servers.ts";

/** What the error of a timeout is like. */
function timedOut(phase: string, text: RegExp = /./) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof HttpTimeoutError, String(error));
    assert.equal(error.phase, phase);
    assert.equal(error.code, `MW_ERR_HTTP_${phase.toUpperCase()}_TIMEOUT`);
    assert.match(error.message, text);
    return true;
  };
}

/** So many short sleeps, together longer than the timeout under test. */
async function many(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await sleep(10);
}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe("timeouts", () => {
  it("end a connection that is never made", async () => {
    await using server = await serveRaw((socket) => socket.resume());
    await using session = new ClientSession({ timeouts: { connectMs: 5 } });
    await assert.rejects(
      session.get(server.url.replace("http", "https")),
      timedOut("connect", /no connection after 5 ms/),
    );
    await server.allClosed();
    assert.equal(session.statistics().inUse, 0);
  });

  it("say that the event loop was blocked if it was", async () => {
    await using server = await serveRaw((socket) => socket.resume());
    await using session = new ClientSession({ timeouts: { connectMs: 150 } });
    const call = session.get(server.url.replace("http", "https"));
    setImmediate(() => block(200));
    await assert.rejects(
      call,
      timedOut("connect", /the event loop of this program was blocked for \d{3} ms meanwhile/),
    );
  });

  it("do not hit a server that answered while the event loop was blocked", async () => {
    await using server = await serve((_request, response) => {
      // The answer lies in the socket of the client while nothing can run.
      response.end("in time", () => setImmediate(() => block(90)));
    });
    await using session = new ClientSession({ timeouts: { idleMs: 60, totalMs: 60 } });
    for (let round = 0; round < 3; round += 1) {
      assert.equal(await (await session.get(server.url)).text(), "in time");
      await many(1); // the server of the next round is not to be blocked by this one
    }
  });

  it("end the wait for the head, also when it comes byte by byte", async () => {
    await using silent = await serve(() => {});
    await using dripping = await serveRaw((socket) => {
      onEachHead(socket, async () => {
        for (const byte of "HTTP/1.1 200 OK\r\nX-Slow: 1234567890") {
          if (!socket.write(byte)) return;
          await sleep(1);
        }
      });
    });
    await using session = new ClientSession({ timeouts: { idleMs: 8 } });
    await assert.rejects(session.get(silent.url), timedOut("idle", /did not answer for 8 ms/));
    await assert.rejects(session.get(dripping.url), timedOut("idle"));
    await silent.allClosed();
    await dripping.allClosed();
  });

  it("end a body that stalls, and not one that keeps coming", async () => {
    await using server = await serve(async (request, response) => {
      response.write("a");
      for (let index = 0; request.url === "/slow" && index < 20; index += 1) {
        await sleep(6);
        response.write("b");
      }
      if (request.url === "/slow") response.end();
    });
    await using session = new ClientSession({ baseUrl: server.url, timeouts: { idleMs: 60 } });
    assert.equal(await (await session.get("/slow")).text(), `a${"b".repeat(20)}`);
    await assert.rejects(
      (await session.get("/stall")).text(),
      timedOut("idle", /no more of the answer came for 60 ms/),
    );
    assert.equal(session.statistics().inUse, 0);
  });

  it("do not count the time in which nobody reads", async () => {
    await using server = await serve(async (_request, response) => {
      response.write("a");
      await many(10);
      response.end("b");
    });
    await using session = new ClientSession({ timeouts: { idleMs: 60 } });
    const response = await session.get(server.url);
    await many(8);
    assert.equal(await response.text(), "ab");
  });

  it("do not count the time in which the caller's own body is awaited", async () => {
    await using server = await serve((_request, response, sent) => response.end(sent));
    await using session = new ClientSession({ timeouts: { idleMs: 60 } });
    async function* body() {
      yield "a";
      await many(15);
      yield "b";
    }
    assert.equal(await (await session.post(server.url, { body: body() })).text(), "ab");
  });

  it("end an attempt as a whole, its body included, but not what is read as it comes", async () => {
    await using server = await serve(async (_request, response) => {
      response.setHeader("content-type", "text/event-stream");
      for (let index = 0; index < 16; index += 1) {
        response.write("data: x\n\n");
        await sleep(6);
      }
      response.end();
    });
    await using session = new ClientSession({ timeouts: { totalMs: 60 } });
    const get = (): Promise<ClientResponse> => session.get(server.url);
    await assert.rejects((await get()).text(), timedOut("total", /not done after 60 ms/));
    await using directory = await mkdtempDisposable(join(tmpdir(), "meanwhile-"));
    const [chunks, lines, events, saved] = await Promise.all([
      get().then((response) => Array.fromAsync(response.stream())),
      get().then((response) => Array.fromAsync(response.lines())),
      get().then((response) => Array.fromAsync(response.sse())),
      get().then((response) => response.saveTo(join(directory.path, "saved"))),
    ]);
    assert.equal(Buffer.concat(chunks).length, 16 * 9);
    assert.deepEqual([lines.length, events.length, saved.bytes], [32, 16, 16 * 9]);
  });

  it("of a request replace those of its session, one by one", async () => {
    await using server = await serveAtOnce(() => {});
    await using session = new ClientSession({ baseUrl: server.url, timeouts: { idleMs: 5, totalMs: 60_000 } });
    await assert.rejects(session.get("/", { timeouts: { totalMs: 3 } }), timedOut("total"));
    await assert.rejects(session.get("/", { timeouts: { totalMs: 4_000 } }), timedOut("idle"));
  });
});
