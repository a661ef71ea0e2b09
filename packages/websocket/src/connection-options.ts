// What both sides can say about a connection.

import { badArgument, checks } from "./checks.ts";
import { type DeflateOptions, type DeflateSettled, settleDeflate } from "./deflate.ts";
import { checkNames, type OptionNames } from "./option-names.ts";
import { Trace, type TraceListener } from "./trace.ts";

/** How many messages may wait to be received. */
export interface QueueLimits {
  /** With so many waiting, nothing more is read from the peer. Default: 16. */
  readonly high?: number | undefined;
  /** With so few waiting it is read again. Default: a quarter of `high`. */
  readonly low?: number | undefined;
}

/** Options of a connection, of a client or a server. */
export interface ConnectionOptions {
  /** Whether messages are compressed, if the peer can do that: `"deflate"`, `"off"`, or how. Default: `"deflate"`. */
  readonly compression?: "deflate" | "off" | DeflateOptions | undefined;
  /** How often the peer is pinged, in milliseconds; null for never. Default: 20 000. */
  readonly pingIntervalMs?: number | null | undefined;
  /** How long it may take to answer, in milliseconds, `ping()` too; null for as long as it likes. Default: 20 000. */
  readonly pingTimeoutMs?: number | null | undefined;
  /** How long the closing handshake may take, in milliseconds; then the connection is cut. Default: 10 000. */
  readonly closeTimeoutMs?: number | undefined;
  /** How long a message of the peer may be, unpacked; a longer one closes the connection with 1009. Default: 1 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /**
   * In how many pieces it may come; with more the connection is closed with 1008. Default: the larger of 1 024 and
   * `maxMessageBytes` / 256.
   */
  readonly maxFragments?: number | undefined;
  /** How many messages may wait to be received before the peer is slowed down. */
  readonly queue?: QueueLimits | undefined;
  /** `send` waits while more bytes than this wait in this process to be sent. Default: 32 KiB. */
  readonly writeLimitBytes?: number | undefined;
  /** Is told of every step. */
  readonly trace?: TraceListener | undefined;
}

/** The options of a connection, checked. */
export interface ConnectionSettled {
  /** Null for none. */
  readonly deflate: DeflateSettled | null;
  /** Infinity for never. */
  readonly pingIntervalMs: number;
  /** Infinity for no limit. */
  readonly pingTimeoutMs: number;
  /** At most what a timer can hold. */
  readonly closeTimeoutMs: number;
  /** Infinity for no limit. */
  readonly maxMessageBytes: number;
  /** What `ws` is told of messages too long: there 0 is no limit. */
  readonly maxPayload: number;
  /** What `ws` is told of pieces too many: there 0 is no limit. */
  readonly maxFragments: number;
  readonly high: number;
  readonly low: number;
  readonly writeLimitBytes: number;
  readonly trace: Trace;
}

/** The names of the options of both sides. */
export const CONNECTION_NAMES: OptionNames<ConnectionOptions> = {
  compression: true,
  pingIntervalMs: true,
  pingTimeoutMs: true,
  closeTimeoutMs: true,
  maxMessageBytes: true,
  maxFragments: true,
  queue: true,
  writeLimitBytes: true,
  trace: true,
};

const QUEUE_NAMES: OptionNames<QueueLimits> = { high: true, low: true };
const LONGEST_TIMER_MS = 2_147_483_647;
const LARGEST_LIMIT = 2_147_483_647;

/**
 * Checks the options that both sides have. The caller has checked the names.
 *
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT`
 */
export function settleConnection(options: ConnectionOptions): ConnectionSettled {
  const { closeTimeoutMs = 10_000, maxMessageBytes = 1_048_576, writeLimitBytes = 32_768, trace } = options;
  checks.ms("closeTimeoutMs", closeTimeoutMs);
  checkLimit("maxMessageBytes", maxMessageBytes);
  checks.count("writeLimitBytes", writeLimitBytes, 0);
  checks.function("trace", trace);
  const { maxFragments = Math.max(1_024, Math.floor(maxMessageBytes / 256)) } = options;
  checkLimit("maxFragments", maxFragments);
  return {
    deflate: settleDeflate(options.compression),
    pingIntervalMs: intervalOf("pingIntervalMs", options.pingIntervalMs),
    pingTimeoutMs: intervalOf("pingTimeoutMs", options.pingTimeoutMs),
    closeTimeoutMs: Math.min(closeTimeoutMs, LONGEST_TIMER_MS),
    maxMessageBytes,
    maxPayload: maxMessageBytes === Infinity ? 0 : maxMessageBytes,
    maxFragments: maxFragments === Infinity ? 0 : maxFragments,
    ...settleQueue(options.queue),
    writeLimitBytes,
    trace: new Trace(trace),
  };
}

function intervalOf(name: string, given: number | null | undefined): number {
  if (given === null) return Infinity;
  checks.ms(name, given);
  return given ?? 20_000;
}

function settleQueue(queue: QueueLimits = {}): { high: number; low: number } {
  checkNames("queue", queue, QUEUE_NAMES);
  const { high = 16 } = queue;
  checks.count("queue.high", high, 1);
  const { low = high === Infinity ? Infinity : Math.floor(high / 4) } = queue;
  checks.count("queue.low", low, 0);
  if (low > high || (low === high && high !== Infinity))
    throw badArgument("queue.low", low, `an integer below 'queue.high', which is ${high}`);
  return { high, low };
}

function checkLimit(name: string, value: unknown): void {
  if (value === Infinity) return;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= LARGEST_LIMIT) return;
  throw badArgument(name, value, `an integer from 1 to ${LARGEST_LIMIT}, or Infinity for no limit`);
}
