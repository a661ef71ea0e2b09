// Retries for functions that are sync and have to stay so: between two attempts the thread stands still.

import { UsageError } from "../errors.ts";
import { exponential } from "../flow/backoff.ts";
import { checkPolicy, delayOf, type RetryPolicy, withAttempts } from "../flow/retry-policy.ts";
import { besidesSync } from "../flow/suppressed.ts";
import { cancellationOf, checkJob, throwIfCancelled } from "../lowlevel.ts";
import { badArgument } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import { pauseThread, refuseToBlock } from "./blocking.ts";
import { isCancelRequested } from "./inside.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { performance } = globalThis;

// How often who pauses looks whether it should end.
const LOOK_AGAIN_MS = 50;

/** When and how often {@link retryingSync} tries again: a policy of `retry` without what only awaiting code can have. */
export interface SyncRetryPolicy extends Pick<RetryPolicy, "attempts" | "backoff" | "totalMs" | "onRetry"> {
  /** Whether this error is worth another attempt. Default: every error but a cancellation and a `UsageError`. */
  readonly when?: ((error: unknown, attempt: number) => boolean) | undefined;
}

/**
 * Wraps a sync function so that each call is retried by the policy. The wrapper is sync: between two attempts it stops the
 * thread, with everything in it. That is what scripts, sync libraries and the functions of workers can afford; wherever
 * there is an await, take `retrying` of the core.
 *
 * Inside of `run` it is refused, except in a function that a worker runs. There the wait ends when the job is cancelled.
 *
 * @throws the error of the last attempt, with the number of attempts as its property `attempts`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad function or policy, and for a function that returns a promise
 * @throws {@link WorkerError} `MW_ERR_WORKER_WOULD_BLOCK` if it is called inside of a run
 * @see {@link https://tenacity.readthedocs.io/en/latest/}
 *
 * @example
 * ```ts
 * import { fixed } from "meanwhile";
 * import { retryingSync } from "meanwhile/workers";
 *
 * let tries = 0;
 * const parse = retryingSync((text: string): number => JSON.parse(tries++ === 0 ? "{" : text), { backoff: fixed(1) });
 * console.log(parse("42")); //> 42
 * ```
 */
export function retryingSync<This, Args extends unknown[], R>(
  fn: (this: This, ...args: Args) => R,
  policy: SyncRetryPolicy = {},
): (this: This, ...args: Args) => R {
  checkJob(fn, "retryingSync");
  checkPolicy(policy);
  for (const name of ["attemptTimeoutMs", "signal"]) {
    if (!(name in policy)) continue;
    throw badArgument("retry without awaiting", name, (policy as Record<string, unknown>)[name], "it to retrying()");
  }
  const retried = function (this: This, ...args: Args): R {
    refuseToBlock(`pause between two attempts of ${show(fn)}`, "wrap it with retrying() and await it");
    return attempt(() => fn.apply(this, args), fn.name, policy);
  };
  Object.defineProperty(retried, "name", { value: fn.name, configurable: true });
  return retried;
}

function attempt<R>(call: () => R, name: string, policy: SyncRetryPolicy): R {
  const deadline = performance.now() + (policy.totalMs ?? Infinity);
  for (let number = 1; ; number++) {
    try {
      return returned(call(), name);
    } catch (error) {
      const delayMs = besidesSync(error, FAILED, () => delayAfter(error, number, policy));
      if (delayMs === null || performance.now() + delayMs >= deadline) throw withAttempts(error, number);
      besidesSync(error, FAILED, () => policy.onRetry?.({ error, attempt: number, delayMs }));
      if (!pause(delayMs)) throw withAttempts(error, number);
    }
  }
}

const FAILED = "The policy of retryingSync failed after an attempt";

function returned<R>(value: R, name: string): R {
  const isThenable = typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
  if (!isThenable) return value;
  Promise.resolve(value).catch(() => {}); // nobody will await it
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot retry ${show(name)} without awaiting: it returned a promise; wrap it with retrying() and await it`,
  );
}

/** How long to wait after the failed attempt; null if it was the last. */
function delayAfter(error: unknown, number: number, { attempts = 3, backoff, when }: SyncRetryPolicy): number | null {
  if (number === attempts || cancellationOf(error) !== null) return null;
  const isWorthIt = when === undefined ? !(error instanceof UsageError) : when(error, number);
  if (typeof isWorthIt === "object") throw badArgument("retry", "when", isWorthIt, "a function that returns a boolean");
  return isWorthIt ? delayOf(backoff ?? exponential(), number, error) : null;
}

/** Stops the thread; false if the work is to end instead. */
function pause(delayMs: number): boolean {
  const end = performance.now() + delayMs;
  for (;;) {
    throwIfCancelled();
    if (isCancelRequested()) return false;
    const left = end - performance.now();
    if (left <= 0) return true;
    pauseThread(Math.min(left, LOOK_AGAIN_MS));
  }
}
