// What a client makes of answers, right and wrong ones, written by hand.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";

import type { ConnectOptions } from "../../src/connect-options.ts";
import { connect } from "../../src/connect.ts";
import type { Connection } from "../../src/connection.ts";
import { text } from "./case.ts";
import { head, headerOf, type RawPeer, RawServer, responseHead } from "./raw-peer.ts";
import { CLOSE, encode } from "./wire.ts";

type Respond = (request: string, peer: RawPeer) => void | Promise<void>;

/** Connects to a server that answers in this way. */
async function opening(
  respond: Respond,
  options: ConnectOptions,
  body: (opened: Promise<Connection>, server: RawServer) => Promise<void>,
): Promise<void> {
  await run(async () => {
    await using server = await RawServer.start();
    const serving = (async (): Promise<RawPeer> => {
      const peer = await server.nextPeer();
      await respond(await peer.readHead(), peer);
      return peer;
    })();
    const opened = connect(server.url, options);
    await body(opened, server);
    using peer = await serving;
    await peer.ended();
  });
}

const answering =
  (answer: (request: string) => string): Respond =>
  (request, peer) => {
    peer.write(answer(request));
    peer.socket.end();
  };

const withHeader =
  (...headers: string[]): Respond =>
  (request, peer) =>
    peer.write(responseHead(request, { headers }));

/** A right answer but for a change of its text. */
const changed =
  (from: RegExp, to: string): Respond =>
  (request, peer) =>
    peer.write(responseHead(request).replace(from, to));

const status = (line: string, body = ""): Respond =>
  answering(() => head(`HTTP/1.1 ${line}`, `Content-Length: ${body.length}`, "Connection: close") + body);

interface Refused {
  readonly respond: Respond;
  readonly options?: ConnectOptions;
  readonly error: Readonly<Record<string, unknown>>;
}

const HANDSHAKE = { name: "HandshakeError", code: "MW_ERR_WS_HANDSHAKE" };

