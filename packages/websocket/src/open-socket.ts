// The opening handshake, over a connection that stands.

import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { suspend, type Waiter, type WaitTarget } from "meanwhile/lowlevel";
import { type ClientOptions, WebSocket } from "ws";

import { readAnswer } from "./answers.ts";
import type { ConnectSettled } from "./connect-options.ts";
import { Connection, type HandshakeHeaders } from "./connection.ts";
import { type RefusingAnswer, WebSocketError } from "./errors.ts";
import { handshakeFailure } from "./handshake-failure.ts";
import { redactUrl } from "./redact.ts";
import { inRootContext } from "./root-context.ts";

/** What is asked of the server. */
export interface HandshakePlan {
  readonly url: URL;
  readonly transport: Socket;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly settled: ConnectSettled;
}

/** What comes of it: a connection, or an answer that opens none. */
export type HandshakeResult = Connection | RefusingAnswer;

/** The options of `ws` that its types do not know yet. */
type Options = Omit<ClientOptions, "headers"> & {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly closeTimeout: number;
  readonly maxHeaderSize: number;
  readonly maxFragments: number;
};

/**
 * Asks the server to open a connection.
 *
 * Cancellation: safe. The connection is cut.
 *
 * @throws {@link HandshakeError}
 * @throws {@link ConnectError} if the server hangs up
 */
export function openSocket(plan: HandshakePlan): Promise<HandshakeResult> {
  const target: WaitTarget = { describe: () => `the handshake with ${redactUrl(plan.url)}`, foreign: true };
  return suspend<HandshakeResult>((waiter) => inRootContext(() => begin(plan, waiter)), target);
}

/** Returns how it is given up. */
function begin(plan: HandshakePlan, waiter: Waiter<HandshakeResult>): () => void {
  const { url, transport, settled } = plan;
  let requestHeaders: HandshakeHeaders = {};
  let responseHeaders: HandshakeHeaders = {};
  const options = optionsOf(plan, (request) => {
    requestHeaders = headersOf(request);
    // After a proxy it is paused; from here on the request listens.
    request.once("socket", (socket) => socket.resume());
    try {
      request.end();
    } catch (cause) {
      // Out of here it would leave a socket behind whose errors nobody hears, and that ends the process.
      waiter.failWith(() => cannotAsk(cause));
      request.destroy();
    }
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const socket = new WebSocket(url, [...settled.subprotocols], options as ClientOptions);
  socket.on("upgrade", (response) => (responseHeaders = response.headers));
  // Stays: giving up is an error for `ws`.
  socket.on("error", (error) => waiter.failWith(() => handshakeFailure(url, error, settled)));
  socket.on("unexpected-response", (_request: ClientRequest, response: IncomingMessage) => {
    readAnswer(response, (answer) => {
      waiter.wake(answer);
      socket.terminate();
    });
  });
  socket.on("open", () => {
    const parts = { socket, transport, settled: settled.connection, requestHeaders, responseHeaders };
    // A connection may last: nothing of its handshake is kept.
    socket.removeAllListeners();
    const connection = new Connection(parts);
    if (!waiter.wake(connection)) connection.terminate();
  });
  return () => socket.terminate();
}

function optionsOf(
  { headers, transport, settled }: HandshakePlan,
  finishRequest: (request: ClientRequest) => void,
): Options {
  const { connection, origin, maxHandshakeBytes } = settled;
  return {
    headers,
    createConnection: () => transport,
    autoPong: false,
    ...(origin === undefined ? {} : { origin }),
    perMessageDeflate: connection.deflate?.options ?? false,
    maxPayload: connection.maxPayload,
    maxFragments: connection.maxFragments,
    closeTimeout: connection.closeTimeoutMs,
    maxHeaderSize: maxHandshakeBytes,
    finishRequest,
  };
}

function cannotAsk(cause: unknown): WebSocketError {
  const what = "'headers' makes a request that cannot be sent, see the cause; leave out what is not needed";
  return new WebSocketError("MW_ERR_WS_INVALID_ARGUMENT", `Cannot connect: ${what}`, { cause });
}

function headersOf(request: ClientRequest): HandshakeHeaders {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(request.getHeaders())) {
    if (value !== undefined) headers[name] = typeof value === "number" ? String(value) : value;
  }
  return headers;
}
