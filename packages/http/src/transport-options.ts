// What a session can be told about its connections: where they lead, who may be at the other end, how names are found.

import { isIP } from "node:net";

import { type AddressRule, isPublic } from "./addresses.ts";
import { badArgument, checkCount, checkFlag, notSent, SESSION } from "./checks.ts";
import { DnsCache, type DnsOptions } from "./dns.ts";
import { HttpError } from "./errors.ts";
import { proxyChoice, type ProxyChoice, type ProxyOption } from "./proxies.ts";
import { proxiesOfEnvironment } from "./proxy-environment.ts";
import { settingsOf } from "./tls-settings.ts";
import type { TlsOptions, TlsSettings } from "./tls.ts";

/** How a session makes its connections. */
export interface TransportOptions {
  /** How servers prove who they are, and how this client does. Default: as Node does it. */
  readonly tls?: TlsOptions | undefined;
  /** How the names of hosts are looked up, and how long addresses are remembered. */
  readonly dns?: DnsOptions | undefined;
  /**
   * With `true` only addresses of the public internet are connected to: for URLs that strangers choose. A function decides
   * by itself. What is checked is the address of the connection, at each redirect and each retry, so that no name can
   * point elsewhere meanwhile. A proxy is trusted itself; but where it would look up the name, the request is refused.
   * Default: `false`.
   */
  readonly publicOnly?: boolean | AddressRule | undefined;
  /**
   * Whether a redirect that comes from an address of the public internet may lead to one that is not. A function says which
   * addresses are public. Through a proxy nothing is checked. Default: `true`.
   */
  readonly privateRedirects?: boolean | AddressRule | undefined;
  /**
   * The proxy to take. Default: none. Requests for http URLs are sent to an HTTP proxy as they are, as curl does it;
   * everything else goes through a tunnel, in which the proxy sees only the name of the server.
   */
  readonly proxy?: ProxyOption | undefined;
  /** Whether to take the proxies that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name. Default: `false`. */
  readonly trustEnv?: boolean | undefined;
  /** The Unix socket that all requests go to. The host of a URL is only sent along. */
  readonly socketPath?: string | undefined;
  /** The address of this computer that connections come from. */
  readonly localAddress?: string | undefined;
  /**
   * How long an idle connection is kept, in milliseconds, unless the server wants it shorter. Default: as long as the
   * server says in `Keep-Alive`, up to 60 000; where it says nothing, 4 000.
   */
  readonly keepAliveMs?: number | undefined;
  /**
   * Whether https servers may choose HTTP/2, which carries many requests over one connection; those that do not get
   * HTTP/1.1. Each request takes a slot all the same. A header field `host` becomes `:authority`, and changes neither the
   * name that TLS asks for nor the connection that is taken. Default: `false`.
   */
  readonly http2?: boolean | undefined;
}

/** {@link TransportOptions}, checked. */
export interface Transport {
  readonly tls: TlsSettings;
  readonly dns: DnsCache;
  /** Null if every address will do. */
  readonly allows: AddressRule | null;
  /** What redirects from public addresses may lead to; null if anywhere. */
  readonly redirectRule: AddressRule | null;
  /** Null if nothing goes through a proxy. */
  readonly proxyFor: ProxyChoice | null;
  readonly socketPath: string | undefined;
  readonly localAddress: string | undefined;
  readonly keepAlive: KeepAlive;
  readonly http2: boolean;
}

/** How long an idle connection is kept, in milliseconds. */
export interface KeepAlive {
  /** Where the server says nothing about it. */
  readonly usualMs: number;
  /** Whatever the server says. */
  readonly mostMs: number;
}

/** Less than most servers keep a connection, so that they do not close it in our hands. */
const KEEP_ALIVE: KeepAlive = { usualMs: 4_000, mostMs: 60_000 };
const LONGEST_KEEP_ALIVE_MS = 600_000;

