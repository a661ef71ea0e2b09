// The proxy that a client goes through.

import { badArgument } from "./checks.ts";
import { WebSocketError } from "./errors.ts";
import { proxyOfEnvironment } from "./proxy-environment.ts";
import type { Target } from "./target.ts";

/** The kinds of proxies. */
type ProxyKind = "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h";

/** A proxy, checked. */
export interface Proxy {
  /** What may be shown: without its credentials. */
  readonly name: string;
  readonly kind: ProxyKind;
  readonly host: string;
  readonly port: number;
  readonly userId: string;
  readonly password: string;
}

/** Picks the proxy to a server; null for none. */
export type ProxyChoice = (target: Target) => Proxy | null;

const DEFAULT_PORTS: Readonly<Record<ProxyKind, number>> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};
/** What the length byte of SOCKS 5 can say. */
const LONGEST_CREDENTIAL_BYTES = 255;

/**
 * Checks the option `proxy`.
 *
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT`
 */
export function settleProxy(option: string | URL | null | undefined): ProxyChoice {
  if (option === undefined || option === null) return () => null;
  if (option === "environment") return (target) => fromEnvironment(target);
  const proxy = parseProxy(option, "proxy");
  return () => proxy;
}

function fromEnvironment({ url, isSecure }: Target): Proxy | null {
  const found = proxyOfEnvironment(process.env, url, isSecure);
  return found === null ? null : parseProxy(found.value, found.name);
}

/**
 * Checks the URL of a proxy.
 *
 * @param name - where it stands, for the error: the URL itself may hold a password
 */
function parseProxy(input: unknown, name: string): Proxy {
  const text = input instanceof URL ? input.href : input;
  if (typeof text !== "string") throw badArgument(name, input, 'the URL of a proxy, "environment" or null');
  // As curl: a bare "host:port" is an HTTP proxy.
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  const kind = url?.protocol.slice(0, -1) ?? "";
  if (url === null || !isKind(kind) || url.hostname === "") {
    throw bad(`'${name}' is no URL of a proxy; pass one like "http://127.0.0.1:3128" or "socks5h://127.0.0.1:1080"`);
  }
  const userId = decoded(url.username, kind, name);
  const password = decoded(url.password, kind, name);
  const port = url.port === "" ? DEFAULT_PORTS[kind] : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { name: `${kind}://${url.hostname}:${port}`, kind, host, port, userId, password };
}

function isKind(kind: string): kind is ProxyKind {
  return Object.hasOwn(DEFAULT_PORTS, kind);
}

function decoded(text: string, kind: ProxyKind, name: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    throw bad(`the user name or password in '${name}' is not percent-encoded UTF-8; encode it`);
  }
  // A zero byte ends the user name in SOCKS 4.
  const isTooLong = Buffer.byteLength(plain) > LONGEST_CREDENTIAL_BYTES || plain.includes("\0");
  if (!kind.startsWith("socks") || !isTooLong) return plain;
  throw bad(`the user name or password in '${name}' cannot be sent over SOCKS; shorten it to 255 bytes`);
}

function bad(what: string): WebSocketError {
  return new WebSocketError("MW_ERR_WS_INVALID_ARGUMENT", `Cannot connect: ${what}`);
}
