// Who may have a connection, and the connections that are kept for the next one.
//
// A request takes a place at its host, then one of the session: one that waits for a busy host holds up nobody else.
// Both are given back together, by the exchange, the moment the last byte has come or the request has failed.

import { captureContext } from "meanwhile/lowlevel";

import { Connection, type ConnectionOptions } from "./connection.ts";
import { Dialer } from "./dialer.ts";
import type { DnsStatistics } from "./dns.ts";
import { sessionClosed } from "./failures.ts";
import { Gate } from "./gate.ts";
import type { Proxy } from "./proxies.ts";
import type { Hop } from "./redirects.ts";
import type { Transport } from "./transport-options.ts";

/** What the pool of a session does right now. */
export interface SessionStatistics {
  /** Requests that may have a connection at once. */
  readonly limit: number;
  /** Requests that have a slot. */
  readonly inUse: number;
  /** Requests that wait for a slot, of their host or of the session. */
  readonly waiting: number;
  /** Connections kept open for later requests. */
  readonly idle: number;
  /** The same for each origin that has any of these; one that is reached through a proxy has its name with it. */
  readonly hosts: Readonly<Record<string, HostStatistics>>;
  /** How often names of hosts were looked up; not there if none was. */
  readonly dnsCache?: DnsStatistics;
}

/** A part of {@link SessionStatistics}. */
export interface HostStatistics {
  /** Requests to this origin that have a slot. */
  readonly inUse: number;
  /** Requests to this origin that wait for one. */
  readonly waiting: number;
  /** Connections to this origin kept open. */
  readonly idle: number;
}

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
  readonly gate: Gate;
  /** How many hold a place of the host and wait for one of the session. */
  waitingForSession: number;
  /** The one used last comes first again: the others may time out. */
  readonly idle: Connection[];
}

/** How a pool is made. */
export interface PoolOptions {
  readonly limit: number;
  readonly limitPerHost: number;
  readonly maxHeaderBytes: number;
  readonly transport: Transport;
}

export class Pool {
  readonly #gate: Gate;
  readonly #limitPerHost: number;
  readonly #hosts = new Map<string, Host>();
  // Oldest first. Never more than the limit, so that a crawl of many hosts does not run out of sockets.
  readonly #idle = new Set<Connection>();
  readonly #busy = new Set<Connection>();
  readonly #transport: Transport;
  readonly #connectionOptions: ConnectionOptions;
  readonly #onIdleEnd = (connection: Connection): void => this.#forget(connection);
  isClosed = false;

  constructor({ limit, limitPerHost, maxHeaderBytes, transport }: PoolOptions) {
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
  }

