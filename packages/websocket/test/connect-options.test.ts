import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connect, type ConnectOptions, reconnecting } from "@meanwhile/websocket";

const NOWHERE = "ws://127.0.0.1:1";

const WRONG: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
  ["handshakeTimeout", { handshakeTimeout: 1 }],
  ["queue", { queue: 3 }],
  ["queue.high", { queue: { high: 0 } }],
  ["queue.low", { queue: { high: 4, low: 4 } }],
  ["compression", { compression: "gzip" }],
  ["compression.serverMaxWindowBits", { compression: { serverMaxWindowBits: 7 } }],
  ["compression.clientMaxWindowBits", { compression: { clientMaxWindowBits: 16 } }],
  ["compression.level", { compression: { level: 10 } }],
  ["compression.memLevel", { compression: { memLevel: 0 } }],
  ["pingIntervalMs", { pingIntervalMs: 0 }],
  ["pingTimeoutMs", { pingTimeoutMs: -1 }],
  ["closeTimeoutMs", { closeTimeoutMs: "1" }],
  ["openTimeoutMs", { openTimeoutMs: Number.NaN }],
  ["maxMessageBytes", { maxMessageBytes: 2 ** 31 }],
  ["maxFragments", { maxFragments: 0.5 }],
  ["writeLimitBytes", { writeLimitBytes: -1 }],
  ["trace", { trace: true }],
  ["subprotocols", { subprotocols: ["a b"] }],
  ["subprotocols", { subprotocols: ["a", "a"] }],
  ["subprotocols", { subprotocols: "a" }],
  ["headers", { headers: { "a\nb": "c" } }],
  ["headers", { headers: { a: "canary\r\nx: y" } }],
  ["headers", { headers: { "Sec-WebSocket-Protocol": "a" } }],
  ["headers", { headers: { Trailer: "x" } }],
  ["headers", { headers: { "Content-Length": "10" } }],
  ["headers", { headers: { "transfer-encoding": "chunked" } }],
  ["headers", { headers: [1, 2] }],
  ["origin", { origin: "a\r\nb" }],
  ["origin", { origin: 5 }],
  ["userAgent", { userAgent: 5 }],
  ["maxRedirects", { maxRedirects: -1 }],
  ["maxHandshakeBytes", { maxHandshakeBytes: 0 }],
  ["proxy", { proxy: "ftp://host" }],
  ["proxy", { proxy: 1 }],
  ["proxy", { proxy: "http://host", socketPath: "/tmp/x" }],
  ["tls", { tls: 1 }],
  ["socketPath", { socketPath: "" }],
];

describe("options of connect", () => {
  for (const [name, options] of WRONG) {
    it(`refuses ${name} in ${JSON.stringify(options)} before anything is sent`, async () => {
      const given = options as ConnectOptions;
      await assert.rejects(connect(NOWHERE, given), (error: Error & { code?: string }) => {
        assert.equal(error.code, "MW_ERR_WS_INVALID_ARGUMENT");
        assert.ok(error.message.includes(`'${name}'`), error.message);
        assert.doesNotMatch(error.message, /canary/);
        return true;
      });
      assert.throws(() => reconnecting(NOWHERE, given), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
    });
  }

  it("names the option that is meant", async () => {
    await assert.rejects(connect(NOWHERE, { maxPayload: 1 } as ConnectOptions), { message: /pass 'maxMessageBytes'/ });
  });

  for (const url of ["", "nothing", "/path", "ftp://host", "ws:", "ws://host/#part", "ws://a:%ff@host", 5]) {
    it(`refuses the URL ${JSON.stringify(url)}`, async () => {
      await assert.rejects(connect(url as string), { code: "MW_ERR_WS_INVALID_URL" });
      assert.throws(() => reconnecting(url as string), { code: "MW_ERR_WS_INVALID_URL" });
    });
  }
});
