// Makes the connections of a session: TCP or a Unix socket, then the proxy, then TLS. Each step is checked before the
// next one begins, so that nothing is sent to an address that is not allowed.

import { connect, isIP, type LookupFunction, type Socket } from "node:net";

import type { AddressRule } from "./addresses.ts";
import { DialFailure, refusalOf } from "./dial-failure.ts";
import { type Dialed, Dialing, type DialTrace } from "./dialing.ts";
import type { FoundAddress } from "./dns.ts";
import type { Proxy } from "./proxies.ts";
import { openSocks } from "./socks.ts";
import { TlsLayer } from "./tls.ts";
import type { Transport } from "./transport-options.ts";
import { openTunnel } from "./tunnel.ts";

/** Where a connection is to lead. */
export interface Destination {
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** The name that TLS asks for. */
  readonly servername: string;
  readonly proxy: Proxy | null;
  /** Whether the rule for redirects from public addresses holds. */
  readonly isPublicOnly: boolean;
  /** Whether HTTP/2 is offered as well. */
  readonly isHttp2: boolean;
}

/** Begins to make a connection. Calls back later, never before it returns. */
export type Dial = (
  to: Destination,
  trace: DialTrace | null,
  onLayer: (socket: Socket) => void,
  done: Dialed,
) => Dialing;

/** One end of a TCP connection. */
interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly rule: AddressRule | null;
}

/** What TLS is put around. */
interface Secured {
  readonly socket: Socket;
  readonly name: string;
  readonly port: number;
  readonly isHttp2: boolean;
}

const SOCKET_OPTIONS = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
  // For the stream, as streams of files have it.
  highWaterMark: 64 * 1024,
};