  /** Takes the two places if both are free. */
  tryEnter(hop: Pick<Hop, "url" | "isPublicOnly">): Host | null {
    const host = this.#hostOf(hop);
    if (!host.gate.tryTake()) return null;
    if (this.#gate.tryTake()) return host;
    host.gate.give();
    return null;
  }

  /** Waits for the two places; null if the deadline came first, or the pool was closed. */
  async enter(hop: Pick<Hop, "url" | "isPublicOnly">, deadline: number): Promise<Host | null> {
    const host = this.#hostOf(hop);
    try {
      if (!(await host.gate.take(deadline))) return null;
      host.waitingForSession += 1;
      let hasBoth = false;
      try {
        hasBoth = await this.#gate.take(deadline);
        if (!hasBoth || !this.isClosed) return hasBoth ? host : null;
        this.#gate.give();
        hasBoth = false;
        return null;
      } finally {
        host.waitingForSession -= 1;
        if (!hasBoth) host.gate.give();
      }
    } finally {
      this.#forgetIfUnused(host);
    }
  }

  /** Gives the two places back, unused. */
  giveBack(host: Host): void {
    host.gate.give();
    this.#gate.give();
    this.#forgetIfUnused(host);
  }

  /** A connection for one who has the places. A fresh one has never been used. */
  open(host: Host, isFresh: boolean): Connection {
    const kept = isFresh ? undefined : host.idle.pop();
    const connection = kept ?? new Connection(host, this.#connectionOptions, this.#onIdleEnd);
    this.#idle.delete(connection);
    this.#busy.add(connection);
    return connection;
  }

  /** The request is done: its connection is kept for the next one. */
  keep(connection: Connection): void {
    const { host } = connection;
    this.#leave(connection);
    connection.isUsed = true;
    host.idle.push(connection);
    this.#idle.add(connection);
    if (this.#idle.size <= this.#gate.limit) return;
    const [oldest] = this.#idle;
    if (oldest !== undefined) this.#forget(oldest);
  }

  /** The request is over in some other way: its connection is closed. */
  discard(connection: Connection): void {
    this.#leave(connection);
    connection.destroy();
    this.#forgetIfUnused(connection.host);
  }

  /** Refuses everybody who waits, ends every exchange and closes every connection. Done when the last is closed. */
  close(): Promise<unknown> {
    this.isClosed = true;
    this.#gate.refuseAll();
    for (const host of this.#hosts.values()) host.gate.refuseAll();
    const connections = [...this.#busy, ...this.#idle];
    const closed = connections.map((connection) => {
      const { exchange } = connection;
      exchange?.fail(() => sessionClosed(exchange.plan.request));
      const { promise, resolve } = Promise.withResolvers<void>();
      connection.destroy(resolve);
      return promise;
    });
    this.#transport.dns.close();
    this.#idle.clear();
    this.#hosts.clear();
    return Promise.all(closed);
  }

  statistics(): SessionStatistics {
    const hosts: Record<string, HostStatistics> = {};
    let waiting = 0;
    for (const { origin, proxy, gate, idle, waitingForSession } of this.#hosts.values()) {
      const name = proxy === null ? origin : `${origin} via ${proxy.name}`;
      const here = gate.waiting + waitingForSession;
      waiting += here;
      // The same proxy with other credentials is another way with the same name.
      const other = hosts[name] ?? { inUse: 0, waiting: 0, idle: 0 };
      hosts[name] = {
        inUse: other.inUse + gate.inUse - waitingForSession,
        waiting: other.waiting + here,
        idle: other.idle + idle.length,
      };
    }
    const { limit, inUse } = this.#gate;
    const dnsCache = this.#transport.dns.statistics();
    const all = { limit, inUse, waiting, idle: this.#idle.size, hosts };
    return dnsCache.misses === 0 ? all : { ...all, dnsCache };
  }

  #hostOf({ url, isPublicOnly }: Pick<Hop, "url" | "isPublicOnly">): Host {
    const { origin } = url;
    const proxy = this.#transport.proxyFor?.(url) ?? null;
    const way = isPublicOnly ? `${origin} public` : origin;
    const key = proxy === null ? way : `${way} ${proxy.id}`;
    let host = this.#hosts.get(key);
    if (host === undefined) {
      const gate = new Gate(this.#limitPerHost, `a slot of ${origin}`);
      const forwarder = proxy?.kind.startsWith("http") === true && url.protocol === "http:" ? proxy : null;
      host = { key, origin, proxy, isPublicOnly, forwarder, gate, waitingForSession: 0, idle: [] };
      this.#hosts.set(key, host);
    }
    return host;
  }

  #leave(connection: Connection): void {
    if (!this.#busy.delete(connection)) return;
    connection.exchange = null;
    connection.host.gate.give();
    this.#gate.give();
  }

  #forget(connection: Connection): void {
    if (!this.#idle.delete(connection)) return;
    const { host } = connection;
    host.idle.splice(host.idle.indexOf(connection), 1);
    connection.destroy();
    this.#forgetIfUnused(host);
  }

  #forgetIfUnused(host: Host): void {
    if (host.gate.inUse === 0 && host.idle.length === 0) this.#hosts.delete(host.key);
  }
}
