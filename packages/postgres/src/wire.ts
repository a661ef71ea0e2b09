// What an operation may do with the link it runs on.

import type { ConnectSettled } from "./connect-options.ts";
import type { StatementCache } from "./statement-cache.ts";

export interface Wire {
  readonly settled: ConnectSettled;
  readonly statements: StatementCache;
  /** Whether whoever waits was cancelled: what has not begun must not begin. */
  readonly isInterrupted: boolean;
  /** Sends bytes, in one write. False if they wait in this process: `handleDrain` tells when they have left. */
  write(bytes: Uint8Array): boolean;
  /** Stops reading from the server. */
  pause(): void;
  /** Goes on reading. */
  resume(): void;
  /** A command was done that changes the session: its tag, and the text it was in. */
  sessionChanged(tag: string, text: string): void;
  /** A command was done that may have ended a transaction: its tag, and the text it was in. */
  transactionEnded(tag: string, text: string): void;
  /** A command was done that may change what names in statements mean: its tag, and the text it was in. */
  schemaChanged(tag: string, text: string): void;
  /** Something has happened that `Link.event` waits for. */
  notify(): void;
  /** The server is ready for the next operation. */
  ready(): void;
  /** The server has said no, or what it says cannot be understood. */
  refused(error: Error): void;
}
