// The proxies a request can go through, and which one it takes.

import { badArgument, notSent, SESSION } from "./checks.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import { flatten, type HeadersInput, mergeProxyFields, NO_FIELDS } from "./request-headers.ts";
import { settingsOf } from "./tls-settings.ts";
import type { TlsOptions, TlsSettings } from "./tls.ts";

/** A proxy with more to say than its URL. */
export interface ProxyOptions {
  /**
   * `http:`, `https:`, `socks4:`, `socks4a:`, `socks5:` or `socks5h:`, with user name and password if it wants them. With
   * `socks4a:` and `socks5h:` the proxy looks up the host; with `http:` and `https:` it does anyway. A proxy that wants
   * other credentials for an http URL says so with a response, of the status 407; for a tunnel that is an error.
   */
  readonly url: string | URL;
  /** Header fields for an HTTP proxy only, like `Proxy-Authorization`. No server gets them. */
  readonly headers?: HeadersInput | undefined;
  /** How an `https:` proxy proves who it is. The option `tls` of the session is for servers. */
  readonly tls?: TlsOptions | undefined;
}

/** Which proxy a request takes: one for all, or chosen by its URL; null for none. */
export type ProxyOption = string | URL | ProxyOptions | ((url: URL) => string | null);

type ProxyKind = "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h";

/** A proxy, checked. */
export interface Proxy {
  /** Tells it from any other, also from one with the same name and other credentials. */
  readonly id: number;
  /** What may be shown: without its credentials. */
  readonly name: string;
  readonly kind: ProxyKind;
  readonly hostname: string;
  readonly port: number;
  /** For SOCKS. */
  readonly userId: string;
  readonly password: string;
  /** For HTTP: names and values in turn, its authorization among them. */
  readonly headers: ReadonlyArray<string>;
  readonly tls: TlsSettings;
}

/** Picks the proxy of a request; null for none. */
export type ProxyChoice = (url: URL) => Proxy | null;

const DEFAULT_PORTS: Readonly<Record<ProxyKind, number>> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};
const MOST_REMEMBERED = 1_000;
/** What the length byte of SOCKS 5 can say. */
const LONGEST_CREDENTIAL_BYTES = 255;

let lastId = 0;

/** Checks the option `proxy`. */
export function proxyChoice(option: ProxyOption): ProxyChoice {
  if (typeof option === "function") return chosenBy(option);
  const isPlain = typeof option === "string" || option instanceof URL;
  if (!isPlain && (typeof option !== "object" || option === null)) {
    throw badArgument(
      SESSION,
      "proxy",
      option,
      'a URL like "http://127.0.0.1:3128", an object with one, or a function',
    );
  }
  const proxy = isPlain ? parseProxy(option, "proxy") : parseProxy(option.url, "proxy.url", option);
  return () => proxy;
}

/** Asks the user's function, and remembers what its answers mean. */
function chosenBy(choose: (url: URL) => string | null): ProxyChoice {
  const known = new Map<string, Proxy>();
  return (url) => {
    const request = { method: "choose a proxy for", url: url.href };
    const chosen = asked(choose, url, request);
    if (chosen === null) return null;
    if (typeof chosen !== "string")
      throw badArgument(request, "proxy()", chosen, "a function that returns a URL or null");
    const proxy = known.get(chosen) ?? parseProxy(chosen, "proxy()", undefined, request);
    known.set(chosen, proxy);
    // Whoever makes up a new name for each request has no use for what is remembered.
    if (known.size > MOST_REMEMBERED) known.clear();
    return proxy;
  };
}

function asked(choose: (url: URL) => unknown, url: URL, request: RequestLine): unknown {
  try {
    return choose(new URL(url));
  } catch (cause) {
    throw notSent(new HttpError("MW_ERR_HTTP_INVALID_ARGUMENT", request, "'proxy()' failed; see its cause", { cause }));
  }
}

/**
 * Checks the URL of a proxy.
 *
 * @param name - where it stands, for the error: the URL itself may hold a password
 */
export function parseProxy(
  input: unknown,
  name: string,
  options?: ProxyOptions,
  request: RequestLine = SESSION,
): Proxy {
  const text = input instanceof URL ? input.href : input;
  if (typeof text !== "string") throw badArgument(request, name, input, "the URL of a proxy");
  // As curl: a bare "host:port" is an HTTP proxy.
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  const kind = url?.protocol.slice(0, -1) ?? "";
  if (url === null || !isKind(kind) || url.hostname === "") {
    throw bad(
      request,
      `'${name}' is no URL of a proxy; pass one like "http://127.0.0.1:3128" or "socks5h://127.0.0.1:1080"`,
    );
  }
  const { userId, password } = credentialsOf(url, kind, name, request);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? DEFAULT_PORTS[kind] : Number(url.port);
  lastId += 1;
  return {
    id: lastId,
    name: `${kind}://${url.hostname}:${port}`,
    kind,
    hostname,
    port,
    userId,
    password,
    headers: headersOf(options?.headers, userId, password, request),
    tls: settingsOf(options?.tls, "proxy.tls", ["http/1.1"]),
  };
}

function isKind(kind: string): kind is ProxyKind {
  return Object.hasOwn(DEFAULT_PORTS, kind);
}

function credentialsOf(
  url: URL,
  kind: ProxyKind,
  name: string,
  request: RequestLine,
): { userId: string; password: string } {
  let userId: string;
  let password: string;
  try {
    userId = decodeURIComponent(url.username);
    password = decodeURIComponent(url.password);
  } catch {
    throw bad(request, `the user name or password in '${name}' is not percent-encoded UTF-8; encode it`);
  }
  const longest = Math.max(Buffer.byteLength(userId), Buffer.byteLength(password));
  // A zero byte ends the user name in SOCKS 4.
  if (kind.startsWith("socks") && (longest > LONGEST_CREDENTIAL_BYTES || userId.includes("\0"))) {
    throw bad(request, `the user name or password in '${name}' cannot be sent over SOCKS; shorten it to 255 bytes`);
  }
  return { userId, password };
}

function headersOf(
  input: HeadersInput | undefined,
  userId: string,
  password: string,
  request: RequestLine,
): ReadonlyArray<string> {
  const basic = `Basic ${Buffer.from(`${userId}:${password}`).toString("base64")}`;
  const own = userId === "" && password === "" ? NO_FIELDS : new Map([["proxy-authorization", [basic]]]);
  return flatten(mergeProxyFields(own, input, request));
}

function bad(request: RequestLine, what: string): HttpError {
  return notSent(new HttpError("MW_ERR_HTTP_INVALID_ARGUMENT", request, what));
}
