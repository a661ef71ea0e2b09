// From a request to an open WebSocket: the response, and the framing from then on. `ws` does both.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { type PerMessageDeflateOptions, type WebSocket, WebSocketServer } from "ws";

import type { HandshakeHeaders } from "./connection.ts";
import { deflateFor } from "./deflate-offer.ts";
import type { ServeSettled } from "./serve-options.ts";

/** A request that wants to become a connection. */
export interface Upgrade {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  /** What came after the head already. */
  readonly head: Buffer;
}

/** What an upgrade has come to. */
export interface Upgraded {
  readonly socket: WebSocket;
  readonly responseHeaders: HandshakeHeaders;
}

export class Upgrader {
  readonly #server: WebSocketServer;
  readonly #deflate: PerMessageDeflateOptions | null;
  readonly #extraLines: readonly string[];
  // Of the upgrade that is being done: it is done at once.
  #subprotocol: string | null = null;
  #responseLines: readonly string[] = [];

  constructor({ connection, headers }: Pick<ServeSettled, "connection" | "headers">) {
    const { deflate, maxPayload, maxFragments, closeTimeoutMs } = connection;
    // Of more than its types know.
    const options = {
      noServer: true,
      autoPong: false,
      clientTracking: false,
      perMessageDeflate: deflate?.options ?? false,
      maxPayload,
      maxFragments,
      closeTimeout: closeTimeoutMs,
      handleProtocols: () => this.#subprotocol ?? (false as const),
    };
    this.#deflate = deflate?.options ?? null;
    this.#extraLines = headers;
    this.#server = new WebSocketServer(options);
    this.#server.on("headers", (lines) => {
      lines.push(...this.#extraLines);
      this.#responseLines = lines.slice(1);
    });
  }

  /** Answers, and takes the socket; null if `ws` has refused the request, or the client is gone. */
  upgrade({ message, socket, head }: Upgrade, subprotocol: string | null): Upgraded | null {
    let opened: WebSocket | null = null;
    this.#subprotocol = subprotocol;
    const asked = message.headers["sec-websocket-extensions"];
    if (this.#deflate !== null) {
      const { options, header } = deflateFor(asked, this.#deflate);
      this.#server.options.perMessageDeflate = options;
      // `ws` refuses all for one that it does not know: it sees only the one that is accepted.
      if (header !== undefined) message.headers["sec-websocket-extensions"] = header;
    }
    this.#server.handleUpgrade(message, socket, head, (webSocket) => void (opened = webSocket));
    if (asked !== undefined) message.headers["sec-websocket-extensions"] = asked;
    return opened === null ? null : { socket: opened, responseHeaders: headersOf(this.#responseLines) };
  }
}

function headersOf(lines: readonly string[]): HandshakeHeaders {
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
}
