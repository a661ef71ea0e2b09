// One connection: an undici Client with at most one request on it, and the socket below, so that a cancelled request
// can close it in whatever state it is, also while it is being made.

import { Socket } from "node:net";

import type { buildConnector, Client as UndiciClient, Dispatcher } from "undici";

import type { Exchange } from "./exchange.ts";
import type { Host } from "./pool.ts";
import { Client } from "./undici.ts";

/** What undici needs to know of a session. */
export interface ConnectionOptions {
  readonly maxHeaderBytes: number;
  readonly connect: buildConnector.connector;
}

/** How long an idle connection is kept: less than most servers keep it, so that they do not close it in our hands. */
const KEEP_ALIVE_MS = 4_000;
const LONGEST_KEEP_ALIVE_MS = 60_000;

export class Connection {
  readonly host: Host;
  /** The request it carries; null while idle. */
  exchange: Exchange | null = null;
  /** Whether an answer has come over it before. */
  isUsed = false;
  socket: Socket | null = null;
  readonly #client: UndiciClient;
  readonly #connect: buildConnector.connector;
  readonly #onIdleEnd: (connection: Connection) => void;

  constructor(host: Host, options: ConnectionOptions, onIdleEnd: (connection: Connection) => void) {
    this.host = host;
    this.#connect = options.connect;
    this.#onIdleEnd = onIdleEnd;
    this.#client = new Client(host.origin, {
      connect: (target, callback) => this.#makeSocket(target, callback),
      maxHeaderSize: options.maxHeaderBytes,
      // Time is kept by the exchange: undici's timers are coarse, and start when it likes.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: LONGEST_KEEP_ALIVE_MS,
      allowH2: false,
    });
    this.#client.on("disconnect", () => {
      if (this.exchange === null) this.#onIdleEnd(this);
    });
  }

  /** Sends a request. The connection is made, or made again, if there is none. */
  start(exchange: Exchange, options: Dispatcher.DispatchOptions): void {
    this.exchange = exchange;
    this.#client.dispatch(options, exchange);
  }

  /** Closes the connection at once, whatever goes on over it. */
  destroy(whenClosed: () => void = nothing): void {
    this.exchange = null;
    this.#client.destroy(null, whenClosed);
    this.socket?.destroy();
  }

  #makeSocket(target: buildConnector.Options, callback: buildConnector.Callback): void {
    // Called for the exchange that waits. A socket that undici replaces by itself starts a new life.
    this.isUsed = false;
    const { exchange } = this;
    exchange?.connecting();
    // undici's connector returns the socket, which its types do not say.
    const socket: unknown = this.#connect(target, callback);
    this.socket = socket instanceof Socket ? socket : null;
  }
}

function nothing(): void {}
