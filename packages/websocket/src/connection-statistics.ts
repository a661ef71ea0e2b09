// What can be seen of a connection from outside.

/** A snapshot of one connection, for dumps and tests. */
export interface ConnectionStatistics {
  /** How many messages were handed over to be sent. */
  readonly messagesSent: number;
  /** How many messages have come. */
  readonly messagesReceived: number;
  /** How many bytes were sent and have come, with everything around the messages. */
  readonly bytesSent: number;
  /** The same of what has come. */
  readonly bytesReceived: number;
  /** How many messages wait to be received. */
  readonly queued: number;
  /** Whether nothing is read from the peer, as too many wait. */
  readonly isPaused: boolean;
  /** How many bytes wait in this process to be sent. */
  readonly bufferedBytes: number;
  /** How long the last answer to a ping took, in milliseconds. */
  readonly latencyMs: number | undefined;
}
