// One connection while it is being made, layer upon layer, so that it can be given up at any moment.
//
//   making ──▶ done | failed | aborted      (final; only the first two call back)

import type { Socket } from "node:net";

import { DialFailure, hungUp, proxyFailed } from "./dial-failure.ts";
import type { Proxy } from "./proxies.ts";

/** What is told to whom the connection is for. */
export interface DialTrace {
  /** A connection is about to be made. */
  connecting(): void;
  /** A name was looked up, or remembered: the first of its addresses, and how long that took. */
  resolved?(address: string, ms: number): void;
  /** The connection stands. `alpn` is the protocol that was agreed on; null without TLS, or if none was. */
  connectedTo?(remoteAddress: string | undefined, isTls: boolean, alpn: string | null): void;
}

/** Called once, unless the dialing was aborted. */
export type Dialed = (error: Error | null, socket: Socket | null) => void;

export class Dialing {
  readonly #done: Dialed;
  /** Told of each layer: closing the newest closes those below. */
  readonly #onLayer: (socket: Socket) => void;
  #socket: Socket | null = null;
  #isOver = false;
  readonly #layers: Socket[] = [];
  readonly #onClose = (): void => this.fail(hungUp());
  /** The proxy that is to blame for what fails now. */
  proxy: Proxy | null = null;

  /** Null when it is over: the sockets know this dialing for as long as they live, and must not keep what it was for. */
  trace: DialTrace | null;

  constructor(trace: DialTrace | null, onLayer: (socket: Socket) => void, done: Dialed) {
    this.trace = trace;
    this.#onLayer = onLayer;
    this.#done = done;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The next layer. From here on its errors are ours. */
  layer(socket: Socket): void {
    this.#socket = socket;
    this.#layers.push(socket);
    this.#onLayer(socket);
    socket.on("error", (error) => this.fail(error));
    socket.on("close", this.#onClose);
    if (this.#isOver) socket.destroy();
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#socket?.destroy();
    const { proxy } = this;
    const isOfProxy = proxy !== null && !(error instanceof DialFailure && error.code === "MW_ERR_HTTP_PROXY");
    this.#done(isOfProxy ? proxyFailed(proxy.name, error) : error, null);
  }

  /** Like {@link fail}, for what is known before the one who waits is ready for it. */
  failSoon(error: Error): void {
    queueMicrotask(() => this.fail(error));
  }

  succeed(): void {
    if (this.#isOver) return;
    this.#end();
    this.#done(null, this.#socket);
  }

  /** Closes what there is and calls nobody back. */
  abort(): void {
    this.#end();
    this.#socket?.destroy();
  }

  #end(): void {
    this.#isOver = true;
    this.trace = null;
    for (const socket of this.#layers) socket.off("close", this.#onClose);
    this.#layers.length = 0;
  }
}
