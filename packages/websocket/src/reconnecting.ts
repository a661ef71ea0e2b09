// A connection that comes back: one after the other, for a loop.

import { type Backoff, now, sleep } from "meanwhile";

import { Attempts, type ReconnectEvent, usualBackoff } from "./attempts.ts";
import { badArgument, checks } from "./checks.ts";
import { CONNECT_NAMES, type ConnectOptions, settleConnect } from "./connect-options.ts";
import { connect } from "./connect.ts";
import type { Connection } from "./connection.ts";
import { ConnectError, HandshakeError } from "./errors.ts";
import { checkNames, type OptionNames } from "./option-names.ts";
import { parseTarget } from "./target.ts";

/** How {@link reconnecting} goes on when a connection cannot be opened, or does not last. */
export interface ReconnectPolicy {
  /**
   * How many attempts in a row may fail; then the error of the last is thrown. One whose connection was over before anything
   * came, and sooner than the wait would have been, has failed too. Default: Infinity.
   */
  readonly attempts?: number | undefined;
  /** How long to wait. Default: up to 5 s by chance, then 3.1 s, and 1.618 times longer each time up to 90 s. */
  readonly backoff?: Backoff | undefined;
  /** Whether it is worth trying again when no connection could be opened. Default: {@link isTransient}. */
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

const TRANSIENT_STATUSES = new Set([500, 502, 503, 504]);

/**
 * Whether another attempt may succeed: the network failed, nobody answered in time, or the server answered 500, 502, 503 or
 * 504. A certificate that is not accepted, a proxy that refuses or is none, or any other answer, stays what it is.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof HandshakeError) return TRANSIENT_STATUSES.has(error.status ?? 0);
  if (!(error instanceof ConnectError) || error.isLasting) return false;
  return error.proxyStatus === undefined || TRANSIENT_STATUSES.has(error.proxyStatus);
}

/**
 * Connects, and connects again: each turn of a loop gets a connection that is open, and has it closed when the turn ends,
 * however it does. Where no connection can be opened it waits and tries again, unless that cannot help: then it throws. After a
 * connection that the peer or the network has ended it waits as well, unless that had lasted as long as the wait.
 *
 * Cancellation: safe. The connection of the turn is closed.
 *
 * @throws {@link ConnectError} or {@link HandshakeError} if it is not worth trying again
 * @throws {@link ConnectionClosedError} if the last of `attempts` did open a connection, and it did not last
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
  checks.count("attempts", attempts, 1);
  checks.function("isTransient", isWorthIt);
  checks.function("onRetry", onRetry);
  if (typeof backoff !== "function") throw badArgument("backoff", backoff, "a function like exponential()");
  parseTarget(uri);
  const settled = settleConnect(others);
  return connections(
    uri,
    others,
    new Attempts({ attempts: attempts ?? Infinity, backoff, isWorthIt, onRetry, trace: settled.connection.trace, uri }),
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
    const openedAt = now();
    let wasOpen = true;
    try {
      yield connection;
      wasOpen = connection.state === "open";
    } finally {
      await connection.close();
    }
    // Whoever ends a turn by himself decides how fast he goes on.
    if (wasOpen) attempts.succeeded();
    else await waitAfter(connection, attempts, now() - openedAt);
  }
}

async function waitAfter(connection: Connection, attempts: Attempts, openMs: number): Promise<void> {
  const closed = await connection.waitClosed();
  const hasHeard = connection.statistics().messagesReceived > 0;
  const delayMs = attempts.delayAfterEnd(closed, { openMs, hasHeard });
  if (delayMs > 0) await sleep(delayMs);
}
