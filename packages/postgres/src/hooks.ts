// Functions of the user that get a connection, and must not keep it for ever.

import { cancellable, isCancelled, now, shield } from "meanwhile";
import { enterScope } from "meanwhile/lowlevel";

import type { Connection } from "./connection.ts";
import { type ConnectionHolder, PoolTimeoutError } from "./errors.ts";

/** A function of the user that gets a connection. */
export type Hook = (connection: Connection) => unknown;

/** How much longer one that is cancelled is waited for. */
const GRACE_MS = 500;

/**
 * Calls a hook and waits for its end. One that does not end when it is cancelled is left behind: the connection it has must be
 * taken from it then.
 *
 * Cancellation: reaches the hook. It has half a second to end.
 */
export async function callHook(hook: Hook, connection: Connection): Promise<void> {
  const called = hook(connection);
  if (typeof called !== "object" || called === null || !("then" in called)) return;
  const ended = Promise.resolve(called);
  try {
    await cancellable(ended);
  } catch (error) {
    if (isCancelled(error)) await shield(() => cancellable(ended), { timeoutMs: GRACE_MS }).catch(nothing);
    throw error;
  }
}

/**
 * Lets `setup` run for as long as one may wait for a connection.
 *
 * Cancellation: reaches the hook.
 *
 * @throws {@link PoolTimeoutError} `MW_ERR_PG_POOL_TIMEOUT`
 */
export async function setUp(
  timeoutMs: number,
  call: () => Promise<void>,
  holders: () => ReadonlyArray<ConnectionHolder>,
): Promise<void> {
  const ending = await enterScope(call, { deadline: now() + timeoutMs });
  if (ending.kind === "value") return;
  const what = `'setup' has not ended within ${timeoutMs} ms; do less in it, or allow more time`;
  throw new PoolTimeoutError(what, holders());
}

function nothing(): void {}
