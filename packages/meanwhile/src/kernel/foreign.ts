// The border to plain promises and AbortSignals. The only file that touches AbortSignal.
//
// A signal is made for one foreign call, or once for a scope that asks for one, and always detached: the runtime
// itself is not built on signals, whose listeners are slow and leak silently.

import { UsageError } from "../errors.ts";
import { generatorError, isGeneratorFunction } from "../util/generators.ts";
import { show } from "../util/show.ts";
import { cancellationOf } from "./cancellation.ts";
import { giveWay } from "./checkpoint.ts";
import { currentScopeNode } from "./current.ts";
import { asCaller } from "./frame-hooks.ts";
import type { Scope, ScopeMember } from "./scope.ts";
import { cancelledIn, suspend, type Waiter, type WaitTarget } from "./suspend.ts";
import { turnIsOver } from "./turn.ts";

/** Cancels `scope` when the signal is aborted, and calls `onAborted`. Returns how to detach. */
export function linkSignal(scope: Scope, signal: AbortSignal | undefined, onAborted: () => void = nothing): () => void {
  if (signal === undefined) return nothing;
  if (!(signal instanceof AbortSignal)) {
    scope.close();
    throw new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot use ${show(signal)} as 'signal'; pass an AbortSignal`);
  }
  const abort = (): void => {
    onAborted();
    if (scope.own !== null || scope.closed) return;
    const origin = {};
    Error.captureStackTrace(origin, abort);
    scope.cancelAs({ scope, reason: signal.reason, by: "signal", origin });
  };
  if (signal.aborted) {
    abort();
    return nothing;
  }
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}

function nothing(): void {}

// Makes a scope's cancellation visible to foreign code.
class SignalMember implements ScopeMember {
  scope: Scope | null = null;
  previous: ScopeMember | null = null;
  next: ScopeMember | null = null;
  readonly controller: AbortController = new AbortController();

  interrupt(): void {
    const scope = this.scope as Scope;
    scope.remove(this);
    this.controller.abort(cancelledIn(scope));
  }

  /** Not handed to the scope around: there the signals of all short scopes inside it would pile up. */
  scopeEnded(): void {}
}

const signalsOfScopes = new WeakMap<Scope, AbortSignal>();

/**
 * An `AbortSignal` that is aborted when the current scope is cancelled, for foreign code that takes one; once the scope
 * has been left it is never aborted. Prefer `cancellable((signal) => …)`, which also waits until the foreign code has
 * stopped.
 *
 * The abort reason is a `CancelledError`; foreign errors made of it count as our cancellation.
 *
 * @see {@link https://dom.spec.whatwg.org/#interface-AbortSignal}
 *
 * @example
 * ```ts
 * import { currentSignal, isCancelled, moveOnAfter } from "meanwhile";
 * import { setTimeout as wait } from "node:timers/promises";
 *
 * const result = await moveOnAfter(50, () => wait(10_000, "late", { signal: currentSignal() }));
 * console.log(result, isCancelled(result)); //> undefined false
 * ```
 */
export function currentSignal(): AbortSignal {
  const scope = currentScopeNode();
  const known = signalsOfScopes.get(scope);
  if (known !== undefined) return known;
  const member = new SignalMember();
  if (scope.effective === null) scope.add(member);
  else member.controller.abort(cancelledIn(scope));
  const { signal } = member.controller;
  signalsOfScopes.set(scope, signal);
  return signal;
}

const FOREIGN_PROMISE: WaitTarget = { describe: () => "a promise given to cancellable()", foreign: true };
const FOREIGN_CALL: WaitTarget = { describe: () => "foreign work under cancellable((signal) => …)", foreign: true };

/**
 * Waits for something that is not meanwhile's, as a checkpoint.
 *
 * Given a promise, a cancellation ends the wait at once; the work goes on and its late result is dropped. Given a
 * function, it gets an `AbortSignal` that is aborted on cancellation, and the wait ends when the work has stopped.
 *
 * Cancellation: loses the late value of a promise. With a function nothing is lost: what arrives in spite of the abort is
 * delivered.
 *
 * @param work - a promise, or a function that takes a signal and returns one
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `work` is neither
 *
 * @example
 * ```ts
 * import { cancellable } from "meanwhile";
 * import { setTimeout as wait } from "node:timers/promises";
 *
 * console.log(await cancellable(Promise.resolve("as a promise"))); //> as a promise
 * console.log(await cancellable((signal) => wait(1, "with a signal", { signal }))); //> with a signal
 * ```
 */
export function cancellable<T>(work: PromiseLike<T> | ((signal: AbortSignal) => T | PromiseLike<T>)): Promise<T> {
  if (typeof work === "function" && isGeneratorFunction(work)) {
    return Promise.reject(generatorError(work, "wait for", ""));
  }
  if (typeof work === "function")
    return isTurnOver() ? giveWay().then(asCaller(() => callCancellable(work))) : callCancellable(work);
  if (typeof work?.then !== "function") {
    return Promise.reject(
      new UsageError(
        "MW_ERR_INVALID_ARGUMENT",
        `Cannot wait for ${show(work)}; pass a promise, or a function that takes an AbortSignal and returns one`,
      ),
    );
  }
  // Subscribed before the entry check: a promise that was handed over must never be an unhandled rejection.
  return cancellableAs(Promise.resolve(work), FOREIGN_PROMISE);
}

/**
 * Waits for a promise like {@link cancellable}, under a name of the caller's own: what it is that the promise stands for.
 *
 * Cancellation: loses the late value.
 */
export function cancellableAs<T>(promise: Promise<T>, target: WaitTarget): Promise<T> {
  waitersOn(promise);
  return isTurnOver() ? giveWay().then(asCaller(() => waitFor(promise, target))) : waitFor(promise, target);
}

function isTurnOver(): boolean {
  return turnIsOver(currentScopeNode().runner);
}

function waitFor<T>(promise: Promise<T>, target: WaitTarget): Promise<T> {
  return suspend<T>((waiter) => {
    const waiters = waitersOn(promise);
    waiters.add(waiter);
    return () => void waiters.delete(waiter);
  }, target);
}

const waitersByPromise = new WeakMap<Promise<unknown>, Set<Waiter<never>>>();

/**
 * Those who wait for the promise, whose rejection is handled from now on. A subscription cannot be taken back: there is
 * one for each promise, so that one that lives long does not remember everybody who ever waited for it.
 */
export function waitersOn<T>(promise: Promise<T>): Set<Waiter<T>> {
  const known = waitersByPromise.get(promise);
  if (known !== undefined) return known as Set<Waiter<T>>;
  const waiters = new Set<Waiter<T>>();
  waitersByPromise.set(promise, waiters);
  promise.then(
    (value) => {
      waitersByPromise.delete(promise);
      for (const waiter of waiters) waiter.wake(value);
    },
    (error) => {
      waitersByPromise.delete(promise);
      for (const waiter of waiters) waiter.fail(error);
    },
  );
  return waiters;
}

function callCancellable<T>(work: (signal: AbortSignal) => T | PromiseLike<T>): Promise<T> {
  return suspend<T>((waiter) => {
    const controller = new AbortController();
    // Set before the call: the work itself may cancel the scope.
    waiter.abort = () => {
      controller.abort(cancelledIn(waiter.scope as Scope));
      return "wait";
    };
    Promise.resolve(work(controller.signal)).then(
      (value) => waiter.wake(value),
      (error) => {
        const scope = waiter.scope as Scope;
        waiter.failWith(() => outcomeOf(error, scope, controller.signal));
      },
    );
    return undefined;
  }, FOREIGN_CALL);
}

/** An error that is our abort coming back, in whatever shape, is our cancellation; any other is thrown as it is. */
function outcomeOf(error: unknown, scope: Scope, { aborted, reason }: AbortSignal): unknown {
  if (!aborted || (error !== reason && cancellationOf(error) !== cancellationOf(reason))) return error;
  // A wait that nobody awaited may come back after the cancelled scope has been left.
  return scope.effective === null ? reason : cancelledIn(scope);
}
