import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { ClientSession, download, TRACE_CHANNEL, type TraceEvent } from "@meanwhile/http";
import { fixed } from "meanwhile";

import { expectWarning } from "../../../tools/test-setup.ts";
import { deadUrl, serve } from "./servers.ts";

const kinds = (events: readonly TraceEvent[]): string => events.map(({ kind }) => kind).join(" ");

describe("The trace of a session", () => {
  it("tells each step of a request over a new connection, and over a kept one", async () => {
    const events: TraceEvent[] = [];
    await using server = await serve((_request, response) => response.end("body"));
    await using session = new ClientSession({ trace: (event) => events.push(event) });
    await (await session.get(`${server.url}/?token=canary`)).text();
    assert.equal(
      kinds(events),
      "request-start queued dequeued connect-start connect-end sent response-start response-end",
    );
    assert.ok(events.every(({ url, method }) => method === "GET" && url.endsWith("?token=***")));
    assert.ok(events.every(({ atMs }, index) => atMs >= (events[index - 1]?.atMs ?? 0)));
    assert.deepEqual(
      events.map(({ reused }) => reused).filter((reused) => reused !== undefined),
      [false],
    );
    const connected = events.find(({ kind }) => kind === "connect-end");
    assert.deepEqual([connected?.address, connected?.protocol], ["127.0.0.1", "http:"]);
    assert.deepEqual([events.at(-2)?.status, events.at(-1)?.bytes], [200, 4]);
    const first = events.splice(0);
    await (await session.get(server.url)).text();
    assert.equal(kinds(events), "request-start queued dequeued sent response-start response-end");
    assert.equal(events[2]?.reused, true);
    assert.equal(events[0]?.id, (first[0]?.id ?? 0) + 1);
  });

  it("tells of redirects, retries, bodies that are given up, and errors", async () => {
    const events: TraceEvent[] = [];
    await using server = await serve((request, response) => {
      if (request.url === "/") response.writeHead(302, { location: "/big?sig=canary" }).end();
      else if (request.url === "/busy") response.writeHead(503).end();
      else response.end(Buffer.alloc(1_000_000));
    });
    await using session = new ClientSession({ trace: (event) => events.push(event) });
    await (await session.get(server.url)).close();
    assert.deepEqual([events.at(-1)?.kind, kinds(events).includes("redirect queued")], ["response-aborted", true]);
    assert.match(events.find(({ kind }) => kind === "redirect")?.location ?? "", /\/big\?sig=\*\*\*$/);
    events.length = 0;
    await (await session.get(`${server.url}/busy`, { retry: { attempts: 2, backoff: fixed(1) } })).text();
    const retry = events.find(({ kind }) => kind === "retry");
    assert.deepEqual([retry?.attempt, retry?.delayMs, events.at(-1)?.attempt], [1, 1, 2]);
    events.length = 0;
    const failure = await session.get(await deadUrl()).catch((error: unknown) => error);
    assert.equal(events.at(-1)?.kind, "request-error");
    assert.equal(events.at(-1)?.error, failure);
  });

  it("is published on a channel for the whole process", async () => {
    const events: TraceEvent[] = [];
    const listener = (event: unknown): void => void events.push(event as TraceEvent);
    await using server = await serve((_request, response) => response.end());
    await using session = new ClientSession();
    subscribe(TRACE_CHANNEL, listener);
    await (await session.get(server.url)).text();
    unsubscribe(TRACE_CHANNEL, listener);
    await (await session.get(server.url)).text();
    assert.match(kinds(events), /^request-start .* response-end$/);
    assert.equal(events.filter(({ kind }) => kind === "request-start").length, 1);
  });

  it("may not throw: that is a warning, and the request goes on", async () => {
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    await using server = await serve((_request, response) => response.end("fine"));
    await using session = new ClientSession({
      trace: ({ kind }) => {
        if (kind === "queued") throw new RangeError("of the trace");
      },
    });
    assert.equal(await (await session.get(server.url)).text(), "fine");
    assert.match((await warnings.first()).message, /The trace of a session failed/);
    assert.throws(() => new ClientSession({ trace: 1 as never }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
  });

  it("may not reject either, nor may what is told of a transfer", async () => {
    await using server = await serve((_request, response) => response.end("fine"));
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-trace-"));
    const failing = (): unknown => Promise.reject(new RangeError("of the user"));
    const reports: ReadonlyArray<[RegExp, (session: ClientSession) => Promise<unknown>]> = [
      [/The trace of a session failed/, (session) => session.get(server.url)],
      [/onUploadProgress failed/, (session) => session.post(server.url, { body: "x", onUploadProgress: failing })],
      [/onProgress failed/, (session) => download(session, server.url, join(directory, "f"), { onProgress: failing })],
    ];
    for (const [index, [message, call]] of reports.entries()) {
      await using warnings = expectWarning("MW_WARN_SUPPRESSED");
      await using session = new ClientSession(index === 0 ? { trace: failing } : {});
      await call(session);
      assert.match((await warnings.first()).message, message);
    }
    await rm(directory, { recursive: true });
  });
});
