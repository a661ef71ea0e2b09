// The proxies that the environment names, by the rules of curl.

import { BlockList, isIP } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy, and the variable that names it. */
export interface NamedProxy {
  readonly name: string;
  readonly value: string;
}

const WAYS = { plain: ["ws_proxy", "http_proxy"], secure: ["wss_proxy", "https_proxy"] } as const;

/**
 * Reads `ws_proxy`, `http_proxy`, `all_proxy` and `no_proxy`, of a secure server `wss_proxy` and `https_proxy`, each also in
 * capitals; small letters win, and what is empty is not there. Null for none.
 *
 * @see {@link https://everything.curl.dev/usingcurl/proxies/env.html}
 */
export function proxyOfEnvironment(environment: Environment, url: URL, isSecure: boolean): NamedProxy | null {
  if (isDirect(environment["no_proxy"] || environment["NO_PROXY"] || "", url, isSecure ? "443" : "80")) return null;
  for (const name of [...(isSecure ? WAYS.secure : WAYS.plain), "all_proxy"]) {
    // In a CGI program HTTP_PROXY is what the client sent as the header field "Proxy".
    const isForged = name === "http_proxy" && environment["REQUEST_METHOD"] !== undefined;
    for (const key of isForged ? [name] : [name, name.toUpperCase()]) {
      const value = environment[key]?.trim() ?? "";
      if (value !== "") return { name: key, value };
    }
  }
  return null;
}

/**
 * Whether a URL goes without a proxy. Entries are separated by commas or spaces: `*`, a host, which means those below it too,
 * an address, or a network like `10.0.0.0/8`; each with a port if only that is meant.
 */
function isDirect(list: string, url: URL, defaultPort: string): boolean {
  const host = trimDots(bare(url.hostname));
  const port = url.port === "" ? defaultPort : url.port;
  const entries = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "");
  return entries.some((entry) => entry === "*" || matches(entry, host, port));
}

function matches(entry: string, asked: string, askedPort: string): boolean {
  const [, bracketed, other, port] = /^(?:(\[[^\]]*\](?:\/\d+)?)|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  if (port !== undefined && port !== askedPort) return false;
  // Without brackets, two colons are an IPv6 address.
  const host = trimDots(bare(bracketed ?? other ?? entry));
  const family = isIP(asked);
  if (family === 0) return host !== "" && (asked === host || asked.endsWith(`.${host}`));
  return isIP(host) === family ? canonical(host) === canonical(asked) : isWithin(host, asked, family);
}

function isWithin(network: string, asked: string, family: number): boolean {
  const [address = "", bits = "", ...more] = network.split("/");
  if (more.length > 0 || isIP(address) !== family || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(address, Number(bits), kind);
  return list.check(asked, kind);
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
