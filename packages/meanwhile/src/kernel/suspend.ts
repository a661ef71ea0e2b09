// The suspension point. Everything in this package that waits, waits through a Waiter.
//
//   waiting ──wake() | fail()──▶ settled
//      └──────interrupt()──────▶ settled, unless the abort function asks to go on waiting
//
// The fast path is one native promise and one small object. The promise is resolved with a value, or, for an error,
// with a second promise that makes the error when the waiting code resumes: only there V8 knows the async stack of
// the code that waits. Closures around the await, or a second `then` on the promise, would cut that stack.

import type { Bucket, DeadlineEntry } from "../clock/deadlines.ts";
import { CancelledError, type Cancellation } from "../errors.ts";
import { showInstancesAs } from "../util/inspect.ts";
import { currentScopeNode } from "./current.ts";
import { instruments } from "./instruments.ts";
import type { RemoteJob } from "./remote-job.ts";
import type { Scope, ScopeMember } from "./scope.ts";
import type { Task } from "./task.ts";
import { refused } from "./turn.ts";

/**
 * Undoes a registration when the wait is cancelled: afterwards nobody may wake the waiter. It runs in the stack of
 * the canceller and must neither wait nor throw. Returning `"wait"` says that the wait cannot end now: it goes on, and
 * whoever was to wake it still must; a scope further out that is cancelled later asks again.
 */
export type Abort = () => void | "wait";

/** What a wait is for: shown in dumps and used to find wait cycles. */
export interface WaitTarget {
  /** Short text, like `Lock.acquire`; with the waiter, about this one wait. */
  describe(waiter?: Waiter<never>): string;
  /** The tasks that could end the wait, where that is known. */
  holders?(): Iterable<Task<unknown>>;
  /** True for a wait on something that is not meanwhile's: real I/O, a promise. A mock clock does not jump over it. */
  readonly foreign?: boolean;
  /**
   * Asks what has become of it where it goes on: in a thread, another process, another machine. Absent for what goes on here.
   * Called only when somebody looks at the wait, never by the wait; it may answer never, and what it says is not trusted.
   *
   * Cancellation: safe. It is asked outside of all scopes, and nothing ends by it.
   */
  remote?(): Promise<RemoteJob>;
  /** @internal Where the code runs whose end is waited for, if that is what is waited for. */
  readonly scope?: Scope | undefined;
}

/** A suspended piece of code. Ends once, by the first of `wake`, `fail` and the cancellation of its scope. */
export class Waiter<T> implements ScopeMember, DeadlineEntry {
  /** The scope that can cancel the wait. Invariant: null exactly if it has ended; then #resolve has been called. */
  scope: Scope | null = null;
  /** The member before this one in the scope. */
  previous: ScopeMember | null = null;
  /** The member after this one in the scope. */
  next: ScopeMember | null = null;
  /** Where its deadline waits, if it has one. */
  bucket: Bucket | null = null;
  /** Its place there. */
  slot = 0;
  /** How the wait is taken back; null if there is nothing to undo. */
  abort: Abort | null = null;
  /** What is waited for. */
  readonly target: WaitTarget;
  readonly #resolve: (value: T | PromiseLike<T>) => void;

  /** @internal */
  constructor(scope: Scope, target: WaitTarget, resolve: (value: T | PromiseLike<T>) => void) {
    this.target = target;
    this.#resolve = resolve;
    scope.add(this);
  }

  /** Whether the wait has ended. */
  get settled(): boolean {
    return this.scope === null;
  }

