import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, it } from "node:test";

import {
  ClientSession,
  type EventStreamOptions,
  type ReconnectEvent,
  type ServerSentEvent,
  serverSentEvents,
  TooLargeError,
} from "@meanwhile/http";
import { cancelScope, fixed, isCancelled } from "meanwhile";

import { deadUrl, serve, serveAtOnce } from "./servers.ts";

const HEADERS = { "content-type": "text/event-stream; charset=utf-8" };

async function eventsOf(
  pieces: ReadonlyArray<string | Buffer>,
  options?: EventStreamOptions,
): Promise<ServerSentEvent[]> {
  await using server = await serve(async (_request, response) => {
    response.writeHead(200, HEADERS);
    for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
    response.end();
  });
  await using session = new ClientSession();
  const events = await Array.fromAsync((await session.get(server.url)).sse(options));
  assert.equal(session.statistics().inUse, 0);
  return events;
}

const event = (data: string, more: Partial<ServerSentEvent> = {}): ServerSentEvent => ({
  event: "message",
  data,
  id: "",
  retryMs: undefined,
  ...more,
});
const bytewise = (text: string): Buffer[] => [...Buffer.from(text)].map((byte) => Buffer.from([byte]));

describe("response.sse()", () => {
  const cases: Readonly<Record<string, readonly [string, ServerSentEvent[]]>> = {
    "joins the lines of data": ["data: YHOO\ndata: +2\ndata: 10\n\n", [event("YHOO\n+2\n10")]],
    "drops comments, and what has no data": [": test\n\nevent: x\n\nid: 7\n\ndata: a\n\n", [event("a", { id: "7" })]],
    "gives empty data, and drops an event without its empty line": [
      "data\n\ndata\ndata\n\ndata:\n\ndata: cut off\n",
      [event(""), event("\n"), event("")],
    ],
    "removes one space": ["data:test\n\ndata: test\n\ndata:  two\n\n", [event("test"), event("test"), event(" two")]],
    "keeps the id until another one comes": [
      "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
      [event("a", { id: "1" }), event("b", { id: "1" }), event("c")],
    ],
    "ignores an id with NUL": [
      "id: 1\ndata: a\n\nid: x\0y\ndata: b\n\n",
      [event("a", { id: "1" }), event("b", { id: "1" })],
    ],
    "takes retry of digits only": [
      "retry: 20\ndata: a\n\nretry: 3s\nretry: -1\nretry:\ndata: b\n\n",
      [event("a", { retryMs: 20 }), event("b", { retryMs: 20 })],
    ],
    "names events, and ignores unknown fields": [
      "event: add\ndata: 1\n\nEvent: no\nwhat: no\nno\ndata: 2\n\nevent:\ndata: 3\n\n",
      [event("1", { event: "add" }), event("2"), event("3")],
    ],
    "ends lines at CR, LF and CRLF": [
      "data: a\rdata: b\r\rdata: c\r\n\r\ndata: d\n\n",
      [event("a\nb"), event("c"), event("d")],
    ],
    "drops one byte order mark": ["\ufeffdata: a\n\n\ufeffdata: b\n\n", [event("a")]],
    "decodes UTF-8": ["data: grüße 😀\n\n", [event("grüße 😀")]],
  };
  for (const [behaviour, [text, expected]] of Object.entries(cases)) {
    it(`${behaviour}, wherever the body is cut`, async () => {
      assert.deepEqual(await eventsOf([text]), expected);
      assert.deepEqual(await eventsOf(bytewise(text)), expected);
    });
  }

  it("gives an event as soon as it is complete", async () => {
    await using server = await serveAtOnce((_request, response) =>
      response.writeHead(200, HEADERS).write("data: a\n\n"),
    );
    await using session = new ClientSession();
    for await (const { data } of (await session.get(server.url)).sse()) {
      assert.equal(data, "a");
      break;
    }
    assert.equal(session.statistics().inUse, 0);
    await server.allClosed();
  });

  it("counts an event to the byte, and gives those before the one that is too large", async () => {
    const options = { maxEventBytes: 10 };
    const fits = `data: ${"ä".repeat(5)}\n\n`;
    const larges = [
      `data: ${"ä".repeat(5)}x\n\n`,
      "data: 12345\ndata: 67890\n\n",
      `data: ${"x".repeat(500)}`,
      `id: ${"1".repeat(500)}`,
    ];
    for (const large of larges) {
      for (const pieces of [[fits + fits + large], bytewise(fits + fits + large)]) {
        await using server = await serve(async (_request, response) => {
          response.writeHead(200, HEADERS);
          for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
        });
        await using session = new ClientSession();
        const seen: string[] = [];
        await assert.rejects(
          async () => {
            for await (const { data } of (await session.get(server.url)).sse(options)) seen.push(data);
          },
          (error) => error instanceof TooLargeError && error.code === "MW_ERR_HTTP_EVENT_TOO_LARGE",
        );
        assert.deepEqual(seen, ["äääää", "äääää"]);
        assert.equal(session.statistics().inUse, 0);
      }
    }
  });

  it("holds no comment and no unknown field, however long", async () => {
    const long = "x".repeat(100_000);
    assert.deepEqual(
      await eventsOf([`:${long}`, `${long}\n`, `what${long}`, `${long}\ndata: a\n\n`], { maxEventBytes: 10 }),
      [event("a")],
    );
  });

  it("refuses another Content-Type unless it is told not to, and bad options", async () => {
    await using server = await serveAtOnce((_request, response) =>
      response.setHeader("content-type", "text/html").end("data: a\n\n"),
    );
    await using session = new ClientSession();
    const response = await session.get(server.url);
    for (const bad of [{ maxEventBytes: 0 }, { anyContentType: "yes" }, null]) {
      assert.throws(() => response.sse(bad as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
    assert.throws(() => response.sse(), { code: "MW_ERR_HTTP_CONTENT_TYPE" });
    assert.equal(session.statistics().inUse, 0);
    const [only] = await Array.fromAsync((await session.get(server.url)).sse({ anyContentType: true }));
    assert.equal(only?.data, "a");
  });
});

/** Answers each request with the next of the handlers, and then with 204. */
const inTurn = (...handlers: ReadonlyArray<(response: ServerResponse, request: IncomingMessage) => unknown>) => {
  let next = 0;
  const lastIds: Array<string | undefined> = [];
  let [open, mostOpen] = [0, 0];
  return serveAtOnce((request, response) => {
    const id = request.headers["last-event-id"];
    lastIds.push(typeof id === "string" ? Buffer.from(id, "latin1").toString() : undefined);
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    response.once("close", () => (open -= 1));
    const handler = handlers[next];
    next += 1;
    if (handler === undefined) return response.writeHead(204).end();
    response.setHeader("content-type", "text/event-stream");
    return handler(response, request);
  }).then((server) => Object.assign(server, { lastIds, mostOpen: () => mostOpen }));
};

describe("serverSentEvents()", () => {
  const backoff = fixed(1);

  it("goes on behind the last event, however the connection ends, with one at a time, until 204", async () => {
    await using server = await inTurn(
      (response) => response.end("retry: 1\nid: 1\ndata: a\n\nid: ü2\ndata: b\n\nid: 3\ndata: cut"),
      (response) => {
        response.write("id: 4\ndata: c\n\nid: 5\n\n", () => response.destroy());
      },
      (response) => response.socket?.destroy(),
      (response) => response.writeHead(503).end(),
      (response) => response.end("data: d\n\n"),
    );
    await using session = new ClientSession();
    const reconnects: ReconnectEvent[] = [];
    const onReconnect = (reconnect: ReconnectEvent) => reconnects.push(reconnect);
    const events = await Array.fromAsync(
      serverSentEvents(session, server.url, { backoff, onReconnect, headers: { a: "b" } }),
    );
    assert.deepEqual(
      events.map(({ data, id }) => `${data}${id}`),
      ["a1", "bü2", "c4", "d5"],
    );
    assert.deepEqual(
      events.map(({ retryMs }) => retryMs),
      [1, 1, 1, 1],
    );
    assert.deepEqual(server.lastIds, [undefined, "ü2", "5", "5", "5", "5"]);
    assert.deepEqual(
      reconnects.map(({ error, failures, lastEventId }) => [error?.code, failures, lastEventId]),
      [
        [undefined, 0, "ü2"],
        ["MW_ERR_HTTP_INCOMPLETE", 0, "5"],
        ["MW_ERR_HTTP_RESET", 1, "5"],
        ["MW_ERR_HTTP_STATUS", 2, "5"],
        [undefined, 0, "5"],
      ],
    );
    assert.equal(server.mostOpen(), 1);
    assert.equal(session.statistics().inUse, 0);
  });

  it("waits as long as retry: and Retry-After ask, and backs off from a server that brings nothing", async () => {
    await using server = await inTurn(
      (response) => response.end("retry: 2\ndata: a\n\n"),
      (response) => response.writeHead(429, { "retry-after": "0" }).end(),
      (response) => response.end(),
      (response) => response.end("retry: 0\ndata: b\n\n"),
    );
    await using session = new ClientSession();
    const waits: number[] = [];
    const told: number[] = [];
    const events = serverSentEvents(session, server.url, {
      backoff: (attempt) => {
        told.push(attempt);
        return attempt * 3;
      },
      onReconnect: ({ delayMs }) => waits.push(delayMs),
    });
    for await (const { data } of events) assert.match(data, /^[ab]$/);
    // Never at once, whatever the server asks for.
    assert.deepEqual(waits, [10, 3, 6, 10]);
    assert.deepEqual(told, [1, 2]);
  });

  it("sends back no id that is too long or cannot be in a header field", async () => {
    const long = "x".repeat(1_025);
    await using server = await inTurn(
      (response) => response.end("retry: 1\nid: a\u0001b\ndata: 1\n\n"),
      (response) => response.end(`id: ${long}\ndata: 2\n\n`),
      (response) => response.end(`id: ${"x".repeat(1_024)}\ndata: 3\n\n`),
      (response, request) => response.end(`data: ${String(request.headers["last-event-id"]).length}\n\n`),
    );
    await using session = new ClientSession();
    const seen: unknown[] = [];
    for await (const { data, id } of serverSentEvents(session, server.url)) seen.push([data, id.length]);
    assert.deepEqual(seen, [
      ["1", 3],
      ["2", 1_025],
      ["3", 1_024],
      ["1024", 1_024],
    ]);
    for (const lastEventId of [long, "a\u0001b", "a\nb"]) {
      assert.throws(() => serverSentEvents(session, server.url, { lastEventId }), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
      });
    }
  });

  it("begins behind lastEventId and asks as a reader of events does", async () => {
    await using server = await inTurn((response, request) => {
      response.end(`id:8\ndata: ${request.headers.accept} ${request.headers["cache-control"]}\n\n`);
    });
    await using session = new ClientSession();
    const [first] = await Array.fromAsync(serverSentEvents(session, server.url, { lastEventId: "7", backoff }));
    assert.equal(first?.data, "text/event-stream no-store");
    assert.deepEqual(server.lastIds, ["7", "8"]);
  });

  it("fails for what will not get better", async () => {
    for (const [status, type, code] of [
      [404, "text/event-stream", "MW_ERR_HTTP_STATUS"],
      [401, "text/event-stream", "MW_ERR_HTTP_STATUS"],
      [201, "text/event-stream", "MW_ERR_HTTP_STATUS"],
      [200, "text/html", "MW_ERR_HTTP_CONTENT_TYPE"],
    ] as const) {
      await using server = await inTurn((response) =>
        response.writeHead(status, { "content-type": type }).end("data: a\n\n"),
      );
      await using session = new ClientSession();
      await assert.rejects(serverSentEvents(session, server.url, { backoff }).next(), { code });
      assert.equal(session.statistics().inUse, 0);
      assert.equal(server.lastIds.length, 1);
    }
    await using server = await inTurn((response) => response.write(`data: ${"x".repeat(100)}`));
    await using session = new ClientSession();
    await assert.rejects(serverSentEvents(session, server.url, { maxEventBytes: 10 }).next(), {
      code: "MW_ERR_HTTP_EVENT_TOO_LARGE",
    });
  });

  it("gives up after so many connections without an event", async () => {
    await using session = new ClientSession();
    const dead = await deadUrl();
    await assert.rejects(serverSentEvents(session, dead, { backoff, attempts: 3 }).next(), {
      code: "MW_ERR_HTTP_CONNECT",
    });
    await using server = await inTurn(
      ...Array.from({ length: 5 }, () => (response: ServerResponse) => response.end(":\n")),
    );
    await assert.rejects(serverSentEvents(session, server.url, { backoff, attempts: 2 }).next(), {
      code: "MW_ERR_HTTP_INCOMPLETE",
    });
    assert.equal(server.lastIds.length, 2);
  });

  it("comes back when nothing comes for idleMs", async () => {
    await using server = await inTurn(
      (response) => response.write("id: 1\ndata: a\n\n"),
      (response) => response.end("data: b\n\n"),
    );
    await using session = new ClientSession({ timeouts: { idleMs: 5 } });
    const events = await Array.fromAsync(serverSentEvents(session, server.url, { backoff }));
    assert.deepEqual(
      events.map(({ data }) => data),
      ["a", "b"],
    );
  });

  it("closes the connection when the loop is left, and obeys the scope while it reads and while it waits", async () => {
    await using server = await inTurn(
      (response) => response.write("data: a\n\ndata: b\n\n"),
      (response) => response.write("data: a\n\n"),
      (response) => response.end("data: a\n\n"),
    );
    await using session = new ClientSession();
    for await (const { data } of serverSentEvents(session, server.url)) {
      assert.equal(data, "a");
      break;
    }
    assert.equal(session.statistics().inUse, 0);
    for (const waiting of [false, true]) {
      await cancelScope(async (scope) => {
        const events = serverSentEvents(session, server.url, {
          backoff: fixed(60_000),
          onReconnect: () => void setImmediate(() => scope.cancel()),
        });
        await events.next();
        if (!waiting) void setImmediate(() => scope.cancel());
        await assert.rejects(events.next(), isCancelled);
      });
      assert.equal(session.statistics().inUse, 0);
    }
    assert.equal(server.lastIds.length, 3);
    await session.close();
    await server.allClosed();
  });

  it("ends with the session, also in the wait for the next connection", async () => {
    const endings: Readonly<Record<string, (session: ClientSession) => unknown>> = {
      "before the wait": (session) => session.close(),
      "in the wait": (session) => setImmediate(() => void session.close()),
    };
    for (const [when, end] of Object.entries(endings)) {
      await using server = await inTurn((response) => response.end("data: a\n\n"));
      await using session = new ClientSession();
      const events = serverSentEvents(session, server.url, {
        backoff: fixed(600_000),
        onReconnect: () => void end(session),
      });
      assert.equal((await events.next()).value?.data, "a");
      const began = performance.now();
      await assert.rejects(events.next(), { name: "HttpError", code: "MW_ERR_HTTP_CLOSED" }, when);
      assert.ok(performance.now() - began < 10_000, when);
      assert.deepEqual(await events.next(), { done: true, value: undefined }, when);
      await assert.rejects(serverSentEvents(session, server.url).next(), { code: "MW_ERR_HTTP_CLOSED" }, when);
    }
  });

  it("ends with the session while it reads", async () => {
    await using server = await inTurn((response) => response.write("data: a\n\n"));
    const session = new ClientSession();
    const events = serverSentEvents(session, server.url);
    assert.equal((await events.next()).value?.data, "a");
    const ended = assert.rejects(events.next(), { code: "MW_ERR_HTTP_CLOSED" });
    await session.close();
    await ended;
    await server.allClosed();
  });

  it("refuses bad options before anything is sent", async () => {
    await using session = new ClientSession();
    for (const bad of [
      { lastEventId: "a\nb" },
      { lastEventId: 1 },
      { attempts: 0 },
      { backoff: 1 },
      { onReconnect: 1 },
      { maxEventBytes: -1 },
      { headers: { "Last-Event-ID": "1" } },
      null,
    ]) {
      assert.throws(() => serverSentEvents(session, "http://127.0.0.1:1", bad as never), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
        attempts: 0,
      });
    }
  });
});
