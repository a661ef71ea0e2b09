// What carries one exchange: a connection of its own, as in HTTP/1.1, or one stream of an HTTP/2 connection.

import type { Socket } from "node:net";

import type { Dispatcher } from "undici";

import type { Exchange } from "./exchange.ts";
import type { Host } from "./pool.ts";

export interface Carrier {
  readonly host: Host;
  /** The request it carries; null when that is over. */
  exchange: Exchange | null;
  /** Whether an answer has come over the connection before. */
  readonly isUsed: boolean;
  /** Whether the server has said, or cannot but have, that it did nothing about the request. */
  readonly isRefused: boolean;
  /** The address at the other end; undefined if there is no connection. */
  readonly remoteAddress: string | undefined;
  /** The connection if it is no one else's. */
  readonly socket: Socket | null;
  /** Sends a request. The connection is made if there is none. */
  start(exchange: Exchange, options: Dispatcher.DispatchOptions): void;
  /** The answer is complete. Tells whether the carrier can be kept for the next request. */
  release(): boolean;
  /** Ends what it carries at once, and nothing else. */
  destroy(whenClosed?: () => void): void;
}
