// Waiting for time to pass, on the clock of the run.

import { currentScopeNode, giveWay, keepAlive, suspend, type Waiter, type WaitTarget, wakeAt } from "../lowlevel.ts";
import { badArgument, isTime } from "../util/arguments.ts";

const SLEEP = waitForTime("sleep");
const FOREVER: WaitTarget = { describe: () => "sleepForever" };

/**
 * The current time of the run's clock in milliseconds. Monotonic; only differences mean something. Outside of a run,
 * and on the system clock, the scale is that of `performance.now()`.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.time}
 */
export function now(): number {
  return currentScopeNode().runner.clock.now();
}

/**
 * Suspends the current code for at least `ms` milliseconds. `sleep(0)` gives the event loop one turn; `Infinity` sleeps
 * for ever. The system clock wakes in steps of 1 ms.
 *
 * Cancellation: safe. It ends the sleep at once.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the sleep
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `ms` is not a number, or is NaN
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.sleep}
 *
 * @example
 * ```ts
 * import { gather, sleep } from "meanwhile";
 *
 * const started = performance.now();
 * await gather([() => sleep(100), () => sleep(100), () => sleep(100)]);
 * console.log(performance.now() - started < 250); //> true
 * ```
 */
export function sleep(ms: number): Promise<void> {
  return sleepFor(ms, SLEEP);
}

/** A sleep that is called something else where one looks at what tasks wait for. */
export function sleepFor(ms: number, target: WaitTarget): Promise<void> {
  if (!isTime(ms)) return Promise.reject(badArgument("sleep", "ms", ms, "milliseconds"));
  if (ms <= 0) return giveWay();
  return ms === Infinity ? sleepForever() : sleepToDeadline(now() + ms, target);
}

/** What is waited for when time has to pass, under a name. */
export function waitForTime(name: string): WaitTarget {
  return {
    describe: (waiter) => {
      const at = waiter?.bucket?.at;
      const clock = waiter?.scope?.runner.clock;
      return at === undefined || clock === undefined
        ? name
        : `${name} (${Math.max(0, Math.ceil(at - clock.now()))} ms left)`;
    },
  };
}

/**
 * Suspends the current code until the run's clock, as told by `now()`, has reached `deadline`. One that has passed
 * gives the event loop one turn.
 *
 * Cancellation: safe. It ends the sleep at once.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the sleep
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `deadline` is not a number, or is NaN
 * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#trio.sleep_until}
 */
export function sleepUntil(deadline: number): Promise<void> {
  if (!isTime(deadline)) {
    return Promise.reject(badArgument("sleepUntil", "deadline", deadline, "a time on the scale of now()"));
  }
  if (deadline === Infinity) return sleepForever();
  return deadline <= now() ? giveWay() : sleepToDeadline(deadline);
}

/**
 * Suspends the current code until it is cancelled. Keeps the process alive, and is no deadlock.
 *
 * Cancellation: safe. It is the only way out.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` when the scope is cancelled
 * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#trio.sleep_forever}
 */
export function sleepForever(): Promise<never> {
  return suspend<never>(() => {
    const held = keepAlive();
    return () => held[Symbol.dispose]();
  }, FOREVER);
}

function sleepToDeadline(deadline: number, target: WaitTarget = SLEEP): Promise<void> {
  return suspend<void>((waiter: Waiter<void>) => {
    wakeAt(waiter, deadline);
    return undefined;
  }, target);
}
