// A connection that comes back: one after the other, for a loop.

import { type Backoff, exponential, isCancelled, sleep } from "meanwhile";

import { callSafely } from "./callbacks.ts";
import { badArgument, checkCount, checkFunction } from "./checks.ts";
import { CONNECT_NAMES, type ConnectOptions, type ConnectSettled, settleConnect } from "./connect-options.ts";
import { connect } from "./connect.ts";
import type { Connection } from "./connection.ts";
import { ConnectError, HandshakeError } from "./errors.ts";
import { checkNames, type OptionNames } from "./option-names.ts";
import { redactUrl } from "./redact.ts";
import { retryAfterMs } from "./retry-after.ts";
import { parseTarget } from "./target.ts";

/** What `onRetry` is told. */
export interface ReconnectEvent {
  /** Why no connection could be opened. */
  readonly error: unknown;
  /** How many attempts have failed since the last connection. */
  readonly attempt: number;
  /** How long it waits until the next one, in milliseconds. */
  readonly delayMs: number;
}

/** How {@link reconnecting} goes on when a connection cannot be opened. */
export interface ReconnectPolicy {
  /** How many attempts in a row may fail; then the error of the last is thrown. Default: Infinity. */
  readonly attempts?: number | undefined;
  /** How long to wait. Default: up to 5 s by chance, then 3.1 s, and 1.618 times longer each time up to 90 s. */
  readonly backoff?: Backoff | undefined;
  /** Whether it is worth trying again. Default: {@link isTransient}. */
  readonly isTransient?: ((error: unknown) => boolean) | undefined;
  /** Is told before each wait. What it throws is reported as a warning. */
  readonly onRetry?: ((event: ReconnectEvent) => unknown) | undefined;
}

const NAMES: OptionNames<ConnectOptions & ReconnectPolicy> = {
  ...CONNECT_NAMES,
  attempts: true,
  backoff: true,
  isTransient: true,
  onRetry: true,
};

const TRANSIENT_CODES = new Set(["MW_ERR_WS_CONNECT", "MW_ERR_WS_DNS", "MW_ERR_WS_OPEN_TIMEOUT", "MW_ERR_WS_PROXY"]);
const TRANSIENT_STATUSES = new Set([500, 502, 503, 504]);
/** A server may ask for more patience than the backoff has, but not for any. */
const MOST_RETRY_AFTER_MS = 300_000;

/**
 * Whether another attempt may succeed: the network failed, nobody answered in time, or the server answered 500, 502, 503 or
 * 504. A certificate that is not accepted, or any other answer, stays what it is.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof HandshakeError) return TRANSIENT_STATUSES.has(error.status ?? 0);
  if (!(error instanceof ConnectError) || !TRANSIENT_CODES.has(error.code)) return false;
  return error.proxyStatus === undefined || TRANSIENT_STATUSES.has(error.proxyStatus);
}

/**
 * Connects, and connects again: each turn of a loop gets a connection that is open, and has it closed when the turn ends,
 * however it does. Where no connection can be opened it waits and tries again, unless that cannot help: then it throws.
 *
 * Cancellation: safe. The connection of the turn is closed.
 *
 * @throws {@link ConnectError} or {@link HandshakeError} if it is not worth trying again
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_URL` or `MW_ERR_WS_INVALID_ARGUMENT`
 * @see {@link https://websockets.readthedocs.io/en/stable/reference/asyncio/client.html#using-a-connection}
 *
 * @example
 * ```ts
 * import { reconnecting, serve } from "@meanwhile/websocket";
 * import { run } from "meanwhile";
 *
 * await run(async () => {
 *   let visits = 0;
 *   await using server = await serve((socket) => socket.send(`visit ${++visits}`));
 *   for await (const socket of reconnecting(server.url)) {
 *     for await (const message of socket) console.log(message); //> visit 1
 *     break; // without it, it would connect again
 *   }
 * });
 * ```
 */
export function reconnecting(
  uri: string | URL,
  options: ConnectOptions & ReconnectPolicy = {},
): AsyncGenerator<Connection, never> {
  checkNames("options", options, NAMES);
  const { attempts, backoff = usualBackoff(), isTransient: isWorthIt = isTransient, onRetry, ...others } = options;
  checkCount("attempts", attempts, 1);
  checkFunction("isTransient", isWorthIt);
  checkFunction("onRetry", onRetry);
  if (typeof backoff !== "function") throw badArgument("backoff", backoff, "a function like exponential()");
  parseTarget(uri);
  const settled = settleConnect(others);
  return connections(
    uri,
    others,
    new Attempts({ attempts: attempts ?? Infinity, backoff, isWorthIt, onRetry, settled, uri }),
  );
}

async function* connections(
  uri: string | URL,
  options: ConnectOptions,
  attempts: Attempts,
): AsyncGenerator<Connection, never> {
  for (;;) {
    let connection: Connection;
    try {
      connection = await connect(uri, options);
    } catch (error) {
      await sleep(attempts.delayAfter(error));
      continue;
    }
    attempts.succeeded();
    try {
      yield connection;
    } finally {
      await connection.close();
    }
  }
}

/** What {@link Attempts} needs to know. */
interface AttemptsPlan {
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly isWorthIt: (error: unknown) => boolean;
  readonly onRetry: ((event: ReconnectEvent) => unknown) | undefined;
  readonly settled: ConnectSettled;
  readonly uri: string | URL;
}

/** Counts the attempts that have failed in a row. */
class Attempts {
  readonly #plan: AttemptsPlan;
  #failed = 0;

  constructor(plan: AttemptsPlan) {
    this.#plan = plan;
  }

  succeeded(): void {
    this.#failed = 0;
  }

  /** How long to wait after a failure; throws it if it is the last. */
  delayAfter(error: unknown): number {
    const { attempts, backoff, isWorthIt, onRetry, settled, uri } = this.#plan;
    if (isCancelled(error) || !isWorthIt(error)) throw error;
    this.#failed += 1;
    if (this.#failed >= attempts) throw error;
    const delayMs = Math.max(backoff(this.#failed, error), askedFor(error));
    const { trace } = settled.connection;
    if (trace.isOn) trace.tell({ kind: "connect-retry", url: redactUrl(uri), error, durationMs: delayMs });
    const event = { error, attempt: this.#failed, delayMs };
    if (onRetry !== undefined) callSafely(onRetry, event, "'onRetry' of reconnecting() failed");
    return delayMs;
  }
}

/** What the server has asked for with `Retry-After`. */
function askedFor(error: unknown): number {
  if (!(error instanceof HandshakeError)) return 0;
  return Math.min(retryAfterMs(error.headers["retry-after"]) ?? 0, MOST_RETRY_AFTER_MS);
}

/** That of the Python package `websockets`. */
function usualBackoff(): Backoff {
  const first = exponential({ baseMs: 5_000 });
  const later = exponential({ baseMs: 3_100, factor: 1.618, maxMs: 90_000, jitter: "none" });
  return (attempt, error) => (attempt === 1 ? first(1, error) : later(attempt - 1, error));
}
