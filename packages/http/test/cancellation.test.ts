import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";
import { cancelScope, isCancelled, moveOnAfter, sleep, taskGroup, timeout } from "meanwhile";

import { serve, serveRaw } from "./servers.ts";

const NOTHING_IN_USE = { limit: 1, inUse: 0, waiting: 0, idle: 0, hosts: {} };

/** Runs `body` until `ready` resolves, cancels it, and returns the statistics at the moment its call ended. */
async function cancelledWhen(ready: Promise<unknown>, session: ClientSession, body: () => Promise<unknown>) {
  let after: unknown;
  await cancelScope(async (scope) => {
    ready.then(
      () => scope.cancel("enough"),
      () => {},
    );
    try {
      await body();
      assert.fail("was not cancelled");
    } catch (error) {
      assert.ok(isCancelled(error), String(error));
      after = session.statistics();
      throw error;
    }
  });
  return after;
}

describe("cancelling a request", () => {
  it("that waits for the head closes the connection and frees the slot before the call ends", async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await serve(() => asked.resolve());
    await using session = new ClientSession({ limit: 1 });
    assert.deepEqual(await cancelledWhen(asked.promise, session, () => session.get(server.url)), NOTHING_IN_USE);
    await server.allClosed();
    assert.equal(server.sockets.length, 1);
  });

  it("that is being connected closes the socket", async () => {
    const connected = Promise.withResolvers<void>();
    // Takes the TCP connection and never answers the TLS handshake.
    await using server = await serveRaw((socket) => {
      socket.resume();
      connected.resolve();
    });
    await using session = new ClientSession({ limit: 1 });
    const after = await cancelledWhen(connected.promise, session, () =>
      session.get(server.url.replace("http", "https")),
    );
    assert.deepEqual(after, NOTHING_IN_USE);
    await server.allClosed();
  });

  it("that waits for a slot leaves the queue and sends nothing", async () => {
    let count = 0;
    await using server = await serve((_request, response) => {
      count += 1;
      response.write("held");
    });
    await using session = new ClientSession({ limit: 1 });
    await using holder = await session.get(server.url);
    await moveOnAfter(2, () => session.get(server.url));
    assert.deepEqual([session.statistics().waiting, session.statistics().inUse, count], [0, 1, 1]);
    assert.equal(holder.status, 200);
  });

  it("while its body is read closes the connection and frees the slot", async () => {
    await using server = await serve((_request, response) => response.write("begin"));
    await using session = new ClientSession({ limit: 1 });
    for (const read of ["text", "json", "bytes"] as const) {
      const response = await session.get(server.url);
      assert.deepEqual(await cancelledWhen(sleep(3), session, () => response[read]()), NOTHING_IN_USE);
      await server.allClosed();
    }
    const response = await session.get(server.url);
    const streaming = async () => {
      for await (const chunk of response.stream()) assert.equal(chunk.length, 5);
    };
    assert.deepEqual(await cancelledWhen(sleep(3), session, streaming), NOTHING_IN_USE);
    await server.allClosed();
  });

  it("while its body is sent stops the iterable and waits for its cleanup", async () => {
    const begun = Promise.withResolvers<void>();
    await using server = await serveRaw((socket) => socket.once("data", () => begun.resolve()));
    await using session = new ClientSession({ limit: 1 });
    const log: string[] = [];
    async function* body() {
      try {
        yield "first";
        await sleep(60_000);
      } finally {
        await Promise.resolve();
        log.push("cleaned up");
      }
    }
    const after = await cancelledWhen(begun.promise, session, () => session.post(server.url, { body: body() }));
    log.push("call ended");
    assert.deepEqual(after, NOTHING_IN_USE);
    assert.deepEqual(log, ["cleaned up", "call ended"]);
    await server.allClosed();
  });

  it("in a scope that is cancelled already sends nothing", async () => {
    await using server = await serve((_request, response) => response.end());
    await using session = new ClientSession();
    await cancelScope(async (scope) => {
      scope.cancel();
      await assert.rejects(session.get(server.url), isCancelled);
    });
    assert.equal(server.sockets.length, 0);
  });

  it("by the deadline of a scope is that scope's timeout, not ours", async () => {
    await using server = await serve(() => {});
    await using session = new ClientSession();
    await assert.rejects(
      timeout(3, () => session.get(server.url)),
      { code: "MW_ERR_TIMEOUT" },
    );
    assert.equal(session.statistics().inUse, 0);
  });

  it("leaves a response that was read in time whole", async () => {
    await using server = await serve((_request, response) => response.end("done"));
    await using session = new ClientSession();
    const text = await cancelScope(async (scope) => {
      const response = await session.get(server.url);
      const read = await response.text();
      scope.cancel();
      return read;
    });
    assert.equal(text, "done");
  });

  it("of one of many leaves the others alone", async () => {
    await using server = await serve(async (request, response) => {
      if (request.url !== "/hang") response.end(request.url);
    });
    await using session = new ClientSession({ baseUrl: server.url, limit: 4 });
    const texts: (string | undefined)[] = [];
    await taskGroup((group) => {
      for (let index = 0; index < 20; index += 1) {
        const url = index % 3 === 0 ? "/hang" : `/${index}`;
        group.createTask(async () => texts.push(await moveOnAfter(8, async () => (await session.get(url)).text())));
      }
    });
    assert.equal(texts.length, 20);
    assert.equal(texts.filter((text) => text === "/hang").length, 0);
    assert.equal(session.statistics().inUse, 0);
  });
});

