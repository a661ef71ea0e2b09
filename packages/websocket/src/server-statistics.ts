// A snapshot of a server.

/** What a server has done, and does. */
export interface ServerStatistics {
  /** Whether it takes connections. */
  readonly state: "opening" | "open" | "closing" | "closed";
  /** How many connections are open. */
  readonly connections: number;
  /** How many handshakes are being done. */
  readonly handshakes: number;
  /** How many connections have been opened so far. */
  readonly opened: number;
  /** How many clients have been refused so far. */
  readonly refused: number;
  /** How often a handler, or another function of the user, has failed so far. */
  readonly failed: number;
}
