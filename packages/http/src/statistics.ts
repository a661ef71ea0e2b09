// What a session says about its slots and connections.

import type { DnsStatistics } from "./dns.ts";

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
