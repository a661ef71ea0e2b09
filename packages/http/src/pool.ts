// Who may have a connection, and the connections that are kept for the next one.
//
// A request takes a place at its host, then one of the session: one that waits for a busy host holds up nobody else.
// Both are given back together, by the exchange, the moment the last byte has come or the request has failed.

import type { Socket } from "node:net";

import { captureContext } from "meanwhile/lowlevel";

import type { Carrier } from "./carrier.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { Dialer } from "./dialer.ts";
import { sessionClosed } from "./failures.ts";
import { Gate } from "./gate.ts";
import type { Http2Line } from "./http2-line.ts";
import { Http2Lines, type LineKeeper, type Http2LinesOptions } from "./http2-lines.ts";
import type { Proxy } from "./proxies.ts";
import type { Hop } from "./redirects.ts";
import type { HostStatistics, SessionStatistics } from "./statistics.ts";
import { StreamCarrier } from "./stream-carrier.ts";
import type { Transport } from "./transport-options.ts";

/** What the pool knows of one origin, and of one way to it. Forgotten when nobody uses it. */
export interface Host {
  /** What the pool finds it by. */
  readonly key: string;
  readonly origin: string;
  readonly proxy: Proxy | null;
  /** Whether its connections lead to public addresses only, for redirects that come from such. */
  readonly isPublicOnly: boolean;
  /** The proxy if it takes requests itself, and is not only a way to the server. */
  readonly forwarder: Proxy | null;
  /** What all ways to the origin share: its server counts them together. */
  readonly shared: SharedGate;
  /** How many hold both places. */
  inUse: number;
  /** How many wait for a place of the host, or of the session. */
  waiting: number;
  /** The one used last comes first again: the others may time out. */
  readonly idle: Connection[];
  /** Its HTTP/2 connections; null if there can be none. */
  lines: Http2Lines | null;
}

/** The gate of an origin, and how many ways to it know it. */
interface SharedGate {
  readonly gate: Gate;
  hosts: number;
}

/** How a pool is made. */
export interface PoolOptions {
  readonly limit: number;
  readonly limitPerHost: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
  readonly transport: Transport;
}

export class Pool {
  readonly #gate: Gate;
  readonly #limitPerHost: number;
  readonly #hosts = new Map<string, Host>();
  // Invariant: a gate is in here exactly while a host of #hosts has it.
  readonly #gates = new Map<string, SharedGate>();
  // Oldest first. Never more than the limit, so that a crawl of many hosts does not run out of sockets.
  readonly #idle = new Set<Connection | Http2Line>();
  readonly #busy = new Set<Carrier>();
  readonly #transport: Transport;
  readonly #connectionOptions: ConnectionOptions;
  readonly #linesOptions: Http2LinesOptions;
  readonly #onIdleEnd = (connection: Connection): void => this.#forget(connection);
  isClosed = false;