describe("await using of a response", () => {
  it("waits for a reading that is returned out of the block", async () => {
    const body = "x".repeat(1_000_000);
    await using server = await serve(async (_request, response) => {
      response.write("begin");
      await sleep(5);
      response.end(body);
    });
    await using session = new ClientSession();
    const read = async () => {
      await using response = await session.get(server.url);
      // oxlint-disable-next-line typescript/return-await -- what a hurried caller writes
      return response.text();
    };
    assert.equal((await read()).length, 5 + body.length);
    await cancelScope(async (scope) => {
      setTimeout(() => scope.cancel(), 2);
      await read();
    });
    assert.equal(session.statistics().inUse, 0);
  });

  it("by close() ends a reading with an error, also one that had all it needs", async () => {
    await using server = await serve((request, response) => {
      if (request.url === "/whole") response.end("whole");
      else response.write("begin");
    });
    await using session = new ClientSession({ baseUrl: server.url });
    const open = await session.get("/");
    const reading = assert.rejects(open.text(), { code: "MW_ERR_HTTP_BODY_USED", message: /was closed/ });
    await assert.rejects(open.text(), { code: "MW_ERR_HTTP_BODY_USED", message: /read before/ });
    await open.close();
    await reading;
    const whole = await session.get("/whole");
    while (session.statistics().inUse > 0) await sleep(1);
    const stream = whole.stream();
    await whole.close();
    await assert.rejects(stream.next(), { code: "MW_ERR_HTTP_BODY_USED" });
  });

  it("reads a small rest and keeps the connection", async () => {
    await using server = await serve((_request, response) => {
      response.write("be");
      setImmediate(() => response.end("gin"));
    });
    await using session = new ClientSession();
    for (let index = 0; index < 3; index += 1) {
      await using response = await session.get(server.url);
      assert.equal(response.status, 200);
    }
    assert.equal(server.sockets.length, 1);
  });

  it("closes the connection if there is a lot left", async () => {
    await using server = await serve((_request, response) => {
      response.setHeader("content-length", 10_000_000);
      response.write("x");
    });
    await using session = new ClientSession();
    {
      await using response = await session.get(server.url);
      assert.equal(response.status, 200);
    }
    assert.deepEqual([session.statistics().inUse, session.statistics().idle], [0, 0]);
    await server.allClosed();
  });

  it("closes the connection at once in a cancelled scope, without an error", async () => {
    await using server = await serve((_request, response) => response.write("x"));
    await using session = new ClientSession();
    let took = 0;
    await cancelScope(async (scope) => {
      const response = await session.get(server.url);
      scope.cancel();
      const started = performance.now();
      await response[Symbol.asyncDispose]();
      took = performance.now() - started;
    });
    assert.ok(took < 50, `${took} ms`);
    assert.equal(session.statistics().inUse, 0);
    await server.allClosed();
  });

  it("closes the connection when a loop over its stream is left early", async () => {
    await using server = await serve((_request, response) => {
      response.write("one");
      response.once("close", () => {});
    });
    await using session = new ClientSession();
    for await (const chunk of (await session.get(server.url)).stream()) {
      assert.equal(Buffer.from(chunk).toString(), "one");
      break;
    }
    assert.equal(session.statistics().inUse, 0);
    await server.allClosed();
  });
});

describe("backpressure", () => {
  it("makes the server wait while nobody reads", async () => {
    let written = 0;
    const full = Promise.withResolvers<void>();
    const chunk = Buffer.alloc(256 * 1024);
    await using server = await serve(async (_request, response) => {
      for (let index = 0; index < 160; index += 1) {
        written += chunk.length;
        if (!response.write(chunk)) {
          full.resolve();
          await once(response, "drain").catch(() => {});
        }
      }
      response.end();
    });
    await using session = new ClientSession({ maxBodyBytes: Infinity });
    const response = await session.get(server.url);
    await full.promise;
    await sleep(10);
    const before = written;
    assert.ok(before < 30 * 1024 * 1024, `${before} bytes went out unread`);
    let read = 0;
    for await (const part of response.stream()) read += part.length;
    assert.equal(read, 160 * chunk.length);
  });

  it("pulls from the body of a request only as fast as the server takes it", async () => {
    await using server = await serveRaw((socket) => socket.pause());
    await using session = new ClientSession();
    let pulled = 0;
    async function* endless() {
      for (;;) {
        pulled += 1;
        yield Buffer.alloc(1024 * 1024);
      }
    }
    await moveOnAfter(10, () => session.post(server.url, { body: endless() }));
    const atEnd = pulled;
    assert.ok(atEnd < 50, `${atEnd} MiB were pulled`);
    await sleep(2);
    assert.equal(pulled, atEnd);
  });
});
