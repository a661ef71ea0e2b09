// The proxies that the environment names, by the rules of curl.

import { type BlockList, isIP } from "node:net";

import { blockList } from "./addresses.ts";
import { parseProxy, type Proxy, type ProxyChoice } from "./proxies.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/**
 * Reads `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, each also in capitals; small letters win, and what is
 * empty is not there.
 *
 * @see {@link https://everything.curl.dev/usingcurl/proxies/env.html}
 */
export function proxiesOfEnvironment(environment: Environment): ProxyChoice {
  // In a CGI program HTTP_PROXY is what the client sent as the header field "Proxy".
  const isCgi = environment["REQUEST_METHOD"] !== undefined;
  const all = named(environment, "all_proxy", "ALL_PROXY");
  const http = named(environment, "http_proxy", isCgi ? undefined : "HTTP_PROXY") ?? all;
  const https = named(environment, "https_proxy", "HTTPS_PROXY") ?? all;
  const isDirect = noProxyRule(environment["no_proxy"] || environment["NO_PROXY"] || "");
  return (url) => {
    const proxy = url.protocol === "https:" ? https : http;
    return proxy === null || isDirect(url) ? null : proxy;
  };
}

function named(environment: Environment, ...names: ReadonlyArray<string | undefined>): Proxy | null {
  for (const name of names) {
    const value = name === undefined ? undefined : environment[name]?.trim();
    if (name !== undefined && value !== undefined && value !== "") return parseProxy(value, name);
  }
  return null;
}

/** What one entry of `no_proxy` is about. */
interface Exception {
  readonly host: string;
  readonly port: string | undefined;
  readonly networks: BlockList | null;
}

/**
 * Which URLs go without a proxy. Entries are separated by commas or spaces: `*`, a host, which means those below it too, an
 * address, or a network like `10.0.0.0/8`; each with a port if only that is meant.
 */
export function noProxyRule(list: string): (url: URL) => boolean {
  const entries = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "");
  if (entries.includes("*")) return () => true;
  const exceptions = entries.map(exceptionOf);
  return (url) => {
    const host = trimDots(bare(url.hostname));
    const port = url.port === "" ? DEFAULT_PORTS[url.protocol] : url.port;
    return exceptions.some((exception) => matches(exception, host, port));
  };
}

function exceptionOf(entry: string): Exception {
  const [, bracketed, other, port] = /^(?:(\[[^\]]*\](?:\/\d+)?)|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  // Without brackets, two colons are an IPv6 address.
  const host = trimDots(bare(bracketed ?? other ?? entry));
  return { host, port, networks: networkOf(host) };
}

function networkOf(host: string): BlockList | null {
  const [address = "", bits = "", ...more] = host.split("/");
  const family = isIP(address);
  const isNetwork = more.length === 0 && family !== 0 && /^\d{1,3}$/.test(bits);
  if (!isNetwork || Number(bits) > (family === 4 ? 32 : 128)) return null;
  return blockList([host]);
}

function matches({ host, port, networks }: Exception, asked: string, askedPort: string | undefined): boolean {
  if (port !== undefined && port !== askedPort) return false;
  const family = isIP(asked);
  if (family === 0) return host !== "" && (asked === host || asked.endsWith(`.${host}`));
  if (networks !== null) return networks.check(asked, family === 4 ? "ipv4" : "ipv6");
  return isIP(host) === family && canonical(host) === canonical(asked);
}

function canonical(address: string): string {
  return isIP(address) === 6 ? (URL.parse(`http://[${address}]`)?.hostname ?? address) : address;
}

function bare(host: string): string {
  return host.replace(/^\[([^\]]*)\]/, "$1");
}

function trimDots(host: string): string {
  const from = host.startsWith(".") ? 1 : 0;
  return host.endsWith(".") ? host.slice(from, -1) : host.slice(from);
}