  constructor({ limit, limitPerHost, maxHeaderBytes, maxHeaderCount, transport }: PoolOptions) {
    this.#gate = new Gate(limit, "a slot of the session");
    this.#limitPerHost = limitPerHost;
    this.#transport = transport;
    const dialer = new Dialer(transport);
    // Sockets outlive the task that caused them: they must not keep its scope.
    const inContext = captureContext();
    this.#connectionOptions = {
      maxHeaderBytes,
      keepAlive: transport.keepAlive,
      dial: (to, trace, onLayer, done) => inContext(() => dialer.dial(to, trace, onLayer, done)),
    };
    const { dial, keepAlive } = this.#connectionOptions;
    const keeper = this.#makeKeeper();
    const kept = { idleMs: keepAlive.usualMs, http1Origins: new Set<string>() };
    this.#linesOptions = { maxHeaderBytes, maxHeaderCount, ...kept, inContext, dial, keeper };
  }

  /** Takes the two places if both are free. */
  tryEnter(hop: Pick<Hop, "url" | "isPublicOnly">): Host | null {
    const host = this.#hostOf(hop);
    const { gate } = host.shared;
    if (gate.tryTake()) {
      if (this.#gate.tryTake()) {
        host.inUse += 1;
        return host;
      }
      gate.give();
    }
    // It may lead through another proxy the next time.
    this.#forgetIfUnused(host);
    return null;
  }

  /** Waits for the two places; null if the deadline came first, or the pool was closed. */
  async enter(hop: Pick<Hop, "url" | "isPublicOnly">, deadline: number): Promise<Host | null> {
    const host = this.#hostOf(hop);
    const { gate } = host.shared;
    host.waiting += 1;
    try {
      if (!(await gate.take(deadline))) return null;
      let hasBoth = false;
      try {
        hasBoth = await this.#gate.take(deadline);
        if (hasBoth && this.isClosed) {
          this.#gate.give();
          hasBoth = false;
        }
        if (hasBoth) host.inUse += 1;
        return hasBoth ? host : null;
      } finally {
        if (!hasBoth) gate.give();
      }
    } finally {
      host.waiting -= 1;
      this.#forgetIfUnused(host);
    }
  }

  /** Gives the two places back, unused. */
  giveBack(host: Host): void {
    this.#giveBoth(host);
    this.#forgetIfUnused(host);
  }

  /**
   * A connection for one who has the places. A fresh one has never been used; over HTTP/2 it may be one that others use.
   * Only one that is to be kept is shared.
   */
  open(host: Host, isFresh: boolean, isKept: boolean): Carrier {
    const { lines } = host;
    if (lines !== null && !lines.isHttp1) {
      const { maxHeaderBytes, maxHeaderCount } = this.#linesOptions;
      const carrier = new StreamCarrier(host, lines, { maxHeaderBytes, maxHeaderCount, isAlone: !isKept });
      this.#busy.add(carrier);
      return carrier;
    }
    const kept = isFresh || !isKept ? undefined : host.idle.pop();
    const connection = kept ?? new Connection(host, this.#connectionOptions, this.#onIdleEnd);
    this.#idle.delete(connection);
    this.#busy.add(connection);
    return connection;
  }

  /** The request is done: its connection is kept for the next one. */
  keep(carrier: Carrier): void {
    this.#leave(carrier);
    if (!carrier.release() || !(carrier instanceof Connection)) return this.#forgetIfUnused(carrier.host);
    carrier.host.idle.push(carrier);
    this.#addIdle(carrier);
  }

  /** The request is over in some other way: its connection is closed. */
  discard(carrier: Carrier): void {
    this.#leave(carrier);
    carrier.destroy();
    this.#forgetIfUnused(carrier.host);
  }

  /** Refuses everybody who waits, ends every exchange and closes every connection. Done when the last is closed. */
  close(): Promise<unknown> {
    this.isClosed = true;
    this.#gate.refuseAll();
    for (const { gate } of this.#gates.values()) gate.refuseAll();
    const hosts = [...this.#hosts.values()];
    const connections = [...this.#busy, ...hosts.flatMap(({ idle }) => idle)];
    const closed = connections.map((connection) => {
      const { exchange } = connection;
      exchange?.fail(() => sessionClosed(exchange.plan.request));
      const { promise, resolve } = Promise.withResolvers<void>();
      connection.destroy(resolve);
      return promise;
    });
    const linesClosed = hosts.flatMap(({ lines }) => lines?.close() ?? []);
    this.#transport.dns.close();
    this.#idle.clear();
    this.#hosts.clear();
    this.#gates.clear();
    return Promise.all([...closed, ...linesClosed]);
  }

  statistics(): SessionStatistics {
    const hosts: Record<string, HostStatistics> = {};
    let allWaiting = 0;
    for (const { origin, proxy, inUse, waiting, idle, lines } of this.#hosts.values()) {
      const name = proxy === null ? origin : `${origin} via ${proxy.name}`;
      allWaiting += waiting;
      // The same proxy with other credentials is another way with the same name.
      const other = hosts[name] ?? { inUse: 0, waiting: 0, idle: 0 };
      hosts[name] = {
        inUse: other.inUse + inUse,
        waiting: other.waiting + waiting,
        idle: other.idle + idle.length + (lines?.idle ?? 0),
      };
    }
    const { limit, inUse } = this.#gate;
    const dnsCache = this.#transport.dns.statistics();
    const all = { limit, inUse, waiting: allWaiting, idle: this.#idle.size, hosts };
    return dnsCache.misses === 0 ? all : { ...all, dnsCache };
  }

  #hostOf({ url, isPublicOnly }: Pick<Hop, "url" | "isPublicOnly">): Host {
    const { origin } = url;
    const proxy = this.#transport.proxyFor?.(url) ?? null;
    const way = isPublicOnly ? `${origin} public` : origin;
    const key = proxy === null ? way : `${way} ${proxy.id}`;
    let host = this.#hosts.get(key);
    if (host === undefined) {
      const shared = this.#gateOf(origin);
      const forwarder = proxy?.kind.startsWith("http") === true && url.protocol === "http:" ? proxy : null;
      host = { key, origin, proxy, isPublicOnly, forwarder, shared, inUse: 0, waiting: 0, idle: [], lines: null };
      if (this.#transport.http2 && url.protocol === "https:") host.lines = new Http2Lines(host, this.#linesOptions);
      this.#hosts.set(key, host);
    }
    return host;
  }

  #gateOf(origin: string): SharedGate {
    let shared = this.#gates.get(origin);
    if (shared === undefined) {
      shared = { gate: new Gate(this.#limitPerHost, `a slot of ${origin}`), hosts: 0 };
      this.#gates.set(origin, shared);
    }
    shared.hosts += 1;
    return shared;
  }

  #giveBoth(host: Host): void {
    host.inUse -= 1;
    host.shared.gate.give();
    this.#gate.give();
  }

  #makeKeeper(): LineKeeper {
    return {
      becameIdle: (line) => this.#addIdle(line),
      becameBusy: (line) => void this.#idle.delete(line),
      closed: (line) => {
        this.#idle.delete(line);
        this.#forgetIfUnused(line.host);
      },
      fallBack: (carrier, socket) => this.#fallBack(carrier, socket),
    };
  }

  /** The request of a stream that cannot be one goes on over HTTP/1.1, in its places. */
  #fallBack(carrier: StreamCarrier, socket: Socket | null): void {
    const { host, exchange, dispatch } = carrier;
    if (exchange === null || dispatch === null || !this.#busy.delete(carrier)) return void socket?.destroy();
    const connection = new Connection(host, this.#connectionOptions, this.#onIdleEnd, socket);
    this.#busy.add(connection);
    exchange.moveTo(connection);
    connection.start(exchange, dispatch);
  }

  #addIdle(kept: Connection | Http2Line): void {
    this.#idle.add(kept);
    if (this.#idle.size <= this.#gate.limit) return;
    const [oldest] = this.#idle;
    if (oldest !== undefined) this.#forget(oldest);
  }

  #leave(carrier: Carrier): void {
    if (!this.#busy.delete(carrier)) return;
    carrier.exchange = null;
    this.#giveBoth(carrier.host);
  }

  #forget(kept: Connection | Http2Line): void {
    if (!this.#idle.delete(kept)) return;
    const { host } = kept;
    if (kept instanceof Connection) host.idle.splice(host.idle.indexOf(kept), 1);
    kept.destroy();
    this.#forgetIfUnused(host);
  }

  #forgetIfUnused(host: Host): void {
    const { key, origin, inUse, waiting, idle, lines, shared } = host;
    if (inUse > 0 || waiting > 0 || idle.length > 0 || lines?.isEmpty === false) return;
    if (this.#hosts.get(key) !== host) return;
    this.#hosts.delete(key);
    shared.hosts -= 1;
    if (shared.hosts === 0) this.#gates.delete(origin);
  }
}