export class Dialer {
  readonly #transport: Transport;
  readonly #tls: TlsLayer;
  readonly #proxyTls = new WeakMap<Proxy, TlsLayer>();
  readonly #warnInsecure: () => void = onceOnly(warnInsecure);

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#tls = new TlsLayer(transport.tls, this.#warnInsecure);
  }

  /** A {@link Dial}. */
  dial(to: Destination, trace: DialTrace | null, onLayer: (socket: Socket) => void, done: Dialed): Dialing {
    const dialing = new Dialing(trace, onLayer, done);
    if (to.proxy === null) this.#direct(dialing, to);
    else if (to.proxy.kind.startsWith("socks")) this.#throughSocks(dialing, to, to.proxy);
    else this.#throughHttp(dialing, to, to.proxy);
    return dialing;
  }

  #direct(dialing: Dialing, to: Destination): void {
    const host = this.#transport.dns.known(to.hostname, to.port) ?? to.hostname;
    const end = { host, port: to.port, rule: this.#ruleFor(to) };
    this.#connect(dialing, end, (socket) => this.#finish(dialing, to, socket));
  }

  #ruleFor({ isPublicOnly }: Destination): AddressRule | null {
    const { allows, redirectRule } = this.#transport;
    if (!isPublicOnly || redirectRule === null) return allows;
    if (allows === null) return redirectRule;
    return (...asked) => allows(...asked) && redirectRule(...asked);
  }

  #throughHttp(dialing: Dialing, to: Destination, proxy: Proxy): void {
    const failure = this.#uncheckable(to.hostname);
    if (failure !== null) return dialing.failSoon(failure);
    const { hostname, port, isSecure } = to;
    this.#connectProxy(dialing, proxy, (socket) => {
      // An http URL goes to the proxy itself.
      if (!isSecure) return this.#finish(dialing, to, socket);
      const authority = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
      openTunnel(dialing, socket, { proxy, authority }, () => this.#finish(dialing, to, socket));
    });
  }

  #throughSocks(dialing: Dialing, to: Destination, proxy: Proxy): void {
    const { hostname, port } = to;
    const open = (address: string): void =>
      this.#connectProxy(dialing, proxy, (socket) =>
        openSocks(dialing, socket, { proxy, host: address, port }, () => this.#finish(dialing, to, socket)),
      );
    const known = this.#transport.dns.known(hostname, port) ?? hostname;
    if (isIP(known) !== 0 || proxy.kind === "socks4a" || proxy.kind === "socks5h") {
      const failure = this.#uncheckable(known);
      return failure === null ? open(known) : dialing.failSoon(failure);
    }
    const began = performance.now();
    this.#transport.dns.find(hostname, (error, found) => {
      if (dialing.isOver) return;
      const [failure, addresses] = error === null ? allowed(found, hostname, this.#transport.allows) : [error, found];
      const first = addresses.find(({ family }) => family === 4 || proxy.kind !== "socks4");
      if (failure !== null) return dialing.failSoon(failure);
      if (first === undefined) return dialing.failSoon(noIpv4());
      dialing.trace?.resolved?.(first.address, performance.now() - began);
      open(first.address);
    });
  }

  /** Why a target behind a proxy cannot be allowed. */
  #uncheckable(hostname: string): DialFailure | null {
    const { allows } = this.#transport;
    if (allows === null) return null;
    const family = isIP(hostname);
    if (family !== 0) return refusalOf(allows, hostname, family === 6 ? 6 : 4, hostname);
    const what = `'publicOnly' cannot check the address of ${hostname}: its proxy looks it up; take a socks5: proxy or none`;
    return new DialFailure("MW_ERR_HTTP_ADDRESS_REFUSED", what);
  }

  #connectProxy(dialing: Dialing, proxy: Proxy, then: (socket: Socket) => void): void {
    dialing.proxy = proxy;
    const end = { host: proxy.hostname, port: proxy.port, rule: null };
    this.#connect(dialing, end, (socket) => {
      if (proxy.kind !== "https") return then(socket);
      const tls = this.#proxyTls.get(proxy) ?? new TlsLayer(proxy.tls, this.#warnInsecure);
      this.#proxyTls.set(proxy, tls);
      this.#secure(dialing, tls, { socket, name: proxy.hostname, port: proxy.port, isHttp2: false }, then);
    });
  }

  /** Makes the lowest layer and checks where it leads. */
  #connect(dialing: Dialing, end: Endpoint, then: (socket: Socket) => void): void {
    const { socketPath, localAddress } = this.#transport;
    const { host, port, rule } = end;
    const family = isIP(host);
    const failure = rule === null || family === 0 ? null : refusalOf(rule, host, family === 6 ? 6 : 4, host);
    if (failure !== null) return dialing.failSoon(failure);
    const lookup = this.#lookup(dialing, end);
    const from = localAddress === undefined ? {} : { localAddress };
    const where = socketPath === undefined ? { host, port, lookup, ...from } : { path: socketPath };
    const socket = connect({ ...where, ...SOCKET_OPTIONS });
    dialing.layer(socket);
    socket.once("connect", () => {
      if (dialing.isOver) return;
      const wrong = refusedPeer(socket, end);
      if (wrong === null) then(socket);
      else dialing.fail(wrong);
    });
  }

  /** What Node calls for a name. With several addresses it tries them in turn, both families, a moment apart. */
  #lookup(dialing: Dialing, { rule }: Endpoint): LookupFunction {
    return (hostname, { all }, callback) => {
      const began = performance.now();
      this.#transport.dns.find(hostname, (error, found) => {
        if (dialing.isOver) return;
        const [failure, addresses] = error === null ? allowed(found, hostname, rule) : [error, found];
        const [first] = addresses;
        if (failure !== null || first === undefined) return callback(failure, "");
        dialing.trace?.resolved?.(first.address, performance.now() - began);
        if (all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      });
    };
  }

  #finish(dialing: Dialing, to: Destination, socket: Socket): void {
    dialing.proxy = null;
    const { remoteAddress } = socket;
    if (!to.isSecure) {
      dialing.trace?.connectedTo?.(remoteAddress, false, null);
      return dialing.succeed();
    }
    const layer = { socket, name: to.servername, port: to.port, isHttp2: to.isHttp2 };
    this.#secure(dialing, this.#tls, layer, (_secure, alpn) => {
      dialing.trace?.connectedTo?.(remoteAddress, true, alpn);
      dialing.succeed();
    });
  }

  #secure(
    dialing: Dialing,
    tls: TlsLayer,
    { socket, name, port, isHttp2 }: Secured,
    then: (socket: Socket, alpn: string | null) => void,
  ): void {
    const secure = tls.wrap(socket, { hostname: name, port, isHttp2 }, (failure) => {
      if (dialing.isOver) return;
      if (failure === null) then(secure, secure.alpnProtocol === false ? null : secure.alpnProtocol);
      else dialing.fail(failure);
    });
    dialing.layer(secure);
  }
}

/** The addresses that may be connected to; if there is none, why. */
function allowed(
  found: ReadonlyArray<FoundAddress>,
  hostname: string,
  rule: AddressRule | null,
): [DialFailure | null, ReadonlyArray<FoundAddress>] {
  if (rule === null) return [null, found];
  let refusal: DialFailure | null = null;
  const addresses = found.filter(({ address, family }) => {
    const failure = refusalOf(rule, address, family, hostname);
    refusal ??= failure;
    return failure === null;
  });
  return [addresses.length === 0 ? refusal : null, addresses];
}

/** Checks where the socket leads in truth. */
function refusedPeer({ remoteAddress = "", remoteFamily }: Socket, { rule, host }: Endpoint): DialFailure | null {
  return rule === null ? null : refusalOf(rule, remoteAddress, remoteFamily === "IPv6" ? 6 : 4, host);
}

function noIpv4(): DialFailure {
  return new DialFailure("MW_ERR_HTTP_DNS", "its host has no IPv4 address, and SOCKS 4 knows no other; take socks5:");
}

function warnInsecure(): void {
  process.emitWarning(
    "A ClientSession does not check the certificates of servers, so anybody on the way can read and change what is sent: " +
      "remove tls.rejectUnauthorized and NODE_TLS_REJECT_UNAUTHORIZED, and pass the certificate to trust as tls.ca",
    { type: "MeanwhileWarning", code: "MW_WARN_HTTP_INSECURE_TLS" },
  );
}

function onceOnly(callback: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) callback();
    isDone = true;
  };
}
