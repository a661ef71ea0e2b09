// Asking an error what it is.

import { TaskGroupError } from "../errors.ts";
import { cancellationOf, currentScopeNode, isCancellationOf, type Scope } from "../lowlevel.ts";

/**
 * Whether `error` says that the work in progress was cancelled: the current scope or one around it. Such an error must
 * be let through. False for the cancellation of another task, and for a timeout.
 *
 * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#trio.Cancelled}
 *
 * @example
 * ```ts
 * import { isCancelled, moveOnAfter, sleep } from "meanwhile";
 *
 * await moveOnAfter(50, async () => {
 *   try {
 *     await sleep(60_000);
 *   } catch (error) {
 *     console.log(isCancelled(error)); //> true
 *     throw error;
 *   }
 * });
 * ```
 */
export function isCancelled(error: unknown): boolean {
  const cancellation = cancellationOf(error);
  if (cancellation === null) return false;
  const current = currentScopeNode();
  // The second: one inside was cancelled first, and this one before the error had left that, so it was not absorbed there.
  return liesWithin(current, cancellation.scope) || isCancellationOf(current, error);
}

/** Whether `scope` is `region` or lies below it. */
export function liesWithin(scope: Scope, region: object | undefined): boolean {
  for (let around: Scope | null = scope; around !== null; around = around.parent) if (around === region) return true;
  return false;
}

/** Throws `error` on if {@link isCancelled} is true for it. The first line of a `catch` that handles everything else. */
export function rethrowIfCancelled(error: unknown): void {
  if (isCancelled(error)) throw error;
}

/**
 * The only error inside a `TaskGroupError`, at any depth; anything else is returned as it is.
 *
 * @example
 * ```ts
 * import { taskGroup, unwrapSingle } from "meanwhile";
 *
 * try {
 *   await taskGroup(() => JSON.parse("{"));
 * } catch (error) {
 *   console.log(unwrapSingle(error) instanceof SyntaxError); //> true
 * }
 * ```
 */
export function unwrapSingle(error: unknown): unknown {
  let inner = error;
  while (inner instanceof TaskGroupError && inner.errors.length === 1) inner = inner.errors[0];
  return inner;
}
