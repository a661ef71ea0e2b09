// One connection of HTTP/1.1: an undici Client with at most one request on it, and the socket below, so that a cancelled
// request can close it in whatever state it is, also while it is being made.

import type { Socket } from "node:net";

import type { buildConnector, Client as UndiciClient, Dispatcher } from "undici";

import type { Carrier } from "./carrier.ts";
import { hungUp } from "./dial-failure.ts";
import type { Dial } from "./dialer.ts";
import type { Dialing } from "./dialing.ts";
import type { Exchange } from "./exchange.ts";
import type { Host } from "./pool.ts";
import type { Proxy } from "./proxies.ts";
import type { KeepAlive } from "./transport-options.ts";
import { Client } from "./undici.ts";

/** What undici needs to know of a session. */
export interface ConnectionOptions {
  readonly maxHeaderBytes: number;
  readonly keepAlive: KeepAlive;
  readonly dial: Dial;
}

export class Connection implements Carrier {
  readonly host: Host;
  /** The request it carries; null while idle. */
  exchange: Exchange | null = null;
  /** Whether an answer has come over it before. */
  isUsed = false;
  /** That is for the server to say, and HTTP/1.1 has no word for it. */
  readonly isRefused = false;
  socket: Socket | null = null;
  readonly #client: UndiciClient;
  readonly #dial: Dial;
  #dialing: Dialing | null = null;
  readonly #onIdleEnd: (connection: Connection) => void;
  readonly #isSecure: boolean;
  // Made before it was clear that it speaks HTTP/1.1.
  #madeBefore: Socket | null;

  /** @param socket - the connection if there is one already */
  constructor(
    host: Host,
    options: ConnectionOptions,
    onIdleEnd: (connection: Connection) => void,
    socket: Socket | null = null,
  ) {
    this.#madeBefore = socket;
    this.host = host;
    this.#isSecure = host.origin.startsWith("https:");
    this.#dial = options.dial;
    this.#onIdleEnd = onIdleEnd;
    this.#client = new Client(host.origin, {
      connect: (target, callback) => this.#makeSocket(target, callback),
      maxHeaderSize: options.maxHeaderBytes,
      // Time is kept by the exchange: undici's timers are coarse, and start when it likes.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: options.keepAlive.usualMs,
      keepAliveMaxTimeout: options.keepAlive.mostMs,
      allowH2: false,
    });
    this.#client.on("disconnect", () => {
      if (this.exchange === null) this.#onIdleEnd(this);
    });
  }

  get remoteAddress(): string | undefined {
    return this.socket?.remoteAddress;
  }

  /** Sends a request. The connection is made, or made again, if there is none. */
  start(exchange: Exchange, options: Dispatcher.DispatchOptions): void {
    this.exchange = exchange;
    const { forwarder } = this.host;
    // undici would make the connection anew for each other Host field; which name TLS asks for is our dialer's business.
    const own = this.#isSecure ? { ...options, servername: this.host.origin } : options;
    this.#client.dispatch(forwarder === null ? own : forwarded(own, this.host.origin, forwarder), exchange);
  }

  /** It is kept. */
  release(): boolean {
    this.isUsed = true;
    return true;
  }

  /** Closes the connection at once, whatever goes on over it. */
  destroy(whenClosed: () => void = nothing): void {
    this.exchange = null;
    this.#client.destroy(null, whenClosed);
    this.#dialing?.abort();
    this.socket?.destroy();
    this.#madeBefore?.destroy();
  }

  #makeSocket(target: buildConnector.Options, callback: buildConnector.Callback): void {
    // Called for the exchange that waits. A socket that undici replaces by itself starts a new life.
    this.isUsed = false;
    if (this.#madeBefore !== null) return this.#adopt(this.#madeBefore, callback);
    const { exchange } = this;
    exchange?.connecting();
    this.#dialing = this.#dial(
      {
        hostname: target.hostname,
        port: portOf(target),
        isSecure: target.protocol === "https:",
        // That of the URL: a header field Host is no reason to believe another certificate.
        servername: target.hostname,
        proxy: this.host.proxy,
        isPublicOnly: this.host.isPublicOnly,
        isHttp2: false,
      },
      exchange,
      (socket) => {
        this.socket = socket;
      },
      (error, socket) => {
        this.#dialing = null;
        if (error === null && socket !== null) callback(null, socket);
        else callback(error ?? hungUp(), null);
      },
    );
  }

  #adopt(socket: Socket, callback: buildConnector.Callback): void {
    this.#madeBefore = null;
    this.socket = socket;
    queueMicrotask(() => {
      if (socket.destroyed) callback(hungUp(), null);
      else callback(null, socket);
    });
  }
}

function portOf({ port, protocol }: buildConnector.Options): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

/** The request as an HTTP proxy wants it for an http URL. */
function forwarded(options: Dispatcher.DispatchOptions, origin: string, proxy: Proxy): Dispatcher.DispatchOptions {
  const { path, headers } = options;
  // Flat, as the courier makes them.
  const own = Array.isArray(headers) ? headers : [];
  return { ...options, path: `${origin}${path}`, headers: [...own, ...proxy.headers] };
}

function nothing(): void {}
