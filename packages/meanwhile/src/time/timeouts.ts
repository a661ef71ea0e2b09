// Bodies with a deadline. Each is a scope that cancels itself; they differ in what they make of that.

import { TimeoutError, type UsageError } from "../errors.ts";
import { type CancelScope, checkBody, disown, enterScope, type ScopeEnding, type SignalOption } from "../lowlevel.ts";
import { badArgument, checkOptions, isTime } from "../util/arguments.ts";
import { now } from "./sleep.ts";

/** What runs under a deadline. The scope is given so that its `deadline` can be moved. */
export type TimedBody<T> = (scope: CancelScope) => T | PromiseLike<T>;

/**
 * Runs `body` for at most `ms` milliseconds. Past that, the body's waits end with `CancelledError`; when it has cleaned
 * up, the call rejects with `TimeoutError`, which names what the body waited for. A body that returns a value all the same keeps it.
 *
 * Cancellation: reaches the body. One from outside passes through untouched: only this scope's own expiry becomes a
 * `TimeoutError`.
 *
 * @throws {@link TimeoutError} `MW_ERR_TIMEOUT` if this deadline ended the body
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, by the given `signal`, or by `scope.cancel()`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `ms` is not a number, or `body` not a function
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout}
 *
 * @example
 * ```ts
 * import { sleep, timeout, TimeoutError } from "meanwhile";
 *
 * try {
 *   await timeout(50, () => sleep(60_000));
 * } catch (error) {
 *   console.log(error instanceof TimeoutError); //> true
 * }
 * ```
 */
export async function timeout<T>(ms: number, body: TimedBody<T>, options: SignalOption = {}): Promise<T> {
  if (!isTime(ms)) throw refusing(body, ms, badArgument("set a timeout", "ms", ms, "milliseconds"));
  checkBody(body);
  checkOptions("timeout", options);
  const ending = await enterScope(body, { deadline: now() + ms, signal: options.signal });
  return valueInTime(ending, `the timeout of ${ms} ms`);
}

/**
 * Like `timeout`, with a point in time on the scale of `now()`.
 *
 * Cancellation: reaches the body. One from outside passes through untouched.
 *
 * @throws {@link TimeoutError} `MW_ERR_TIMEOUT` if this deadline ended the body
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, by the given `signal`, or by `scope.cancel()`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `deadline` is not a number, or `body` not a function
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout_at}
 */
export async function timeoutAt<T>(deadline: number, body: TimedBody<T>, options: SignalOption = {}): Promise<T> {
  if (!isTime(deadline))
    throw refusing(body, deadline, badArgument("set a timeout", "deadline", deadline, "a time on the scale of now()"));
  checkBody(body);
  checkOptions("timeoutAt", options);
  const ending = await enterScope(body, { deadline, signal: options.signal });
  return valueInTime(ending, "the deadline");
}

/**
 * Runs `body` for at most `ms` milliseconds and returns `undefined` if that was not enough.
 *
 * Cancellation: reaches the body. One from outside passes through untouched.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, or by the given `signal`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `ms` is not a number, or `body` not a function
 * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#trio.move_on_after}
 *
 * @example
 * ```ts
 * import { moveOnAfter, sleep } from "meanwhile";
 *
 * console.log(await moveOnAfter(50, () => sleep(60_000).then(() => "late"))); //> undefined
 * ```
 */
export async function moveOnAfter<T>(
  ms: number,
  body: TimedBody<T>,
  options: SignalOption = {},
): Promise<T | undefined> {
  if (!isTime(ms)) throw refusing(body, ms, badArgument("move on", "ms", ms, "milliseconds"));
  checkBody(body);
  checkOptions("moveOnAfter", options);
  const ending = await enterScope(body, { deadline: now() + ms, signal: options.signal });
  if (ending.kind === "value") return ending.value;
  if (ending.by === "signal") throw ending.error;
  return undefined;
}

/** Options of {@link shield}. */
export interface ShieldOptions extends SignalOption {
  /** The shield's own deadline in milliseconds, without which it can hold up a cancellation for ever. Default: none. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Runs `body` in the same task with cancellation from outside held back: for cleanup that has to wait. The
 * cancellation comes at the first checkpoint after the shield.
 *
 * Cancellation: reaches the body only from the given `signal`, or by the shield's own deadline, which ends in
 * `TimeoutError`. One from outside does not get in, so nothing is lost.
 *
 * @throws {@link TimeoutError} `MW_ERR_TIMEOUT` if `timeoutMs` ended the body
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the given `signal` is aborted, or by `scope.cancel()`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `timeoutMs` is not a number, or `body` not a function
 * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#trio.CancelScope.shield}
 *
 * @example
 * ```ts
 * import { moveOnAfter, shield, sleep } from "meanwhile";
 *
 * await moveOnAfter(50, async () => {
 *   try {
 *     await sleep(60_000);
 *   } finally {
 *     await shield(() => sleep(1), { timeoutMs: 1_000 });
 *     console.log("cleaned up"); //> cleaned up
 *   }
 * });
 * ```
 */
export async function shield<T>(body: TimedBody<T>, options: ShieldOptions = {}): Promise<T> {
  checkBody(body);
  checkOptions("shield", options);
  const { timeoutMs = Infinity } = options;
  if (!isTime(timeoutMs)) throw badArgument("shield", "timeoutMs", timeoutMs, "milliseconds");
  const ending = await enterScope(body, { deadline: now() + timeoutMs, shielded: true, signal: options.signal });
  return valueInTime(ending, `the shield's timeout of ${timeoutMs} ms`);
}

function valueInTime<T>(ending: ScopeEnding<T>, what: string): T {
  if (ending.kind === "value") return ending.value;
  if (ending.by !== "deadline") throw ending.error;
  const waits = ending.waits === undefined || ending.waits === "" ? "" : `; it waited for ${ending.waits}`;
  throw new TimeoutError(`Cannot finish in time: ${what} has passed${waits}`, { cause: ending.error });
}

// The order may be that of asyncio.wait_for: then it is the work that was given as the time.
function refusing(body: unknown, time: unknown, error: UsageError): UsageError {
  disown(body);
  disown(time);
  return error;
}