const REFUSED: Readonly<Record<string, Refused>> = {
  "a wrong answer to its key": {
    respond: changed(/Accept: .*/, "Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    error: HANDSHAKE,
  },
  "no answer to its key": { respond: changed(/Sec-WebSocket-Accept: .*\r\n/, ""), error: HANDSHAKE },
  "another upgrade": { respond: changed(/Upgrade: websocket/, "Upgrade: h2c"), error: HANDSHAKE },
  "no upgrade": { respond: changed(/Upgrade: websocket\r\n/, ""), error: HANDSHAKE },
  "200": { respond: status("200 OK", "hello"), error: { ...HANDSHAKE, status: 200, body: "hello" } },
  "401": { respond: status("401 Unauthorized", "who?"), error: { ...HANDSHAKE, status: 401, body: "who?" } },
  "404": { respond: status("404 Not Found"), error: { ...HANDSHAKE, status: 404 } },
  "503": { respond: status("503 Service Unavailable"), error: { ...HANDSHAKE, status: 503 } },
  "a subprotocol that it has not offered": {
    respond: withHeader("Sec-WebSocket-Protocol: chat"),
    error: { name: "HandshakeError", code: "MW_ERR_WS_SUBPROTOCOL" },
  },
  "a subprotocol that is none of those it has offered": {
    respond: withHeader("Sec-WebSocket-Protocol: chat"),
    options: { subprotocols: ["a", "b"] },
    error: { name: "HandshakeError", code: "MW_ERR_WS_SUBPROTOCOL" },
  },
  "an extension that it has not offered": {
    respond: withHeader("Sec-WebSocket-Extensions: permessage-deflate"),
    options: { compression: "off" },
    error: HANDSHAKE,
  },
  "an extension that it does not know": { respond: withHeader("Sec-WebSocket-Extensions: foo"), error: HANDSHAKE },
  "two extensions": { respond: withHeader("Sec-WebSocket-Extensions: permessage-deflate, foo"), error: HANDSHAKE },
  "a parameter that there is not": {
    respond: withHeader("Sec-WebSocket-Extensions: permessage-deflate; foo=1"),
    error: HANDSHAKE,
  },
  "a window that is too large": {
    respond: withHeader("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=16"),
    error: HANDSHAKE,
  },
  "a window larger than it has offered": {
    respond: withHeader("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15"),
    options: { compression: { clientMaxWindowBits: 10 } },
    error: HANDSHAKE,
  },
  "a head of more than 16 KiB": { respond: withHeader(`X-Long: ${"*".repeat(16_384)}`), error: HANDSHAKE },
  "what is no HTTP": { respond: answering(() => "SSH-2.0-OpenSSH_9.2\r\n"), error: HANDSHAKE },
};

describe("the handshake of a client", () => {
  for (const [name, { respond, options = {}, error }] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, async () => {
      await opening(respond, options, async (opened) => {
        await assert.rejects(opened, error);
      });
    });
  }

  for (const [name, part] of [
    ["before the answer", ""],
    ["in the middle of the answer", "HTTP/1.1 101 Switching Protocols\r\nUpgra"],
  ] as const) {
    it(`says that the connection was lost ${name}`, async () => {
      await opening(
        answering(() => part),
        {},
        async (opened) => {
          await assert.rejects(opened, (error: { code?: string }) => {
            assert.match(error.code ?? "", /^MW_ERR_WS_(CONNECT|HANDSHAKE)$/);
            return true;
          });
        },
      );
    });
  }

  for (const [name, respond] of [
    ["does not answer", () => undefined],
    ["does not end its answer", (_, peer) => peer.write("HTTP/1.1 101 Switching Protocols\r\nUpgra")],
  ] as const satisfies ReadonlyArray<readonly [string, Respond]>) {
    it(`gives up on a server that ${name}`, async () => {
      await opening(respond, { openTimeoutMs: 50 }, async (opened) => {
        await assert.rejects(opened, { name: "ConnectError", code: "MW_ERR_WS_OPEN_TIMEOUT" });
      });
    });
  }

  it("sends what it has to", async () => {
    const seen = Promise.withResolvers<string>();
    const respond: Respond = (request, peer) => {
      seen.resolve(request);
      peer.write(responseHead(request, { headers: ["Sec-WebSocket-Protocol: b"] }));
    };
    await opening(respond, { origin: "http://example.com", subprotocols: ["a", "b"] }, async (opened) => {
      const request = await seen.promise;
      (await opened).terminate();
      assert.match(request, /^GET \/ HTTP\/1\.1\r\n/);
      assert.match(headerOf(request, "host") ?? "", /^127\.0\.0\.1:\d+$/);
      assert.equal(headerOf(request, "upgrade"), "websocket");
      assert.match(headerOf(request, "connection") ?? "", /^upgrade$/i);
      assert.equal(headerOf(request, "sec-websocket-version"), "13");
      assert.equal(Buffer.from(headerOf(request, "sec-websocket-key") ?? "", "base64").length, 16);
      assert.equal(headerOf(request, "origin"), "http://example.com");
      assert.match(headerOf(request, "sec-websocket-protocol") ?? "", /^a, ?b$/);
      assert.match(headerOf(request, "sec-websocket-extensions") ?? "", /^permessage-deflate\b/);
    });
  });

  it("reads frames that come with the answer", async () => {
    const respond: Respond = (request, peer) =>
      peer.write(Buffer.concat([Buffer.from(responseHead(request)), encode(text("early"), "server")]));
    await opening(respond, {}, async (opened) => {
      const socket = await opened;
      assert.equal(await socket.recv(), "early");
      socket.terminate();
    });
  });

  it("reads an answer that comes byte by byte", async () => {
    const respond: Respond = (request, peer) => peer.writeByteByByte(Buffer.from(responseHead(request)));
    await opening(respond, {}, async (opened) => {
      const socket = await opened;
      assert.equal(socket.state, "open");
      socket.terminate();
    });
  });

  it("closes with a mask and a code", async () => {
    await run(async () => {
      await using server = await RawServer.start();
      const accepting = server.accept();
      const socket = await connect(server.url);
      using peer = await accepting;
      const closing = socket.close(4321, "bye");
      const frame = await peer.next();
      assert.ok(frame !== null);
      assert.deepEqual([frame.opcode, frame.isMasked, frame.fin], [CLOSE, true, true]);
      assert.deepEqual([frame.payload.readUInt16BE(0), frame.payload.toString("utf8", 2)], [4321, "bye"]);
      peer.write(encode({ opcode: CLOSE, payload: frame.payload, fin: true, rsv: 0 }, "server"));
      peer.socket.end();
      await closing;
      assert.deepEqual(socket.closed, { code: 4321, reason: "bye", by: "us", wasClean: true });
    });
  });
});