/** Checks the options and prepares what connections need. */
export function checkTransport(options: TransportOptions): Transport {
  const { publicOnly = false, proxy, trustEnv = false, socketPath, localAddress } = options;
  checkFlag(SESSION, "trustEnv", trustEnv);
  checkFlag(SESSION, "http2", options.http2);
  checkText("socketPath", socketPath);
  if (localAddress !== undefined && isIP(localAddress) === 0) {
    throw badArgument(SESSION, "localAddress", localAddress, "an IP address");
  }
  if (typeof publicOnly !== "boolean" && typeof publicOnly !== "function") {
    throw badArgument(SESSION, "publicOnly", publicOnly, "true, false or a function");
  }
  if (socketPath !== undefined && (proxy !== undefined || publicOnly !== false)) {
    throw refuse("'socketPath' leads to no address: leave out 'proxy' and 'publicOnly'");
  }
  return {
    tls: settingsOf(options.tls, "tls", ["http/1.1"]),
    dns: new DnsCache(checkDns(options.dns)),
    redirectRule: redirectRuleOf(options.privateRedirects),
    allows: ruleOf(publicOnly),
    proxyFor: socketPath === undefined ? proxiesOf(proxy, trustEnv) : null,
    socketPath,
    localAddress,
    keepAlive: checkKeepAlive(options.keepAliveMs),
    http2: options.http2 === true,
  };
}

function redirectRuleOf(privateRedirects: boolean | AddressRule = true): AddressRule | null {
  if (typeof privateRedirects === "function") return privateRedirects;
  checkFlag(SESSION, "privateRedirects", privateRedirects);
  return privateRedirects ? null : isPublic;
}

function ruleOf(publicOnly: boolean | AddressRule): AddressRule | null {
  if (typeof publicOnly === "function") return publicOnly;
  return publicOnly ? isPublic : null;
}

function proxiesOf(proxy: ProxyOption | undefined, trustEnv: boolean): ProxyChoice | null {
  if (proxy !== undefined) return proxyChoice(proxy);
  return trustEnv ? proxiesOfEnvironment(process.env) : null;
}

function checkKeepAlive(value: number | undefined): KeepAlive {
  if (value === undefined) return KEEP_ALIVE;
  if (Number.isInteger(value) && value >= 1 && value <= LONGEST_KEEP_ALIVE_MS) return { usualMs: value, mostMs: value };
  throw badArgument(SESSION, "keepAliveMs", value, `milliseconds from 1 to ${LONGEST_KEEP_ALIVE_MS}`);
}

function checkDns(options: DnsOptions = {}): DnsOptions {
  if (typeof options !== "object" || options === null) throw badArgument(SESSION, "dns", options, "an object");
  const { lookup, family, servers, ttlMs, resolve } = options;
  if (lookup !== undefined && typeof lookup !== "function") {
    throw badArgument(SESSION, "dns.lookup", lookup, "a function");
  }
  if (lookup !== undefined && servers !== undefined) throw refuse("'dns' has both 'lookup' and 'servers'; pass one");
  if (family !== undefined && family !== 4 && family !== 6) throw badArgument(SESSION, "dns.family", family, "4 or 6");
  if (ttlMs !== undefined && !(typeof ttlMs === "number" && ttlMs >= 0)) {
    throw badArgument(SESSION, "dns.ttlMs", ttlMs, "milliseconds >= 0, or Infinity");
  }
  checkCount(SESSION, "dns.maxEntries", options.maxEntries, 1);
  if (servers !== undefined) checkServers(servers);
  return resolve === undefined ? options : { ...options, resolve: checkResolve(resolve) };
}

function checkServers(servers: unknown): void {
  const isServer = (server: unknown): boolean =>
    typeof server === "string" && isIP(server.replace(/^\[(.*)\](:\d+)?$|^([^:]*):\d+$/, "$1$3")) !== 0;
  if (Array.isArray(servers) && servers.length > 0 && servers.every(isServer)) return;
  throw badArgument(SESSION, "dns.servers", servers, 'a list of addresses like "127.0.0.1" or "127.0.0.1:53"');
}

/** Names are compared as the URL parser writes them. */
function checkResolve(resolve: unknown): Record<string, string> {
  if (typeof resolve !== "object" || resolve === null) {
    throw badArgument(SESSION, "dns.resolve", resolve, 'an object like { "example.com:443": "127.0.0.1" }');
  }
  const checked: Record<string, string> = {};
  for (const [name, address] of Object.entries(resolve)) {
    if (typeof address !== "string" || isIP(address) === 0) {
      throw badArgument(SESSION, `dns.resolve["${name}"]`, address, "an IP address");
    }
    checked[name.toLowerCase().replace(/^\[([^\]]*)\]/, "$1")] = address;
  }
  return checked;
}

function checkText(name: string, value: unknown): void {
  if (value === undefined || (typeof value === "string" && value !== "" && !value.includes("\0"))) return;
  throw badArgument(SESSION, name, value, "a text");
}

function refuse(what: string): HttpError {
  return notSent(new HttpError("MW_ERR_HTTP_INVALID_ARGUMENT", SESSION, what));
}
