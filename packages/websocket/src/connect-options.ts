// What a client can say when it connects.

import type { ConnectionOptions as TlsOptions } from "node:tls";

import { badArgument, checks } from "./checks.ts";
import {
  CONNECTION_NAMES,
  type ConnectionOptions,
  type ConnectionSettled,
  settleConnection,
} from "./connection-options.ts";
import { WebSocketError } from "./errors.ts";
import { checkNames, type OptionNames } from "./option-names.ts";
import { type ProxyChoice, settleProxy } from "./proxies.ts";
import { checkFieldValue, type HeadersInput, type RequestFields, settleFields } from "./request-fields.ts";

/** Options of {@link connect}. */
export interface ConnectOptions extends ConnectionOptions {
  /** Header fields to send. Another origin that a redirect leads to gets none of them. */
  readonly headers?: HeadersInput | undefined;
  /**
   * The subprotocols that this side speaks, the preferred one first. The server has to take one of them. Another origin that a
   * redirect leads to is offered them too: put no secret there.
   */
  readonly subprotocols?: readonly string[] | undefined;
  /** The header `Origin`, for servers that want one. Another origin that a redirect leads to does not get it. */
  readonly origin?: string | undefined;
  /** The header `User-Agent`; null for none. Default: `meanwhile`. */
  readonly userAgent?: string | null | undefined;
  /** How long it may take until the connection is open, redirects and all, in milliseconds. Default: 10 000. */
  readonly openTimeoutMs?: number | undefined;
  /** How many redirects are followed; never from `wss:` to `ws:`. Default: 10. */
  readonly maxRedirects?: number | undefined;
  /**
   * The proxy to go through: an URL with `http:`, `https:`, `socks5:`, `socks5h:`, `socks4:` or `socks4a:`; with
   * `"environment"` what `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` say; null for none. Default: null.
   */
  readonly proxy?: string | URL | null | undefined;
  /**
   * How the server of a `wss:` URL proves who it is, and this side; see `tls.connect` of Node. Another origin that a redirect
   * leads to does not get what this side proves itself with: `cert`, `key` and their like.
   */
  readonly tls?: TlsOptions | undefined;
  /** The path of a Unix socket to connect to, in place of the host. */
  readonly socketPath?: string | undefined;
  /** How long the header of the answer may be. Default: 16 KiB. */
  readonly maxHandshakeBytes?: number | undefined;
}

/** The options of a client, checked. */
export interface ConnectSettled {
  readonly connection: ConnectionSettled;
  readonly fields: RequestFields;
  readonly subprotocols: readonly string[];
  readonly origin: string | undefined;
  readonly userAgent: string | null;
  readonly openTimeoutMs: number;
  readonly maxRedirects: number;
  readonly proxyFor: ProxyChoice;
  readonly tls: TlsOptions;
  readonly socketPath: string | undefined;
  readonly maxHandshakeBytes: number;
}

/** The names of the options of a client. */
export const CONNECT_NAMES: OptionNames<ConnectOptions> = {
  ...CONNECTION_NAMES,
  headers: true,
  subprotocols: true,
  origin: true,
  userAgent: true,
  openTimeoutMs: true,
  maxRedirects: true,
  proxy: true,
  tls: true,
  socketPath: true,
  maxHandshakeBytes: true,
};

const SUBPROTOCOL = /^[!#$%&'*+\-.0-9A-Z^_`|a-z~]+$/;
const LARGEST_HEADER_BYTES = 16_777_216;

/**
 * Checks the options of a client. The caller has checked the names.
 *
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT`
 */
export function settleConnect(options: ConnectOptions): ConnectSettled {
  const { openTimeoutMs = 10_000, maxRedirects = 10, maxHandshakeBytes = 16_384 } = options;
  const { origin, userAgent = "meanwhile", tls = {}, socketPath, subprotocols = [] } = options;
  checks.ms("openTimeoutMs", openTimeoutMs);
  checks.text("socketPath", socketPath);
  if (!Number.isInteger(maxRedirects) || maxRedirects < 0)
    throw badArgument("maxRedirects", maxRedirects, "an integer >= 0");
  const isSize =
    Number.isInteger(maxHandshakeBytes) && maxHandshakeBytes > 0 && maxHandshakeBytes <= LARGEST_HEADER_BYTES;
  if (!isSize)
    throw badArgument("maxHandshakeBytes", maxHandshakeBytes, `an integer from 1 to ${LARGEST_HEADER_BYTES}`);
  if (typeof tls !== "object" || tls === null) throw badArgument("tls", tls, "an object with options of tls.connect");
  checkFieldValue("origin", origin);
  checkFieldValue("userAgent", userAgent ?? undefined);
  if (socketPath !== undefined && (options.proxy ?? null) !== null)
    throw badArgument("proxy", options.proxy, "null, as 'socketPath' is given");
  return {
    connection: settleConnection(options),
    fields: settleFields(options.headers),
    subprotocols: checkSubprotocols(subprotocols),
    origin,
    userAgent,
    openTimeoutMs,
    maxRedirects,
    proxyFor: settleProxy(options.proxy),
    tls,
    socketPath,
    maxHandshakeBytes,
  };
}

/** Checks names of subprotocols: each once, and of the characters that a header may have. */
function checkSubprotocols(subprotocols: readonly string[]): readonly string[] {
  if (!Array.isArray(subprotocols)) throw badArgument("subprotocols", subprotocols, "an array of names");
  const isFine = subprotocols.every((name) => typeof name === "string" && SUBPROTOCOL.test(name));
  if (isFine && new Set(subprotocols).size === subprotocols.length) return [...subprotocols];
  throw new WebSocketError(
    "MW_ERR_WS_INVALID_ARGUMENT",
    "Cannot use 'subprotocols': a name is there twice, is empty, or has characters that it may not have; use letters, digits, '.' and '-'",
  );
}

/** Checks the names of the options, and them. */
export function checkConnectOptions(options: ConnectOptions): ConnectSettled {
  checkNames("options", options, CONNECT_NAMES);
  return settleConnect(options);
}
