// What a pool says when it has no connection to give.

import { ConnectError, type ConnectionHolder, PoolTimeoutError, PostgresError } from "./errors.ts";
import { shortened } from "./statement-text.ts";

const MOST_NAMED = 5;

/** A pool that is closed gives nothing. */
export function poolClosed(): PostgresError {
  return new PostgresError("MW_ERR_PG_CLOSED", "Cannot acquire a connection: the pool is closed; make another one");
}

/** No connection came free in time. Names who has them. */
export function poolTimeout(
  timeoutMs: number,
  { maxSize, opening }: { readonly maxSize: number; readonly opening: number },
  holders: readonly ConnectionHolder[],
): PoolTimeoutError {
  const others = opening > 0 ? [`${opening} ${opening === 1 ? "is" : "are"} being opened`] : [];
  const held = holders.length === 0 ? [] : [`held ${named(holders)}`];
  const who = [...held, ...others].join("; ") || "they are being closed";
  const what = `none of ${maxSize} came free within ${timeoutMs} ms, ${who}`;
  return new PoolTimeoutError(`${what}; give connections back sooner, or raise 'maxSize'`, holders);
}

/** The server had no room for a further connection, and none of those there are came free in time. */
export function noRoom(timeoutMs: number, holders: readonly ConnectionHolder[], cause: ConnectError): PoolTimeoutError {
  const who = holders.length === 0 ? "" : `, held ${named(holders)}`;
  const what = `the server has no room for another one, and none came free within ${timeoutMs} ms${who}`;
  const advice = "give connections back sooner, lower 'maxSize' of the pools, or raise 'max_connections' of the server";
  return new PoolTimeoutError(`${what}; ${advice}`, holders, { cause });
}

/** There was room for a connection, but it was not opened in time. */
export function openingTimeout(timeoutMs: number, holders: readonly ConnectionHolder[]): PoolTimeoutError {
  const what = `a new one was not open within ${timeoutMs} ms`;
  return new PoolTimeoutError(`${what}; look whether the server can be reached, or allow more time`, holders);
}

/**
 * An error of the pool as one has it who waits: with his stack. One of a hook of the user keeps its own, which says where
 * it was thrown.
 */
export function asSeenFromHere(error: unknown): unknown {
  if (error instanceof ConnectError) Error.captureStackTrace(error, asSeenFromHere);
  return error;
}

function named(holders: readonly ConnectionHolder[]): string {
  const more = holders.length > MOST_NAMED ? [`and ${holders.length - MOST_NAMED} more`] : [];
  return [...holders.slice(0, MOST_NAMED).map(describe), ...more].join("; ");
}

function describe({ heldMs, acquiredAt, statement }: ConnectionHolder): string {
  const since = `for ${heldMs} ms by ${acquiredAt}`;
  return statement === undefined ? since : `${since}: ${shortened(statement, 80)}`;
}
