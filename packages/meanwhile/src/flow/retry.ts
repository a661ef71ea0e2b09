// Tries a job again when it fails, as a policy says.

import { TimeoutError, UsageError } from "../errors.ts";
import {
  cancellationOf,
  checkJob,
  type Coroutine,
  currentScopeNode,
  enterCheckpoint,
  enterScope,
  isCoroutine,
} from "../lowlevel.ts";
import { now, sleepFor, waitForTime } from "../time/sleep.ts";
import { timeout } from "../time/timeouts.ts";
import { exponential } from "./backoff.ts";
import { checkPolicy, delayOf, type RetryPolicy, withAttempts } from "./retry-policy.ts";
import { besides } from "./suppressed.ts";

/** What {@link retry} runs: a function that gets the number of the attempt, 1 for the first; or a coroutine. */
export type RetryJob<T> = Coroutine<T> | ((attempt: number) => T | PromiseLike<T>);

/**
 * Runs a job until it succeeds, as often as the policy allows, and returns its value. The last error is thrown as it
 * is, with the number of attempts as its property `attempts`. A number `retryAfterMs` on an error is a floor for the
 * next wait. To try again because of a value, throw.
 *
 * If `when`, `backoff` or `onRetry` throws, that error is thrown, and the one of the attempt is reported by the warning
 * `MW_WARN_SUPPRESSED`, unless it is the same, or a `cause` of it.
 *
 * Cancellation: reaches the attempt, or ends the wait; it is never retried.
 *
 * @param job - a function; a coroutine runs once, so it can be given only with `attempts: 1`
 * @throws the error of the last attempt
 * @throws {@link TimeoutError} `MW_ERR_TIMEOUT` if `totalMs` has passed during an attempt, a call of the policy or a wait;
 * its `cause` is the error of the last attempt that failed, if one did
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
export async function retry<T>(job: RetryJob<T>, policy: RetryPolicy = {}): Promise<T> {
  checkJob(job, "retry");
  if (isCoroutine(job)) job.handOver();
  checkPolicy(policy);
  const { attempts = 3, totalMs = Infinity, signal } = policy;
  if (isCoroutine(job) && attempts !== 1) {
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot retry the coroutine "${job.name}": it runs only once; pass a function that makes a new one`,
    );
  }
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  const retrial = new Retrial(job, policy);
  try {
    if (totalMs === Infinity && signal === undefined) return await retrial.run(Infinity);
    return await runInTime(retrial, totalMs, signal);
  } catch (error) {
    throw withAttempts(error, retrial.attempt);
  }
}

/**
 * Wraps a function so that each call is retried by the policy. The function may be sync or async; the wrapper is async.
 * It is called with the arguments of the call; the number of the attempt is told to `backoff`, `when` and `onRetry`.
 * Where nothing can be awaited, `retryingSync` of `meanwhile/workers` makes a sync wrapper.
 *
 * Cancellation: reaches the attempt, or ends the wait, as in `retry`.
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

async function runInTime<T>(retrial: Retrial<T>, totalMs: number, signal: AbortSignal | undefined): Promise<T> {
  const ending = await enterScope((scope) => retrial.run(scope.deadline), { deadline: now() + totalMs, signal });
  if (ending.kind === "value") return ending.value;
  if (ending.by !== "deadline") throw ending.error;
  const cause = retrial.failure === null ? ending.error : retrial.failure.error;
  throw new TimeoutError(`Cannot finish in time: the retry's 'totalMs' of ${totalMs} ms has passed`, { cause });
}

// By this name diagnostics count how many attempts are repeated.
const NEXT_ATTEMPT = waitForTime("the next attempt of retry");

class Retrial<T> {
  /** The number of the attempt that is made, or was made last. */
  attempt = 0;
  /** The last attempt that has failed of itself. */
  failure: { readonly error: unknown } | null = null;
  readonly #job: RetryJob<T>;
  readonly #policy: RetryPolicy;

  constructor(job: RetryJob<T>, policy: RetryPolicy) {
    this.#job = job;
    this.#policy = policy;
  }

  /** Makes attempts until one succeeds, or must be the last. */
  async run(deadline: number): Promise<T> {
    const { onRetry } = this.#policy;
    for (;;) {
      const outcome = await this.#runOnce();
      if (outcome.kind === "value") return outcome.value;
      const { attempt } = this;
      const { error } = outcome;
      if (cancellationOf(error) === null) this.failure = outcome;
      const delayMs = await besides(error, "The policy of retry failed after an attempt", () =>
        this.#delayAfter(error),
      );
      if (delayMs === null || now() + delayMs >= deadline) throw error;
      await besides(error, "The policy of retry failed after an attempt", () => onRetry?.({ error, attempt, delayMs }));
      await sleepFor(delayMs, NEXT_ATTEMPT);
    }
  }

  async #runOnce(): Promise<Outcome<T>> {
    const attempt = ++this.attempt;
    const job = this.#job;
    const { attemptTimeoutMs } = this.#policy;
    const call = (): T | PromiseLike<T> => (typeof job === "function" ? job(attempt) : job);
    try {
      return {
        kind: "value",
        value: await (attemptTimeoutMs === undefined ? call() : timeout(attemptTimeoutMs, call)),
      };
    } catch (error) {
      return { kind: "failed", error };
    }
  }

  /** How long to wait after the failed attempt; null if it was the last. */
  async #delayAfter(error: unknown): Promise<number | null> {
    const { attempt } = this;
    const { attempts = 3, backoff = exponential() } = this.#policy;
    if (attempt === attempts || !(await shouldRetry(error, attempt, this.#policy))) return null;
    return delayOf(backoff, attempt, error);
  }
}

type Outcome<T> = { readonly kind: "value"; readonly value: T } | { readonly kind: "failed"; readonly error: unknown };

async function shouldRetry(error: unknown, attempt: number, policy: RetryPolicy): Promise<boolean> {
  // In a cancelled scope there is no next attempt: an error of the cleanup is the last one.
  if (cancellationOf(error) !== null || currentScopeNode().effective !== null) return false;
  if (policy.when !== undefined) return policy.when(error, attempt);
  return !(error instanceof UsageError);
}
