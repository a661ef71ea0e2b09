import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";

import {
  type Connection,
  ConnectionClosedError,
  isTransient,
  reconnecting,
  type ReconnectEvent,
  type TraceEvent,
} from "@meanwhile/websocket";
import { fixed, moveOnAfter, sleep } from "meanwhile";
import { MockClock, runTest } from "meanwhile/testing";

import { expectWarning } from "../../../tools/test-setup.ts";
import { deadPort, serveBare, serveHttp, serveRaw } from "./bare-peers.ts";

const soon = { backoff: fixed(1) };

describe("reconnecting", () => {
  it("gives an open connection to each turn, and closes that of the turn before", async () => {
    const codes: number[] = [];
    await using server = await serveBare((socket) => socket.on("close", (code) => codes.push(code)));
    const seen: Connection[] = [];
    for await (const socket of reconnecting(server.url)) {
      assert.equal(socket.state, "open");
      assert.ok(seen.every(({ state }) => state === "closed"));
      seen.push(socket);
      if (seen.length === 3) break;
    }
    assert.ok(seen.every(({ state }) => state === "closed"));
    await server.allClosed();
    assert.deepEqual(codes, [1000, 1000, 1000]);
  });

  it("closes the connection of a turn that throws, and throws on", async () => {
    let closed: Promise<unknown[]> | undefined;
    await using server = await serveBare((socket) => void (closed = once(socket, "close")));
    await assert.rejects(async () => {
      for await (const socket of reconnecting(server.url)) throw new RangeError(socket.state);
    }, RangeError);
    assert.equal((await closed)?.[0], 1000);
  });

  it("closes the connection of a turn that is cancelled", async () => {
    await using server = await serveBare();
    await moveOnAfter(30, async () => {
      for await (const socket of reconnecting(server.url)) await socket.recv();
    });
    await server.allClosed();
  });

  it("comes back after the peer has ended the connection", async () => {
    let visits = 0;
    await using server = await serveBare((socket) => {
      visits += 1;
      socket.send(String(visits));
      if (visits === 2) socket.terminate();
      else socket.close(1012);
    });
    const heard: unknown[] = [];
    for await (const socket of reconnecting(server.url, soon)) {
      try {
        for await (const message of socket) heard.push(message);
      } catch {
        // Another code than one of a loop that ends well.
      }
      if (visits === 3) break;
    }
    assert.deepEqual(
      heard.filter((message) => message !== "2"),
      ["1", "3"],
    );
  });

  it("tries again after 503, a connection that hung up, and one refused, and tells of it", async () => {
    let asked = 0;
    await using server = await serveHttp((_request, response) => {
      asked += 1;
      if (asked === 1) response.writeHead(503).end();
      else if (asked === 2) response.destroy();
      else response.writeHead(403).end();
    });
    const events: ReconnectEvent[] = [];
    const traced: TraceEvent[] = [];
    const options = {
      ...soon,
      onRetry: (event: ReconnectEvent) => events.push(event),
      trace: (event: TraceEvent) => traced.push(event),
    };
    await assert.rejects(
      async () => {
        for await (const socket of reconnecting(server.url, options)) assert.fail(socket.state);
      },
      { code: "MW_ERR_WS_HANDSHAKE", status: 403 },
    );
    assert.deepEqual(
      events.map(({ attempt, delayMs }) => [attempt, delayMs]),
      [
        [1, 1],
        [2, 1],
      ],
    );
    assert.equal(traced.filter(({ kind }) => kind === "connect-retry").length, 2);
  });

  it("waits up to 5 s by chance, then 3.1 s, and longer each time up to 90 s", async () => {
    const url = `ws://127.0.0.1:${await deadPort()}`;
    const delays: number[] = [];
    const onRetry = ({ delayMs }: ReconnectEvent): unknown => delays.push(delayMs);
    await runTest(
      async () => {
        await assert.rejects(
          async () => {
            for await (const socket of reconnecting(url, { attempts: 11, onRetry })) assert.fail(socket.state);
          },
          { code: "MW_ERR_WS_CONNECT" },
        );
      },
      { clock: new MockClock({ autojump: true }) },
    );
    const [first = Infinity, ...later] = delays;
    assert.ok(first >= 0 && first <= 5_000);
    assert.deepEqual(later.slice(0, 3).map(Math.round), [3_100, 5_016, 8_116]);
    assert.equal(later.at(-1), 90_000);
    assert.equal(delays.length, 10);
  });

  it("waits at least as long as Retry-After asks", async () => {
    await using server = await serveHttp((_request, response) => response.writeHead(503, { "Retry-After": "7" }).end());
    const delays: number[] = [];
    const options = { ...soon, attempts: 2, onRetry: ({ delayMs }: ReconnectEvent) => delays.push(delayMs) };
    await runTest(
      () =>
        assert.rejects(
          async () => {
            for await (const socket of reconnecting(server.url, options)) assert.fail(socket.state);
          },
          { status: 503 },
        ),
      { clock: new MockClock({ autojump: true }) },
    );
    assert.deepEqual(delays, [7_000]);
  });

  it("tries again only where isTransient says so, which knows what cannot help", async () => {
    await using server = await serveRaw((socket) => socket.once("data", () => socket.end("what?\r\n\r\n")));
    let asked = 0;
    const never = (error: unknown): boolean => {
      assert.equal(isTransient(error), false);
      asked += 1;
      return asked < 3;
    };
    await assert.rejects(
      async () => {
        for await (const socket of reconnecting(server.url, { ...soon, isTransient: never })) assert.fail(socket.state);
      },
      { code: "MW_ERR_WS_HANDSHAKE" },
    );
    assert.equal(asked, 3);
    assert.equal(isTransient(new Error("no error of ours")), false);
  });

  it("reports what onRetry throws as a warning, and goes on", async () => {
    const url = `ws://127.0.0.1:${await deadPort()}`;
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    const onRetry = (): never => {
      throw new RangeError("in onRetry");
    };
    await assert.rejects(
      async () => {
        for await (const socket of reconnecting(url, { ...soon, attempts: 2, onRetry })) assert.fail(socket.state);
      },
      { code: "MW_ERR_WS_CONNECT" },
    );
    assert.match((await warnings.first()).message, /in onRetry/);
  });

  /** What it tells of each wait until it gives up, or is left: at most `turns` connections. */
  async function waits(
    url: string,
    turns: number,
    options: Parameters<typeof reconnecting>[1],
    inTurn: (socket: Connection) => unknown = () => {},
  ): Promise<ReconnectEvent[]> {
    const events: ReconnectEvent[] = [];
    let turn = 0;
    for await (const socket of reconnecting(url, { ...options, onRetry: (event) => events.push(event) })) {
      turn += 1;
      if (turn === turns) break;
      await inTurn(socket);
      await socket.waitClosed();
    }
    return events;
  }

  it("waits longer each time for a server that ends every connection at once, and gives up with its error", async () => {
    await using server = await serveBare((socket) => socket.close(4001, "not now"));
    const events: ReconnectEvent[] = [];
    const options = { attempts: 4, onRetry: (event: ReconnectEvent) => events.push(event) };
    await runTest(
      () =>
        assert.rejects(
          async () => {
            for await (const socket of reconnecting(server.url, options)) await socket.waitClosed();
          },
          { code: "MW_ERR_WS_CLOSED", closeCode: 4001, message: /Cannot keep the connection/ },
        ),
      { clock: new MockClock({ autojump: true }) },
    );
    assert.deepEqual(
      events.map(({ attempt, error }) => [attempt, error instanceof ConnectionClosedError]),
      [
        [1, true],
        [2, true],
        [3, true],
      ],
    );
    const [first = Infinity, ...later] = events.map(({ delayMs }) => delayMs);
    assert.ok(first <= 5_000);
    assert.deepEqual(later.map(Math.round), [3_100, 5_016]);
    assert.equal(server.sockets.length, 4);
  });

  it("waits the first time only, again and again, for one that says something before it ends", async () => {
    await using server = await serveBare((socket) => {
      socket.send("hello");
      socket.terminate();
    });
    const asked: number[] = [];
    const backoff = (attempt: number): number => {
      asked.push(attempt);
      return 2;
    };
    const events = await waits(server.url, 4, { attempts: 1, backoff }, async (socket) => {
      assert.equal(await socket.recv(), "hello");
    });
    assert.deepEqual(asked, [1, 1, 1]);
    assert.ok(events.every(({ attempt }) => attempt === 0));
  });

  it("does not wait after a connection that lasted as long as the wait, unless the server asks for it", async () => {
    for (const [code, count] of [
      [1000, 0],
      [1012, 2],
      [1013, 2],
    ] as const) {
      await using server = await serveBare((socket) => socket.close(code));
      const events = await waits(server.url, 3, { attempts: 2, backoff: fixed(2) }, () => sleep(10));
      assert.deepEqual(
        events.map(({ delayMs }) => delayMs),
        Array<number>(count).fill(2),
      );
    }
  });

  it("does not wait where this side has ended the connection", async () => {
    for (const end of ["close", "terminate"] as const) {
      await using server = await serveBare();
      const events = await waits(server.url, 3, { attempts: 1, backoff: fixed(60_000) }, (socket) => socket[end]());
      assert.deepEqual(events, []);
    }
  });

  it("waits where this side refused what the server sent", async () => {
    await using server = await serveBare((socket) => socket.send("too long"));
    const events = await runTest(() => waits(server.url, 3, { maxMessageBytes: 1, backoff: fixed(10) }), {
      clock: new MockClock({ autojump: true }),
    });
    assert.deepEqual(
      events.map(({ attempt, error }) => [attempt, error instanceof ConnectionClosedError && error.closeCode]),
      [
        [1, 1009],
        [2, 1009],
      ],
    );
  });

  for (const wrong of [-1, Number.NaN, "1"]) {
    it(`says what is wrong with a backoff that gives ${JSON.stringify(wrong)}`, async () => {
      const url = `ws://127.0.0.1:${await deadPort()}`;
      const backoff = (): number => wrong as number;
      await assert.rejects(waits(url, 1, { backoff }), { code: "MW_ERR_WS_INVALID_ARGUMENT", message: /'backoff'/ });
    });
  }
});
