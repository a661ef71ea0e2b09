// Tries a job again when it fails, as a policy says.

import { UsageError } from "../errors.ts";
import {
  type Job,
  cancellationOf,
  checkJob,
  currentScopeNode,
  enterCheckpoint,
  isCoroutine,
  type SignalOption,
} from "../lowlevel.ts";
import { now, sleep } from "../time/sleep.ts";
import { timeout } from "../time/timeouts.ts";
import { show } from "../util/show.ts";
import { type Backoff, exponential } from "./backoff.ts";

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
  /** Called before each wait. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
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

/**
 * Runs a job until it succeeds, as often as the policy allows, and returns its value. The last error is thrown as it
 * is, with the number of attempts as its property `attempts`. A number `retryAfterMs` on an error is a floor for the
 * next wait.
 *
 * Cancellation: ends the attempt or the wait; it is never retried.
 *
 * @param job - a function; a coroutine runs once, so it can be given only with `attempts: 1`
 * @throws the error of the last attempt
 * @throws {@link TimeoutError} `MW_ERR_TIMEOUT` if `totalMs` has passed during an attempt
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, or by the policy's `signal`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad job or policy
 * @see {@link https://tenacity.readthedocs.io/en/latest/}
 *
 * @example
 * ```ts
 * import { fixed, retry } from "meanwhile";
 *
 * let tries = 0;
 * const value = await retry(
 *   async () => {
 *     tries += 1;
 *     return JSON.parse(tries < 3 ? "{" : '"done"');
 *   },
 *   { attempts: 5, backoff: fixed(1) },
 * );
 * console.log(value, tries); //> done 3
 * ```
 */
export async function retry<T>(job: Job<T>, policy: RetryPolicy = {}): Promise<T> {
  checkJob(job, "retry");
  if (isCoroutine(job)) job.handOver();
  const { totalMs = Infinity, signal } = policy;
  const attempts = checkPolicy(policy);
  if (isCoroutine(job) && attempts !== 1) {
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot retry the coroutine "${job.name}": it runs only once; pass a function that makes a new one`,
    );
  }
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  if (totalMs === Infinity && signal === undefined) return runAttempts(job, attempts, policy, Infinity);
  return timeout(totalMs, (scope) => runAttempts(job, attempts, policy, scope.deadline), { signal });
}

/**
 * Wraps a function so that each call is retried by the policy. The function may be sync or async; the wrapper is async.
 *
 * Cancellation: as in `retry`.
 *
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad function or policy
 *
 * @example
 * ```ts
 * import { fixed, retrying } from "meanwhile";
 *
 * let tries = 0;
 * const parse = retrying((text: string) => JSON.parse(tries++ === 0 ? "{" : text), { backoff: fixed(1) });
 * console.log(await parse("42")); //> 42
 * ```
 */
export function retrying<This, Args extends unknown[], R>(
  fn: (this: This, ...args: Args) => R | PromiseLike<R>,
  policy: RetryPolicy = {},
): (this: This, ...args: Args) => Promise<R> {
  checkJob(fn, "retrying");
  checkPolicy(policy);
  const retried = function (this: This, ...args: Args): Promise<R> {
    return retry(() => fn.apply(this, args), policy);
  };
  Object.defineProperty(retried, "name", { value: fn.name, configurable: true });
  return retried;
}

async function runAttempts<T>(job: Job<T>, attempts: number, policy: RetryPolicy, deadline: number): Promise<T> {
  const { backoff = exponential(), onRetry } = policy;
  let attempt = 1;
  let outcome = await runAttempt(job, policy.attemptTimeoutMs);
  while (outcome.kind === "failed") {
    const { error } = outcome;
    if (attempt === attempts || !(await shouldRetry(error, attempt, policy))) throw withAttempts(error, attempt);
    const delayMs = Math.max(checkDelay(backoff(attempt, error)), retryAfterOf(error));
    if (now() + delayMs >= deadline) throw withAttempts(error, attempt);
    onRetry?.({ error, attempt, delayMs });
    await sleep(delayMs);
    attempt += 1;
    outcome = await runAttempt(job, policy.attemptTimeoutMs);
  }
  return outcome.value;
}

function checkDelay(delayMs: unknown): number {
  if (typeof delayMs === "number" && delayMs >= 0) return delayMs;
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot retry: 'backoff' gave ${show(delayMs)}; return milliseconds >= 0`,
  );
}

type Outcome<T> = { readonly kind: "value"; readonly value: T } | { readonly kind: "failed"; readonly error: unknown };

async function runAttempt<T>(job: Job<T>, timeoutMs: number | undefined): Promise<Outcome<T>> {
  const call = (): T | PromiseLike<T> => (typeof job === "function" ? job() : job);
  try {
    return { kind: "value", value: await (timeoutMs === undefined ? call() : timeout(timeoutMs, call)) };
  } catch (error) {
    return { kind: "failed", error };
  }
}

async function shouldRetry(error: unknown, attempt: number, policy: RetryPolicy): Promise<boolean> {
  // In a cancelled scope there is no next attempt: an error of the cleanup is the last one.
  if (cancellationOf(error) !== null || currentScopeNode().effective !== null) return false;
  if (policy.when !== undefined) return policy.when(error, attempt);
  return !(error instanceof UsageError);
}

function retryAfterOf(error: unknown): number {
  const hint = typeof error === "object" && error !== null && "retryAfterMs" in error ? error.retryAfterMs : 0;
  return typeof hint === "number" && hint > 0 ? hint : 0;
}

function withAttempts(error: unknown, attempts: number): unknown {
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

/** Checks the numbers of a policy and returns how often to try. */
function checkPolicy(policy: RetryPolicy): number {
  const { attempts = 3, attemptTimeoutMs, totalMs } = policy;
  if (!(attempts === Infinity || (Number.isInteger(attempts) && attempts >= 1))) {
    throw badPolicy("attempts", attempts, "an integer >= 1, or Infinity");
  }
  for (const [name, value] of Object.entries({ attemptTimeoutMs, totalMs })) {
    if (value !== undefined && !(value >= 0)) throw badPolicy(name, value, "milliseconds >= 0");
  }
  return attempts;
}

function badPolicy(name: string, value: unknown, wanted: string): UsageError {
  return new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot retry: '${name}' is ${show(value)}; pass ${wanted}`);
}
