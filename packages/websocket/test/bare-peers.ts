// Peers that are not ours: servers of `ws`, and such that speak no WebSocket at all, on 127.0.0.1.

import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";

import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";

import { SERVER } from "../../http/test/certificates.ts";

/** A running peer. */
export interface BarePeer extends AsyncDisposable {
  /** Where it is, without a path. */
  readonly url: string;
  readonly port: number;
  /** The connections it has had, the oldest first. */
  readonly sockets: ReadonlyArray<Socket>;
  /** Resolves when none of them is open. */
  allClosed(): Promise<void>;
}

/** A server of `ws`. */
export interface BareServer extends BarePeer {
  readonly clients: ReadonlySet<WebSocket>;
}

/** A port where nobody listens. */
export async function deadPort(): Promise<number> {
  await using peer = await started(createServer(), "ws");
  return peer.port;
}

/** A server that takes every connection, and lets `onSocket` do the rest. Without one it echoes. */
export async function serveBare(
  onSocket: (socket: WebSocket, headers: Readonly<Record<string, unknown>>) => void = echo,
  options: ServerOptions & { readonly isSecure?: boolean } = {},
): Promise<BareServer> {
  const { isSecure = false, ...others } = options;
  const server = isSecure ? createHttpsServer(SERVER) : createHttpServer();
  if (isSecure) server.on("tlsClientError", () => {});
  const sockets = new WebSocketServer({ server, ...others });
  sockets.on("connection", (socket, request) => {
    socket.on("error", () => {});
    onSocket(socket, request.headers);
  });
  sockets.on("wsClientError", () => {});
  return { ...(await started(server, isSecure ? "wss" : "ws")), clients: sockets.clients };
}

/** Sends back what comes. */
export function echo(socket: WebSocket): void {
  socket.on("message", (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
}

/** An HTTP server that knows nothing of WebSockets. */
export function serveHttp(listener: RequestListener): Promise<BarePeer> {
  const server = createHttpServer(listener);
  // Else Node would ignore that an upgrade was asked for only where nobody listens to the event.
  return started(server, "ws");
}

/** A server that gets every connection as it is. */
export function serveRaw(onConnection: (socket: Socket) => void): Promise<BarePeer> {
  return started(createServer(onConnection), "ws");
}

async function started(server: Server, protocol: string): Promise<BarePeer> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `${protocol}://127.0.0.1:${port}`,
    port,
    sockets,
    async allClosed() {
      const alive = sockets.filter((socket) => !socket.closed);
      await Promise.all(alive.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
