import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as after } from "node:timers/promises";

import { ClientSession } from "@meanwhile/http";

import { serve } from "./servers.ts";

/** Answers with `count` pieces of 100 bytes, 2 ms apart. */
function dripping(count: number) {
  return serve(async (_request, response) => {
    response.on("error", () => {});
    for (let piece = 0; piece < count && !response.destroyed; piece++) {
      response.write("x".repeat(100));
      await after(2);
    }
    response.end();
  });
}

describe("timeouts.minBytesPerSecond", () => {
  it("ends a body that comes too slowly, and says how slowly it came", async () => {
    await using server = await dripping(100_000);
    await using session = new ClientSession({ timeouts: { minBytesPerSecond: 1e6, speedMs: 50 } });
    const response = await session.get(server.url);
    await assert.rejects(response.text(), {
      name: "HttpTimeoutError",
      code: "MW_ERR_HTTP_TOO_SLOW",
      phase: "speed",
      message: /\d+ bytes came in 50 ms, less than timeouts\.minBytesPerSecond \(1000000\)/,
    });
    await server.allClosed();
    assert.equal(session.statistics().inUse, 0);
  });

  it("looks only at the time in which somebody waits for the body", async () => {
    await using server = await serve((_request, response) => response.end(Buffer.alloc(2_000_000)));
    await using session = new ClientSession({ timeouts: { minBytesPerSecond: 1, speedMs: 20 } });
    let bytes = 0;
    for await (const chunk of (await session.get(server.url)).stream()) {
      bytes += chunk.length;
      await after(1); // the reader is slow, not the server
    }
    assert.equal(bytes, 2_000_000);
  });

  it("lets pass what is fast enough in each window", async () => {
    await using server = await dripping(30);
    await using session = new ClientSession({ timeouts: { minBytesPerSecond: 10, speedMs: 20 } });
    assert.equal((await (await session.get(server.url)).text()).length, 3_000);
  });

  it("has to be a number", () => {
    for (const timeouts of [{ minBytesPerSecond: -1 }, { minBytesPerSecond: "1" }, { speedMs: 0 }] as never[]) {
      assert.throws(() => new ClientSession({ timeouts }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
  });
});
