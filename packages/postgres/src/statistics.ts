// What a pool says about its connections.

import type { ConnectionHolder } from "./errors.ts";

/** What a pool does right now, and has done since it was made. */
export interface PoolStatistics {
  /** Connections there may be. */
  readonly maxSize: number;
  /** Connections there are: being opened, idle, held or being reset. */
  readonly size: number;
  /** Connections that are being opened. */
  readonly opening: number;
  /** Connections nobody uses. */
  readonly idle: number;
  /** Connections that are held: by a block, or by a call of the pool. */
  readonly held: number;
  /** Connections that are made ready for the next one. */
  readonly resetting: number;
  /** Tasks that wait for a connection. */
  readonly waiting: number;
  /** Open connections for notifications; they do not count in `size`. */
  readonly listening: number;
  /** How many connections were opened, ever. */
  readonly opened: number;
  /** How many connections were lost: the server or the network ended them. */
  readonly lost: number;
  /** How often a connection was given out, ever. */
  readonly acquired: number;
  /** How often somebody waited for one in vain, ever. */
  readonly timedOut: number;
  /** Who holds connections, the longest first. */
  readonly holders: ReadonlyArray<ConnectionHolder>;
}
