// Where connections come in: an HTTP server of our own, or the `upgrade` events of one that somebody else owns.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerOptions } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

import { WebSocketError } from "./errors.ts";
import { Lobby } from "./lobby.ts";
import type { ServeSettled } from "./serve-options.ts";

/** Called for each request that wants to be something else than HTTP. Must not throw. */
export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** One open door. */
export interface Door {
  readonly url: string;
  /** What it is bound to: the address, or the path of a Unix socket. */
  readonly address: string;
  /** Undefined for a Unix socket. */
  readonly port: number | undefined;
  /** Whether nobody else takes what comes in. */
  readonly isOurs: boolean;
  /** A socket has asked: from now on it is the server's. Returns how long that took, in milliseconds. */
  knows(socket: Duplex): number;
  /** Lets nobody in any more. */
  stop(): void;
  /** Ends what is left, and waits for its end. */
  close(): Promise<void>;
}

/** What of a server's options is about its door. */
type DoorSettled = Omit<ServeSettled, "authenticate" | "onError" | "routes">;

/** What a door is opened with. */
export interface DoorOptions {
  readonly settled: DoorSettled;
  readonly onUpgrade: OnUpgrade;
  /** The server cannot take connections for the moment. */
  readonly onError: (error: unknown) => void;
}

/** Opens it. Its sockets belong to the context of the caller. */
export async function openDoor({ settled, onUpgrade, onError }: DoorOptions): Promise<Door> {
  const { openTimeoutMs, maxConnections, maxConnectionsPerAddress } = settled;
  const lobby = new Lobby(openTimeoutMs, maxConnections, maxConnectionsPerAddress);
  if (settled.server !== undefined) return attach(settled.server, lobby, onUpgrade);
  const server = makeServer(settled);
  lobby.watch(server, settled.tls !== undefined);
  server.on("upgrade", onUpgrade);
  server.on("connect", (_request, socket) => socket.destroy());
  await listen(server, settled);
  server.on("error", onError);
  const closed = once(server, "close");
  return {
    ...placeOf(server, settled.tls !== undefined),
    isOurs: true,
    knows: (socket) => lobby.knows(socket),
    stop() {
      server.close();
      lobby.clear();
    },
    async close() {
      lobby.destroy();
      await closed;
    },
  };
}

/** Its owner listens, and ends it. */
function attach(server: HttpServer, lobby: Lobby, onUpgrade: OnUpgrade): Door {
  server.on("upgrade", onUpgrade);
  const isSecure = "addContext" in server;
  return {
    get url() {
      return placeOf(server, isSecure).url;
    },
    get address() {
      return placeOf(server, isSecure).address;
    },
    get port() {
      return placeOf(server, isSecure).port;
    },
    isOurs: false,
    knows: (socket) => lobby.knows(socket),
    stop() {
      server.off("upgrade", onUpgrade);
    },
    async close() {},
  };
}

function makeServer({ tls, openTimeoutMs, maxHandshakeBytes }: DoorSettled): HttpServer {
  const options: ServerOptions = {
    maxHeaderSize: maxHandshakeBytes,
    // The lobby ends what is slow, to the millisecond; these would look only now and then.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAlive: false,
  };
  if (tls === undefined) return createServer(options, refusePlain);
  const handshakeTimeout = Math.min(openTimeoutMs, 2_147_483_647);
  try {
    return createSecureServer({ ...options, handshakeTimeout, ...tls }, refusePlain);
  } catch (cause) {
    const how = "pass a certificate and its key as PEM, see the cause";
    const text = `Cannot use 'tls': no server can be made with it; ${how}`;
    throw new WebSocketError("MW_ERR_WS_INVALID_ARGUMENT", text, { cause });
  }
}

function refusePlain(...[, response]: Parameters<NonNullable<Parameters<typeof createServer>[1]>>): void {
  const body = "This is a WebSocket server\n";
  const headers = {
    Connection: "close",
    Upgrade: "websocket",
    "Content-Type": "text/plain",
    "Content-Length": body.length,
  };
  response.writeHead(426, headers).end(body);
}

async function listen(server: HttpServer, { host, port, socketPath }: DoorSettled): Promise<void> {
  try {
    const listening = once(server, "listening");
    server.listen(socketPath === undefined ? { host, port } : { path: socketPath });
    await listening;
  } catch (error) {
    throw cannotListen(socketPath ?? `${host}:${port}`, error);
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: "somebody listens there already; end it, or pass another port, or 0 for one that is free",
  EACCES: "this user must not listen there; pass a port above 1023, or a path that may be written",
  EADDRNOTAVAIL: "this machine has no such address; pass one of its own, like 127.0.0.1, or 0.0.0.0 for all",
  ENOTFOUND: "there is no such host; pass an address of this machine",
};

function cannotListen(where: string, cause: unknown): WebSocketError {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  const why = Object.hasOwn(ADVICE, code) ? ADVICE[code] : "see the cause";
  return new WebSocketError("MW_ERR_WS_LISTEN", `Cannot listen on ${where}: ${why}`, { cause });
}

function placeOf(server: HttpServer, isSecure: boolean): Pick<Door, "url" | "address" | "port"> {
  const scheme = isSecure ? "wss" : "ws";
  const bound = server.address();
  if (bound === null) return { url: `${scheme}://localhost`, address: "", port: undefined };
  if (typeof bound === "string") return { url: `${scheme}://localhost`, address: bound, port: undefined };
  return { url: `${scheme}://${hostOf(bound)}:${bound.port}`, address: bound.address, port: bound.port };
}

/** Bound to all addresses, it is reached here by that of this machine. */
function hostOf({ address, family }: AddressInfo): string {
  if (family !== "IPv6") return address === "0.0.0.0" ? "127.0.0.1" : address;
  return address === "::" ? "[::1]" : `[${address}]`;
}