  /** Ends the wait with a value. False if it had ended: the value was not taken. */
  wake(value: T): boolean {
    const { scope } = this;
    if (scope === null) return false;
    leave(this, scope);
    const { director } = scope.runner;
    if (director === null) this.#resolve(value);
    else director.resume(scope, () => this.#resolve(value));
    return true;
  }

  /** Ends the wait with an error. False if it had ended. */
  fail(error: unknown): boolean {
    return this.failWith(() => error);
  }

  /** Like `fail`, with an error that is made when the waiting code resumes. */
  failWith(makeError: () => unknown): boolean {
    const { scope } = this;
    if (scope === null) return false;
    leave(this, scope);
    const { director } = scope.runner;
    if (director === null) this.#resolve(rejectLater(makeError));
    else director.resume(scope, () => this.#resolve(rejectLater(makeError)));
    return true;
  }

  /** The deadline this waiter was registered for has come. */
  due(): void {
    this.wake(undefined as T);
  }

  /** The scope that holds this wait was cancelled, or one around it that it can see. */
  interrupt(): void {
    const scope = this.scope as Scope;
    if (this.abort !== null && this.abort() === "wait") return;
    // The outermost cancellation may change until the error is made; it is read then.
    this.failWith(() => cancelledIn(scope));
  }
}

// Not a private method: V8 keeps a word in each instance of a class that has one.
function leave(waiter: Waiter<never>, scope: Scope): void {
  // Told first: afterwards the waiter no longer knows whose it was.
  if (instruments.active !== null) instruments.active.resumed(waiter);
  if (waiter.bucket !== null) scope.runner.deadlines.remove(waiter);
  scope.remove(waiter);
}

showInstancesAs(Waiter.prototype, (waiter) =>
  waiter.settled ? "Waiter (settled)" : `Waiter for ${waiter.target.describe(waiter)}`,
);

const READY: Promise<undefined> = Promise.resolve(undefined);
const nothing = (): undefined => undefined;

/** A promise that throws an error of its own making where whoever awaits it resumes. */
// Two steps: the waiter's promise attaches itself in the first, so the rejection of the second never is unhandled.
export function rejectLater(makeError: () => unknown): Promise<never> {
  return READY.then(nothing).then(() => {
    throw makeError();
  });
}

// One function for all promises: an executor closure for each would cost memory while the wait lasts.
let resolveOfNewest: (value: never) => void;
function takeResolve(resolve: (value: never) => void): void {
  resolveOfNewest = resolve;
}

/** The promise of the newest wait, while an instrument listens: what is awaited right after its making cancels itself. */
export let newestSuspension: Promise<unknown> | null = null;

/** A promise that ends when the waiter does. */
export interface Suspension<T> {
  /** What the suspended code awaits. */
  readonly promise: Promise<T>;
  /** What ends the wait. */
  readonly waiter: Waiter<T>;
}

/** Makes a waiter in a scope that is not cancelled, without registering it anywhere. */
export function suspension<T>(scope: Scope, target: WaitTarget): Suspension<T> {
  const promise = new Promise<T>(takeResolve as never);
  const waiter = new Waiter<T>(scope, target, resolveOfNewest as never);
  if (instruments.active !== null) {
    newestSuspension = promise;
    instruments.active.suspended(waiter);
  }
  return { promise, waiter };
}

/**
 * Suspends the current code until the waiter is woken, failed or cancelled. The one way to wait.
 *
 * Cancellation: safe. On entry nothing is registered; while waiting the abort function that `register` returned is called.
 * A value given to `wake` before the cancellation is delivered.
 *
 * @param register - hands the waiter to whoever will wake it; returns how to take it back
 * @param target - what is waited for
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
 * @see {@link https://trio.readthedocs.io/en/stable/reference-lowlevel.html#trio.lowlevel.wait_task_rescheduled}
 *
 * @example An event that can be set once
 * ```ts
 * import { suspend, type Waiter } from "meanwhile/lowlevel";
 *
 * const waiting = new Set<Waiter<void>>();
 *
 * function whenOpen(): Promise<void> {
 *   return suspend((waiter) => {
 *     waiting.add(waiter);
 *     return () => { waiting.delete(waiter); };
 *   });
 * }
 *
 * function open(): void {
 *   for (const waiter of waiting) waiter.wake();
 *   waiting.clear();
 * }
 *
 * setTimeout(open, 1);
 * await whenOpen();
 * ```
 */
export function suspend<T>(
  register: (waiter: Waiter<T>) => Abort | undefined,
  target: WaitTarget = UNKNOWN_TARGET,
): Promise<T> {
  const scope = currentScopeNode();
  const cancelled = refusal(scope);
  if (cancelled !== null) return refused(scope.runner, cancelled);
  const { promise, waiter } = suspension<T>(scope, target);
  try {
    const abort = register(waiter);
    if (abort !== undefined) waiter.abort = abort;
  } catch (error) {
    waiter.fail(error);
  }
  return promise;
}

const UNKNOWN_TARGET: WaitTarget = { describe: () => "suspend()" };

/** Suspends until someone wakes the waiter; cancellation does not interrupt it. For owners that join what they own. */
export function suspendUninterrupted<T>(register: (waiter: Waiter<T>) => void, target: WaitTarget): Promise<T> {
  const { promise, waiter } = suspension<T>(currentScopeNode(), target);
  waiter.abort = goOn;
  register(waiter);
  return promise;
}

function goOn(): "wait" {
  return "wait";
}

/** Lets `waiter` be woken without a value when the clock of its run reaches `deadline`. */
export function wakeAt(waiter: Waiter<void>, deadline: number): void {
  waiter.scope?.runner.deadlines.add(waiter, deadline);
}

/** What a checkpoint of code in the scope throws; null if the code may go on. */
export function refusal(scope: Scope): Error | null {
  return injectedError(scope) ?? (scope.effective === null ? null : cancelledIn(scope));
}

/** Tells everybody who listens of a checkpoint; returns the error that a test wants to be thrown there. */
export function injectedError(scope: Scope): Error | undefined {
  if (instruments.active !== null) instruments.active.checkpoint(scope);
  return scope.runner.director?.checkpoint(scope);
}

/** Makes the error for code in a scope that is cancelled. Call it in the code that is to see the error. */
export function cancelledIn(scope: Scope): CancelledError {
  const cancellation = scope.effective as Cancellation;
  const { task } = scope;
  if (task !== null && cancellation.scope !== task.sawCancellationOf) task.sawCancellationOf = cancellation.scope;
  return new CancelledError(cancellation);
}
