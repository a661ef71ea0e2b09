// The options of a server: what they are, and what they come to.

import type * as http from "node:http";
import type { TlsOptions } from "node:tls";

import { badArgument, checks } from "./checks.ts";
import {
  CONNECTION_NAMES,
  type ConnectionOptions,
  type ConnectionSettled,
  settleConnection,
} from "./connection-options.ts";
import { checkNames, type OptionNames } from "./option-names.ts";
import { type AllowedOrigins, originRule, type OriginRule } from "./origins.ts";
import { checkHeaders, type Refusal } from "./refusal.ts";
import { Routes } from "./routes.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { ServerRequest } from "./server-request.ts";

/** What a server does with a connection. It is closed when the handler has ended. */
export type Handler<User> = (socket: ServerConnection<User>) => unknown;

/** What says that a client is to get no connection. */
type Refused = Refusal | undefined | null | false;

/** Tells who a client is, or refuses it. */
export type Authenticate<User> = (request: ServerRequest) => User | Refused | PromiseLike<User | Refused>;

/** Chooses the subprotocol of a connection: one of those offered, or null for none. */
export type ChooseSubprotocol = (offered: readonly string[], request: ServerRequest) => string | null;

/** Where something of the user has failed. */
export interface ServeErrorInfo<User> {
  /** What has failed. */
  readonly during: "authenticate" | "handler" | "handshake" | "listening" | "subprotocol";
  /** What the client has asked for; undefined if it was no client's doing. */
  readonly request: ServerRequest | undefined;
  /** The connection, which is closed with 1011; undefined if there was none yet. */
  readonly socket: ServerConnection<User> | undefined;
}

/** Options of {@link serve}, beside those of each connection. */
export interface ServeOptions<User = undefined> extends ConnectionOptions {
  /** Where to listen. Default: `127.0.0.1`, which only this machine reaches. */
  readonly host?: string | undefined;
  /** Default: 0, for one that is free. */
  readonly port?: number | undefined;
  /** The path of a Unix socket to listen on, in place of host and port. */
  readonly socketPath?: string | undefined;
  /** Certificate and key: then it speaks TLS. */
  readonly tls?: TlsOptions | undefined;
  /**
   * A server of `node:http` or `node:https` to take upgrades from, in place of one of our own. Its owner makes it listen, ends
   * it, and bounds what is slow before there is a request. Paths that no route matches are left to its other listeners.
   */
  readonly server?: http.Server | undefined;
  /** Handlers by path, as `URLPattern` has them: `/rooms/:room`. The first that matches; the handler of `serve` takes the rest. */
  readonly routes?: Readonly<Record<string, Handler<User>>> | undefined;
  /** The subprotocols it speaks, the best first; a client that offers none of them is refused. Or a function that chooses. */
  readonly subprotocols?: readonly string[] | ChooseSubprotocol | undefined;
  /**
   * Which web pages may connect. Default: `"same-host"`, those of the host the request goes to, where that is this machine
   * (`127.0.0.1`) only those of `localhost` and addresses like it: behind a proxy on the same machine list the origins. A client
   * without the header `Origin` is no browser, and may. Has to be said where `authenticate` is given: browsers send cookies
   * from any page.
   */
  readonly allowedOrigins?: AllowedOrigins | undefined;
  /**
   * Tells who a client is: what it returns is `user` of the connection, whose handler names its type:
   * `(socket: ServerConnection<User>) => …`. `undefined`, `null` and `false` refuse with 401, `refuse(…)` with anything
   * else; what it throws, with 500. May take as long as the handshake: `openTimeoutMs`; it is cancelled when the client goes.
   */
  readonly authenticate?: Authenticate<User> | undefined;
  /** How many connections there may be; more are refused with 503. `null` for no limit. Default: 1 000. */
  readonly maxConnections?: number | null | undefined;
  /**
   * How many of one address; more are refused with 429. An IPv6 address counts by its first half. `null` for no limit, as
   * behind a proxy. Default: 100.
   */
  readonly maxConnectionsPerAddress?: number | null | undefined;
  /** How long a client may take from its first byte to its connection, `authenticate` included. Default: 10 000. */
  readonly openTimeoutMs?: number | undefined;
  /** How long the head of a request may be. Default: 16 384. */
  readonly maxHandshakeBytes?: number | undefined;
  /** Headers of the response that opens a connection. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long `close` waits for handlers before it cancels them, and then for their cleanup. Default: 10 000. */
  readonly drainMs?: number | undefined;
  /** Is told what a handler, `authenticate` or `subprotocols` has thrown. Default: the process warning `MW_WARN_WS_HANDLER`. */
  readonly onError?: ((error: unknown, info: ServeErrorInfo<User>) => unknown) | undefined;
}

