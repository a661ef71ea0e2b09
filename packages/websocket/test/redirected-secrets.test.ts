import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { describe, it } from "node:test";
import type { TLSSocket } from "node:tls";

import { connect } from "@meanwhile/websocket";
import { WebSocketServer } from "ws";

import { CA, CLIENT, SERVER } from "../../http/test/certificates.ts";

/** Who has asked. */
interface Visitor {
  readonly certificate: string | undefined;
  readonly origin: string | undefined;
  readonly key: unknown;
}

/** A secure server that asks for a certificate, and leads elsewhere if it is told where. */
async function serveNosy(to?: string): Promise<{ url: string; seen: Visitor[] } & AsyncDisposable> {
  const seen: Visitor[] = [];
  const server: Server = createServer({ ...SERVER, ca: CA, requestCert: true, rejectUnauthorized: false });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    const { origin } = request.headers;
    seen.push({
      certificate: subject === undefined ? undefined : String(subject.CN),
      origin,
      key: request.headers["x-key"],
    });
    if (to === undefined) return sockets.handleUpgrade(request, socket, head, () => {});
    socket.end(`HTTP/1.1 307 There\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `wss://localhost:${typeof address === "object" && address !== null ? address.port : 0}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a redirect to another origin", () => {
  it("gets no certificate, no Origin and no header fields of the first, and has to be trusted all the same", async () => {
    await using there = await serveNosy();
    await using here = await serveNosy(there.url);
    const { cert, key } = CLIENT;
    const options = { tls: { ca: CA, cert, key }, origin: "https://example.org", headers: { "x-key": "k" } };
    await using socket = await connect(here.url, options);
    assert.equal(socket.state, "open");
    const [first] = here.seen;
    assert.ok(first?.certificate !== undefined);
    assert.deepEqual([first.origin, first.key], ["https://example.org", "k"]);
    assert.deepEqual(there.seen, [{ certificate: undefined, origin: undefined, key: undefined }]);
  });
});
