// Checkpoints: where cancellation is delivered and the event loop gets its turn.

import { currentScopeNode } from "./current.ts";
import { refusal, suspension, type Waiter, type WaitTarget } from "./suspend.ts";
import { forgetTurn, mustTurn, refused, turnIsOver } from "./turn.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { setImmediate } = globalThis;

// Those who gave way, in order; woken together by one immediate.
let givingWay: Waiter<void>[] = [];

const DONE: Promise<void> = Promise.resolve();
const NEXT_TURN: WaitTarget = { describe: () => "the next turn of the event loop", foreign: true };

/**
 * Throws if the current scope is cancelled; otherwise does nothing.
 *
 * Cancellation: safe. This is where synchronous code can look for it.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED`
 *
 * @example Stop a long computation when its scope is cancelled
 * ```ts
 * import { throwIfCancelled } from "meanwhile/lowlevel";
 *
 * function sum(numbers: readonly number[]): number {
 *   let total = 0;
 *   for (const number of numbers) {
 *     throwIfCancelled();
 *     total += number;
 *   }
 *   return total;
 * }
 * console.log(sum([1, 2, 3])); //> 6
 * ```
 */
export function throwIfCancelled(): void {
  const error = refusal(currentScopeNode());
  if (error !== null) throw error;
}

/**
 * Lets cancellation in, and the event loop run if this turn has lasted 5 ms. Call it in loops that compute.
 *
 * Cancellation: safe. It throws on entry, and again if it had to give way; it has no other effect.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled
 * @see {@link https://trio.readthedocs.io/en/stable/reference-lowlevel.html#trio.lowlevel.checkpoint}
 *
 * @example
 * ```ts
 * import { checkpoint } from "meanwhile";
 *
 * let total = 0;
 * for (let i = 0; i < 100_000; i++) {
 *   total += i;
 *   if (i % 1_000 === 0) await checkpoint();
 * }
 * console.log(total); //> 4999950000
 * ```
 */
export function checkpoint(): Promise<void> {
  const scope = currentScopeNode();
  const error = refusal(scope);
  if (error !== null) return refused(scope.runner, error);
  return turnIsOver(scope.runner) ? giveWay() : DONE;
}

/**
 * The entry of every call that waits: throws if the scope is cancelled, and gives the event loop its turn if this one is
 * over. Null where nothing has to be awaited, which is nearly always; so a fast path costs no promise.
 *
 * Cancellation: safe. It throws on entry, and again if it had to give way; it has no other effect.
 *
 * @example A call that is a checkpoint although it never waits
 * ```ts
 * import { enterCheckpoint } from "meanwhile/lowlevel";
 *
 * let count = 0;
 *
 * async function increment(): Promise<number> {
 *   const turn = enterCheckpoint();
 *   if (turn !== null) await turn;
 *   count += 1;
 *   return count;
 * }
 * console.log(await increment()); //> 1
 * ```
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled, before or after the turn
 */
export function enterCheckpoint(): Promise<void> | null {
  const scope = currentScopeNode();
  const error = refusal(scope);
  if (error === null) return turnIsOver(scope.runner) ? giveWay() : null;
  if (mustTurn(scope.runner)) return refused(scope.runner, error);
  throw error;
}

/**
 * Gives the event loop a turn, budget or not.
 *
 * Cancellation: safe. It throws on entry, and again after the turn; it has no other effect.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled
 */
export function giveWay(): Promise<void> {
  const scope = currentScopeNode();
  const error = refusal(scope);
  if (error !== null) return refused(scope.runner, error);
  const { promise, waiter } = suspension<void>(scope, NEXT_TURN);
  if (givingWay.length === 0) setImmediate(nextTurn);
  givingWay.push(waiter);
  return promise;
}

function nextTurn(): void {
  forgetTurn();
  const waiters = givingWay;
  givingWay = [];
  // A loop that is always busy reaches its timers late: what is due must cancel the waiters before they resume.
  for (const waiter of waiters) waiter.scope?.runner.deadlines.expireIfDue();
  for (const waiter of waiters) waiter.wake();
}
