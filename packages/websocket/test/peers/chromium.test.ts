import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";

import { cancellable, run, timeout } from "meanwhile";

import type { Connection } from "../../src/connection.ts";
import { serve } from "../../src/serve.ts";
import { chromiumMissing, openPage } from "./chromium.ts";

/** A browser that starts on a busy machine takes seconds. */
const LONGEST_MS = 30_000;
const PAGE = readFileSync(join(import.meta.dirname, "chromium-page.html"));

/** What the script of the page tells. */
interface Report {
  readonly opened: boolean;
  readonly same?: readonly boolean[];
  readonly extensions?: string;
  readonly protocol?: string;
  readonly own?: readonly unknown[];
  readonly theirs?: readonly unknown[];
  readonly tooLong?: readonly unknown[];
}

async function echo(socket: Connection): Promise<void> {
  for await (const message of socket) {
    if (message === "close") await socket.close(4001, "as you wish");
    else await socket.send(message);
  }
}

/** A server that has the page, and takes its report. */
async function startPages(): Promise<{ http: HttpServer; port: number; report: Promise<Report> }> {
  const report = Promise.withResolvers<Report>();
  const http = createServer((request, response) => {
    if (request.url !== "/report") {
      response.setHeader("content-type", "text/html").end(PAGE);
      return;
    }
    response.end();
    text(request).then((body) => report.resolve(JSON.parse(body) as Report), report.reject);
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const address = http.address();
  assert.ok(typeof address === "object" && address !== null);
  return { http, port: address.port, report: report.promise };
}

/** What the page of `host` tells of the server at 127.0.0.1. */
async function reportOf(host: string): Promise<Report> {
  const { http, port, report } = await startPages();
  try {
    return await run(async () => {
      await using _server = await serve(echo, { server: http, subprotocols: ["chat"] });
      const target = encodeURIComponent(`ws://127.0.0.1:${port}/`);
      await using _page = await openPage(`http://${host}:${port}/?server=${target}`);
      return await timeout(LONGEST_MS, () => cancellable(report));
    });
  } finally {
    http.closeAllConnections();
    http.close();
  }
}

describe("the server and Chromium", { skip: chromiumMissing }, () => {
  it("understand each other", async () => {
    const report = await reportOf("127.0.0.1");
    assert.deepEqual(report.same, [true, true, true, true, true, true], "it gets what it has sent");
    assert.match(report.extensions ?? "", /^permessage-deflate/);
    assert.equal(report.protocol, "chat");
    assert.deepEqual(report.own, [4000, "bye", true]);
    assert.deepEqual(report.theirs, [4001, "as you wish", true]);
    assert.deepEqual([report.tooLong?.[0], report.tooLong?.[2]], [1009, true]);
  });

  it("do not meet when the page is another site's", async () => {
    assert.deepEqual(await reportOf("localhost"), { opened: false });
  });
});