/** Checked, and with every default. */
export interface ServeSettled<User = unknown> {
  readonly connection: ConnectionSettled;
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly server: http.Server | undefined;
  readonly routes: Routes<Handler<User>>;
  readonly subprotocols: readonly string[] | ChooseSubprotocol | undefined;
  readonly mayConnect: OriginRule;
  readonly authenticate: Authenticate<User> | undefined;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly openTimeoutMs: number;
  readonly maxHandshakeBytes: number;
  readonly headers: ReadonlyArray<string>;
  readonly drainMs: number;
  readonly onError: ((error: unknown, info: ServeErrorInfo<User>) => unknown) | undefined;
}

const SERVE_NAMES: OptionNames<ServeOptions> = {
  ...CONNECTION_NAMES,
  host: true,
  port: true,
  socketPath: true,
  tls: true,
  server: true,
  routes: true,
  subprotocols: true,
  allowedOrigins: true,
  authenticate: true,
  maxConnections: true,
  maxConnectionsPerAddress: true,
  openTimeoutMs: true,
  maxHandshakeBytes: true,
  headers: true,
  drainMs: true,
  onError: true,
};

/** @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` */
export function settleServe<User>(handler: Handler<User> | null, options: ServeOptions<User>): ServeSettled<User> {
  checkNames("options", options, SERVE_NAMES);
  if (handler !== null && typeof handler !== "function")
    throw badArgument("handler", handler, "a function, or null if there are routes");
  if (handler === null && options.routes === undefined) throw badArgument("handler", handler, "a function");
  checkPlace(options);
  checkRules(options);
  checkLimits(options);
  const { subprotocols, headers = {}, maxConnections = 1_000, maxConnectionsPerAddress = 100 } = options;
  return {
    connection: settleConnection(connectionPart(options)),
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    socketPath: options.socketPath,
    tls: options.tls,
    server: options.server,
    routes: new Routes(handler, options.routes ?? {}),
    subprotocols: typeof subprotocols === "function" ? subprotocols : subprotocols?.slice(),
    mayConnect: originRule(options.allowedOrigins ?? "same-host"),
    authenticate: options.authenticate,
    maxConnections: maxConnections ?? Infinity,
    maxConnectionsPerAddress: maxConnectionsPerAddress ?? Infinity,
    openTimeoutMs: options.openTimeoutMs ?? 10_000,
    maxHandshakeBytes: options.maxHandshakeBytes ?? 16 * 1_024,
    headers: Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    drainMs: options.drainMs ?? 10_000,
    onError: options.onError,
  };
}

function connectionPart(options: ConnectionOptions): ConnectionOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(CONNECTION_NAMES, name)));
}

function checkPlace<User>({ host, port, socketPath, tls, server }: ServeOptions<User>): void {
  checks.text("host", host);
  checks.text("socketPath", socketPath);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65_536)) {
    throw badArgument("port", port, "an integer from 0 to 65535");
  }
  if (tls !== undefined && (typeof tls !== "object" || tls === null)) throw badArgument("tls", tls, "{ cert, key }");
  if (server === undefined) return;
  if (typeof server?.on !== "function") throw badArgument("server", server, "a server of node:http or node:https");
  const other = Object.entries({ host, port, socketPath, tls }).find(([, value]) => value !== undefined);
  if (other !== undefined) throw badArgument(other[0], other[1], "it to the server that 'server' is");
}

function checkRules<User>(options: ServeOptions<User>): void {
  const { subprotocols, authenticate, allowedOrigins, onError, headers } = options;
  checks.function("authenticate", authenticate);
  checks.function("onError", onError);
  checkHeaders("headers", headers, /^(?:connection|upgrade|sec-websocket-.*)$/i);
  if (authenticate !== undefined && allowedOrigins === undefined) {
    const wanted = 'who may use the cookies of a browser: "same-host", an array of origins, or "any"';
    throw badArgument("allowedOrigins", allowedOrigins, wanted);
  }
  if (subprotocols === undefined || typeof subprotocols === "function") return;
  if (!Array.isArray(subprotocols) || subprotocols.length === 0 || !subprotocols.every(isToken)) {
    throw badArgument("subprotocols", subprotocols, "an array of names without spaces and commas, or a function");
  }
}

function isToken(name: unknown): boolean {
  return typeof name === "string" && /^[!#$%&'*+\-.0-9A-Z^_`|a-z~]+$/.test(name);
}

function checkLimits<User>(options: ServeOptions<User>): void {
  checks.count("maxConnections", options.maxConnections ?? undefined, 1);
  checks.count("maxConnectionsPerAddress", options.maxConnectionsPerAddress ?? undefined, 1);
  checks.ms("openTimeoutMs", options.openTimeoutMs);
  checks.ms("drainMs", options.drainMs);
  const { maxHandshakeBytes } = options;
  if (maxHandshakeBytes === undefined || (Number.isInteger(maxHandshakeBytes) && maxHandshakeBytes >= 512)) return;
  throw badArgument("maxHandshakeBytes", maxHandshakeBytes, "an integer >= 512");
}
