// What a server makes of requests, right and wrong ones, written by hand.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";

import type { ServeOptions } from "../../src/serve-options.ts";
import { serve } from "../../src/serve.ts";
import { text } from "./case.ts";
import { echo } from "./echo.ts";
import { dial, head, headerOf, openRaw, type RawPeer, requestHead } from "./raw-peer.ts";
import { CLOSE, closePayload, encode } from "./wire.ts";

const GOOD: Readonly<Record<string, string>> = {
  Host: "127.0.0.1",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

/** A request that is right but for these headers; null leaves one out. */
function request(changes: Readonly<Record<string, string | null>>, line = "GET / HTTP/1.1"): string {
  const headers = Object.entries({ ...GOOD, ...changes });
  return head(line, ...headers.map(([name, value]) => (value === null ? null : `${name}: ${value}`)));
}

async function withServer(body: (port: number) => Promise<void>, options: ServeOptions = {}): Promise<void> {
  await run(async () => {
    await using server = await serve(echo, options);
    await body(server.port ?? 0);
  });
}

async function answerTo(port: number, bytes: string): Promise<string> {
  using peer = await dial(port);
  peer.write(bytes);
  const answer = await peer.readHead();
  if (!answer.startsWith("HTTP/1.1 101")) await peer.ended();
  return answer;
}

/** Whether a message comes back. */
async function echoes(peer: RawPeer): Promise<boolean> {
  peer.write(encode(text("hello"), "client"));
  const frame = await peer.next();
  peer.write(encode({ opcode: CLOSE, payload: closePayload(1000), fin: true, rsv: 0 }, "client"));
  return frame?.payload.toString() === "hello";
}

const REFUSED: ReadonlyArray<readonly [name: string, request: string, statuses: readonly number[]]> = [
  ["a plain request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", [426]],
  ["another upgrade", request({ Upgrade: "h2c" }), [400, 426]],
  ["an upgrade without the header Connection", request({ Connection: null }), [400, 426]],
  ["POST", request({ "Content-Length": "0" }, "POST / HTTP/1.1"), [405]],
  ["HTTP/1.0", request({}, "GET / HTTP/1.0"), [400, 426, 505]],
  ["no key", request({ "Sec-WebSocket-Key": null }), [400]],
  ["an empty key", request({ "Sec-WebSocket-Key": "" }), [400]],
  ["a key that is too short", request({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZQ==" }), [400]],
  ["a key that is no base64", request({ "Sec-WebSocket-Key": "!!hlIHNhbXBsZSBub25jZQ==" }), [400]],
  ["no version", request({ "Sec-WebSocket-Version": null }), [400, 426]],
  ["version 8", request({ "Sec-WebSocket-Version": "8" }), [400, 426]],
  ["version 14", request({ "Sec-WebSocket-Version": "14" }), [400, 426]],
  ["a subprotocol that is no token", request({ "Sec-WebSocket-Protocol": "a b" }), [400]],
  ["a subprotocol twice", request({ "Sec-WebSocket-Protocol": "a, a" }), [400]],
  ["extensions that cannot be read", request({ "Sec-WebSocket-Extensions": "permessage-deflate;;" }), [400]],
  ["a head of more than 16 KiB", request({ "X-Long": "*".repeat(16_384) }), [431]],
  ["129 headers", request(Object.fromEntries(Array.from({ length: 124 }, (_, n) => [`X-${n}`, "1"]))), [431]],
  ["what is no HTTP", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n", [400]],
];

describe("the handshake of a server", () => {
  for (const [name, bytes, statuses] of REFUSED) {
    it(`refuses ${name}`, async () => {
      await withServer(async (port) => {
        const answer = await answerTo(port, bytes);
        const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
        assert.ok(statuses.includes(status), answer);
        const { peer } = await openRaw(port);
        using _ = peer;
        assert.ok(await echoes(peer), "others are served");
      });
    });
  }

  it("tells the version it speaks", async () => {
    await withServer(async (port) => {
      const answer = await answerTo(port, request({ "Sec-WebSocket-Version": "14" }));
      assert.match(headerOf(answer, "sec-websocket-version") ?? "", /\b13\b/);
    });
  });

  for (const [name, bytes] of [
    ["names and values in other cases", request({ Upgrade: "WebSocket", Connection: "keep-alive, upgrade" })],
    ["128 headers", request(Object.fromEntries(Array.from({ length: 123 }, (_, n) => [`X-${n}`, "1"])))],
    ["a head of 12 KiB", request({ "X-Long": "*".repeat(12_288) })],
    ["a path with a query", request({}, "GET /a/b?c=d&e HTTP/1.1")],
    ["extensions that nobody knows", request({ "Sec-WebSocket-Extensions": "x-webkit-deflate-frame, foo; bar=1" })],
  ] as const) {
    it(`takes ${name}`, async () => {
      await withServer(async (port) => {
        using peer = await dial(port);
        peer.write(bytes);
        assert.match(await peer.readHead(), /^HTTP\/1\.1 101 /);
        assert.ok(await echoes(peer));
      });
    });
  }

  it("reads frames that come with the request", async () => {
    await withServer(async (port) => {
      using peer = await dial(port);
      peer.write(Buffer.concat([Buffer.from(requestHead()), encode(text("early"), "client")]));
      assert.match(await peer.readHead(), /^HTTP\/1\.1 101 /);
      assert.equal((await peer.next())?.payload.toString(), "early");
    });
  });

  it("reads a request that comes byte by byte", async () => {
    await withServer(async (port) => {
      using peer = await dial(port);
      await peer.writeByteByByte(Buffer.from(requestHead()));
      assert.match(await peer.readHead(), /^HTTP\/1\.1 101 /);
    });
  });

  it("ends one who does not say enough in time", async () => {
    await withServer(
      async (port) => {
        using peer = await dial(port);
        peer.write("GET / HTTP/1.1\r\nHost:");
        await peer.ended();
        using silent = await dial(port);
        await silent.ended();
      },
      { openTimeoutMs: 50 },
    );
  });

  it("lets a client go in the middle of its request", async () => {
    await withServer(async (port) => {
      for (const part of ["GET", "GET / HTTP/1.1\r\nUpgra", requestHead()]) {
        using peer = await dial(port);
        peer.write(part);
        peer.socket.resetAndDestroy();
      }
      const { peer } = await openRaw(port);
      using _ = peer;
      assert.ok(await echoes(peer));
    });
  });
});

const OFFERS: ReadonlyArray<readonly [offer: string, agreed: RegExp | null]> = [
  ["permessage-deflate", /^permessage-deflate\b/],
  ["permessage-deflate; client_max_window_bits", /^permessage-deflate\b/],
  ["permessage-deflate; client_max_window_bits=15; server_max_window_bits=15", /^permessage-deflate\b/],
  ["permessage-deflate; client_max_window_bits=8", /^permessage-deflate\b/],
  ["permessage-deflate; server_max_window_bits=8", /server_max_window_bits=8/],
  ["permessage-deflate; server_max_window_bits=9", /server_max_window_bits=9/],
  ["permessage-deflate; server_no_context_takeover", /server_no_context_takeover/],
  ["permessage-deflate; client_no_context_takeover", /^permessage-deflate\b/],
  ["foo; a=1, permessage-deflate", /^permessage-deflate\b/],
  ["permessage-deflate; server_max_window_bits=7", null],
  ["permessage-deflate; server_max_window_bits", null],
  ["permessage-deflate; client_no_context_takeover=1", null],
  ["permessage-deflate; foo", null],
  ["permessage-deflate; foo=bar", null],
];

describe("the extensions that a server agrees on", () => {
  for (const [offer, agreed] of OFFERS) {
    it(`are right for the offer ${offer}`, async () => {
      await withServer(async (port) => {
        const answer = await answerTo(port, requestHead({ extensions: offer }));
        const extensions = headerOf(answer, "sec-websocket-extensions");
        // A bad offer is to be declined; to refuse its client is not forbidden.
        if (agreed === null) return assert.ok(extensions === undefined, answer);
        assert.match(answer, /^HTTP\/1\.1 101 /);
        assert.match(extensions ?? "", agreed);
      });
    });
  }

  it("are none without an offer, and where compression is off", async () => {
    await withServer(async (port) => {
      assert.equal(headerOf(await answerTo(port, requestHead()), "sec-websocket-extensions"), undefined);
    });
    await withServer(
      async (port) => {
        const answer = await answerTo(port, requestHead({ extensions: "permessage-deflate" }));
        assert.match(answer, /^HTTP\/1\.1 101 /);
        assert.equal(headerOf(answer, "sec-websocket-extensions"), undefined);
      },
      { compression: "off" },
    );
  });
});
