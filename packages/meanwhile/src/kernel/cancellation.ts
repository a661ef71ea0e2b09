// Whose cancellation is an error? The answers every scope, task and user-facing check agree on.

import { CANCELLATION, type Cancellation, CancelledError } from "../errors.ts";
import type { Scope } from "./scope.ts";

/**
 * The cancellation behind an error, or null if it is an ordinary error. Recognised are `CancelledError`, the
 * `AbortError` that foreign code made of it, and composite errors all of whose leaves are one of these.
 */
export function cancellationOf(error: unknown): Cancellation | null {
  if (typeof error !== "object" || error === null) return null;
  const direct = directCancellation(error);
  if (direct !== null) return direct;
  const parts = partsOf(error);
  if (parts === null) return null;
  let found: Cancellation | null = null;
  for (const leaf of leavesOf(error)) {
    const cancellation = typeof leaf === "object" && leaf !== null ? directCancellation(leaf) : null;
    if (cancellation === null) return null;
    found ??= cancellation;
  }
  return found;
}

/** Whether `error` says that `scope`, one around it or one inside it was cancelled, and `scope` is. */
export function isCancellationOf(scope: Scope, error: unknown): boolean {
  if (scope.effective === null) return false;
  const cancellation = cancellationOf(error);
  if (cancellation === null) return false;
  const cancelled = cancellation.scope as Scope;
  return scope.contains(cancelled) || cancelled.contains(scope);
}

/**
 * What is left of an error in a cancelled scope: of a composite error made of cancellations, one of them; of one with a
 * single other error among cancellations, that error; otherwise the error as it is.
 */
export function unwrapCancellation(error: unknown): unknown {
  if (typeof error !== "object" || error === null || partsOf(error) === null) return error;
  const leaves = leavesOf(error);
  const others = leaves.filter((leaf) => cancellationOf(leaf) === null);
  if (others.length === 0) return leaves.find((leaf) => leaf instanceof CancelledError) ?? leaves[0] ?? error;
  return others.length === 1 && leaves.length > 1 ? others[0] : error;
}

function directCancellation(error: object): Cancellation | null {
  if (CANCELLATION in error) return error[CANCELLATION] as Cancellation;
  // Node wraps our abort reason: AbortError { code: 'ABORT_ERR', cause: reason }.
  if ((error as { name?: unknown }).name !== "AbortError") return null;
  const { cause } = error as { cause?: unknown };
  return typeof cause === "object" && cause !== null && CANCELLATION in cause
    ? (cause[CANCELLATION] as Cancellation)
    : null;
}

/** The errors a composite error was made of, or null if it is not one. */
function partsOf(error: object): readonly unknown[] | null {
  if (error instanceof AggregateError) return error.errors.length === 0 ? null : error.errors;
  // By name: a realm without explicit resource management has the class from a polyfill.
  if ((error as { name?: unknown }).name === "SuppressedError" && "suppressed" in error && "error" in error) {
    return [error.error, error.suppressed];
  }
  return null;
}

function leavesOf(error: object, seen: Set<unknown> = new Set()): unknown[] {
  if (seen.has(error)) return [];
  seen.add(error);
  const parts = partsOf(error);
  if (parts === null) return [error];
  return parts.flatMap((part) => (typeof part === "object" && part !== null ? leavesOf(part, seen) : [part]));
}
