// When and how often to try again: what a policy may say, and what it says after a failed attempt.

import { UsageError } from "../errors.ts";
import { cancellationOf, type SignalOption } from "../lowlevel.ts";
import { badArgument, checkOptions } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import type { Backoff } from "./backoff.ts";

/** When and how often to try again. */
export interface RetryPolicy extends SignalOption {
  /** How often to try in all; an integer >= 1, or `Infinity`. Default: 3. */
  readonly attempts?: number | undefined;
  /** How long to wait before the next attempt. Default: `exponential()`. */
  readonly backoff?: Backoff | undefined;
  /** Whether this error is worth another attempt. Default: every error but a cancellation and a `UsageError`. */
  readonly when?: ((error: unknown, attempt: number) => boolean | PromiseLike<boolean>) | undefined;
  /** Milliseconds after which one attempt ends with `TimeoutError`, which counts as its failure. Default: none. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Milliseconds for all attempts and waits; a wait that would pass it is not begun. Default: none. */
  readonly totalMs?: number | undefined;
  /** Called before each wait. What it returns is waited for; what it throws ends it all. */
  readonly onRetry?: ((event: RetryEvent) => unknown) | undefined;
}

/** A failed attempt that will be repeated. */
export interface RetryEvent {
  /** What the attempt threw. */
  readonly error: unknown;
  /** The number of the failed attempt; 1 for the first. */
  readonly attempt: number;
  /** How long the wait before the next attempt will be. */
  readonly delayMs: number;
}

/** How long to wait after the failed attempt: what the policy says, but no less than the error asks for. */
export function delayOf(backoff: Backoff, attempt: number, error: unknown): number {
  const delayMs: unknown = backoff(attempt, error);
  if (typeof delayMs === "number" && delayMs >= 0) return Math.max(delayMs, retryAfterOf(error));
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot retry: 'backoff' gave ${show(delayMs)}; return milliseconds >= 0`,
    { cause: error },
  );
}

function retryAfterOf(error: unknown): number {
  const hint = typeof error === "object" && error !== null && "retryAfterMs" in error ? error.retryAfterMs : 0;
  return typeof hint === "number" && hint > 0 ? hint : 0;
}

/** The error, with the number of attempts that were made; a cancellation as it is. */
export function withAttempts(error: unknown, attempts: number): unknown {
  if (error instanceof Error && cancellationOf(error) === null) {
    // Unlike Object.defineProperty, this leaves a frozen error as it is.
    Reflect.defineProperty(error, "attempts", {
      value: attempts,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return error;
}

/** Checks a policy, before anything is tried. */
export function checkPolicy(policy: RetryPolicy): void {
  checkOptions("retry", policy, "{ attempts: 5 }");
  const { attempts = 3, attemptTimeoutMs = 0, totalMs = 0, backoff, when, onRetry } = policy;
  if (!(attempts === Infinity || (Number.isInteger(attempts) && attempts >= 1))) {
    throw badArgument("retry", "attempts", attempts, "an integer >= 1, or Infinity");
  }
  for (const [name, value] of Object.entries({ attemptTimeoutMs, totalMs })) {
    if (!(typeof value === "number" && value >= 0)) throw badArgument("retry", name, value, "milliseconds >= 0");
  }
  for (const [name, value] of Object.entries({ backoff, when, onRetry })) {
    if (value !== undefined && typeof value !== "function") throw badArgument("retry", name, value, WANTED[name] ?? "");
  }
}

const WANTED: Readonly<Record<string, string>> = {
  backoff: "a function that returns milliseconds, like fixed(100)",
  when: "a function of the error that tells whether to try again",
  onRetry: "a function of { error, attempt, delayMs }",
};
