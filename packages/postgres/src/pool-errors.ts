// What a pool says when it has no connection to give.

import { type ConnectionHolder, PoolTimeoutError, PostgresError } from "./errors.ts";

const MOST_NAMED = 5;

/** A pool that is closed gives nothing. */
export function poolClosed(): PostgresError {
  return new PostgresError("MW_ERR_PG_CLOSED", "Cannot acquire a connection: the pool is closed; make another one");
}

/** No connection came free in time. Names who has them. */
export function poolTimeout(timeoutMs: number, size: number, holders: readonly ConnectionHolder[]): PoolTimeoutError {
  const named = holders.slice(0, MOST_NAMED).map(describe);
  const more = holders.length > MOST_NAMED ? [`and ${holders.length - MOST_NAMED} more`] : [];
  const who = named.length === 0 ? "they are being opened" : `held ${[...named, ...more].join("; ")}`;
  const what = `none of ${size} came free within ${timeoutMs} ms, ${who}`;
  return new PoolTimeoutError(`${what}; give connections back sooner, or raise 'maxSize'`, holders);
}

/** There was room for a connection, but it was not opened in time. */
export function openingTimeout(timeoutMs: number, holders: readonly ConnectionHolder[]): PoolTimeoutError {
  const what = `a new one was not open within ${timeoutMs} ms`;
  return new PoolTimeoutError(`${what}; look whether the server can be reached, or allow more time`, holders);
}

function describe({ heldMs, acquiredAt, statement }: ConnectionHolder): string {
  const since = `for ${heldMs} ms by ${acquiredAt}`;
  return statement === undefined
    ? since
    : `${since}: ${statement.length > 80 ? `${statement.slice(0, 80)}…` : statement}`;
}
