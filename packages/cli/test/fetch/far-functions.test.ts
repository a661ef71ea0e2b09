// The function that makes the requests of runs somewhere else.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";

import { gather } from "meanwhile";

import { fetchOne } from "../../src/fetch/far/functions.ts";
import type { Order } from "../../src/fetch/far/order.ts";

/** More than keep their connections. */
const RUNS = 12;

/** A request of a run that differs from others by its timeout. */
function orderOf(url: string, run: number): Order {
  return {
    run: {
      session: {},
      connectMs: 5_000,
      idleMs: 60_000,
      minSpeed: 0,
      retryMaxMs: 1_000,
      maxBytes: 10_000,
      timeoutMs: 60_000 + run,
      ok: "200",
      body: "text",
      sha256: false,
    },
    url,
    method: "GET",
    headers: [],
    body: undefined,
    checksum: undefined,
  };
}

describe("a worker that makes requests of more runs than keep their connections", () => {
  it("lets each request end", async () => {
    const open: ServerResponse[] = [];
    const all = Promise.withResolvers<void>();
    const http = createServer((_request, response) => {
      open.push(response);
      if (open.length === RUNS) all.resolve();
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
    all.promise.then(() => open.forEach((response) => response.end("here")), assert.fail);
    const outcomes = await gather(
      Array.from({ length: RUNS }, (_, run) => async () => await fetchOne(orderOf(url, run))),
    );
    assert.deepEqual(
      outcomes.map(({ failure, body }) => failure ?? body),
      Array.from({ length: RUNS }, () => "here"),
    );
    http.closeAllConnections();
    http.close();
    await once(http, "close");
  });
});
