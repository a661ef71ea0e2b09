// What goes past BullMQ: messages to those who listen now, and leases that run out. One connection for each process and queue
// listens, however many jobs are under way.

/** The way past BullMQ on a server. */
export interface Control {
  /** How long a message may be. */
  readonly maxTextBytes: number;
  /** Tells whoever has subscribed to a channel, if anybody has. */
  publish(messages: ReadonlyArray<readonly [channel: string, text: string]>): Promise<void>;
  /** Listens to channels, also after the connection was lost and is back. */
  subscribe(channels: readonly string[], received: (text: string) => void): Promise<void>;
  /** Says that somebody is there for so long. Returns the time of the server in ms. */
  lease(id: string, ttlMs: number): Promise<number>;
  unlease(id: string): Promise<void>;
  /** Whose lease has not run out. */
  alive(ids: readonly string[]): Promise<boolean[]>;
  /** The time of the server in ms. */
  time(): Promise<number>;
  close(): Promise<void>;
  /** Whether the error only means that the server cannot be reached just now. */
  isPassing(error: unknown): boolean;
}

const PASSING =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|connect ENOENT|Query read timeout|Connection is closed|Connection terminated|not queryable|Stream isn't writeable|LOADING|READONLY|timeout exceeded|Query read timeout|Socket timeout/;

/** Whether the text or the code of an error is one of a connection. */
export function isConnectionTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  // 08: connection exceptions, 57P: the server is stopping or starting, 53300: it has no room.
  if (typeof code === "string" && (/^(08...|57P0[123]|53300)$/.test(code) || PASSING.test(code))) return true;
  if (error instanceof AggregateError && error.errors.some(isConnectionTrouble)) return true;
  return PASSING.test(error.message);
}
