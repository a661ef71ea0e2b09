// A lazy awaitable: an async function that was called but starts when it is first awaited, like Python's coroutines.
//
//   fresh ──then() or handed to an owner──▶ started
//     └────collected, or its run ended────▶ reported, once
//
// A plain thenable: a native subclass of Promise would start too early or never.

import { TaskCancelledError, UsageError } from "../errors.ts";
import { generatorError, isGeneratorFunction } from "../util/generators.ts";
import { showInstancesAs } from "../util/inspect.ts";
import { show } from "../util/show.ts";
import { cancellationOf } from "./cancellation.ts";
import { currentScopeNode } from "./current.ts";
import { endsBefore, joinsHaveChanged } from "./join-order.ts";
import { type CreationTicket, openTicket, settleTicket, watchTicket } from "./never-awaited.ts";
import type { Scope } from "./scope.ts";
import { cancelledIn, suspend, type Waiter, type WaitTarget } from "./suspend.ts";
import type { Task } from "./task.ts";

/**
 * A call that starts when it is first awaited. It runs once, in the task of whoever awaits it first; awaiting it again
 * gives the same result. Typed as a promise so that linters report one that is forgotten.
 */
export interface Coroutine<T> extends Promise<T> {
  /** The name of the function. */
  readonly name: string;
}

/** The kernel's side of a {@link Coroutine}. */
export class CoroutineNode<T> implements Coroutine<T>, WaitTarget {
  readonly [Symbol.toStringTag] = "Coroutine";
  readonly ticket: CreationTicket;
  // Invariant: exactly one of #call and #promise is null.
  #call: (() => T | PromiseLike<T>) | null;
  #promise: Promise<T> | null = null;
  // The scope that cancels the running call; null before the start.
  #startedIn: Scope | null = null;
  // Those who await the running call from elsewhere; null while nobody did.
  #joiners: Set<Waiter<T>> | null = null;

  constructor(call: () => T | PromiseLike<T>, ticket: CreationTicket) {
    this.#call = call;
    this.ticket = ticket;
    watchTicket(this);
  }

  get name(): string {
    return this.ticket.name;
  }

  /** Somebody took it over and will start it: it no longer counts as forgotten. */
  handOver(): void {
    settleTicket(this.ticket);
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const scope = currentScopeNode();
    const promise = this.#promise ?? this.#start(scope);
    const startedIn = this.#startedIn as Scope;
    // Awaited where it was started: cancellation reaches it from the inside, as in a plain call.
    const awaited = scope === startedIn ? promise : this.#joinFrom(promise, startedIn);
    return awaited.then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(null, onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.then().finally(onFinally);
  }

  #start(scope: Scope): Promise<T> {
    const call = this.#call as () => T | PromiseLike<T>;
    this.#call = null;
    this.#startedIn = scope;
    settleTicket(this.ticket);
    this.#promise = callNow(call);
    return this.#promise;
  }

  // Like awaiting a task: the waiter can leave, the call goes on, and its cancellation is not the waiter's.
  #joinFrom(promise: Promise<T>, startedIn: Scope): Promise<T> {
    const joiners = (this.#joiners ??= this.#openJoiners(promise));
    joinsHaveChanged();
    return suspend<T>((waiter) => {
      joiners.add(waiter);
      return () => {
        if (endsBefore(startedIn, waiter.scope as Scope)) return "wait";
        joiners.delete(waiter);
        return undefined;
      };
    }, this);
  }

  // One subscription for all: a call that lasts does not remember those who have left.
  #openJoiners(promise: Promise<T>): Set<Waiter<T>> {
    const joiners = new Set<Waiter<T>>();
    promise.then(
      (value) => {
        this.#joiners = null;
        for (const waiter of joiners) waiter.wake(value);
      },
      (error) => {
        this.#joiners = null;
        for (const waiter of joiners) {
          const scope = waiter.scope as Scope;
          waiter.failWith(() => this.#seenFrom(scope, error));
        }
      },
    );
    return joiners;
  }

  #seenFrom(scope: Scope, error: unknown): unknown {
    if (cancellationOf(error) === null) return error;
    return scope.effective === null ? new TaskCancelledError(`coroutine "${this.name}"`, error) : cancelledIn(scope);
  }

  describe(): string {
    return `coroutine "${this.name}"`;
  }

  /** Whether it was awaited, or started by its owner. */
  get started(): boolean {
    return this.#call === null;
  }

  /** The scope the call runs in, once it has started. */
  get scope(): Scope {
    return this.#startedIn as Scope;
  }

  /** The task it was started in, if it was started in one. */
  holders(): Iterable<Task<unknown>> {
    const { task } = this.#startedIn as Scope;
    return task === null ? [] : [task];
  }
}

showInstancesAs(
  CoroutineNode.prototype,
  (call) => `Coroutine "${call.name}" (${call.started ? "started" : "not started"})`,
);

// Not an async function: a promise returned as it is keeps the async stack whole and costs no turns.
function callNow<T>(call: () => T | PromiseLike<T>): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Whether a value is a coroutine of ours. */
export function isCoroutine(value: unknown): value is CoroutineNode<unknown> {
  return value instanceof CoroutineNode;
}

/**
 * Says that something that was handed over is refused: it must be neither an unhandled rejection nor a forgotten
 * coroutine beside the error that says so.
 */
export function disown(refused: unknown): void {
  if (refused instanceof Promise) refused.catch(() => {});
  if (isCoroutine(refused)) refused.handOver();
}

/**
 * Makes an async function lazy: a call returns a {@link Coroutine}, which starts when it is awaited or given to
 * `gather`, `createTask` and the like. One that is never started is reported by the warning `MW_WARN_NEVER_AWAITED`,
 * with the line of the call.
 *
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `fn` is not a function
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#coroutines}
 *
 * @example
 * ```ts
 * import { coroutine } from "meanwhile";
 *
 * const greet = coroutine(async (name: string) => `Hello, ${name}`);
 * const greeting = greet("Ada"); // nothing has run yet
 * console.log(await greeting); //> Hello, Ada
 * ```
 */
export function coroutine<This, Args extends unknown[], R>(
  fn: (this: This, ...args: Args) => R | PromiseLike<R>,
): (this: This, ...args: Args) => Coroutine<R> {
  if (typeof fn !== "function") {
    disown(fn);
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot make a coroutine function of ${show(fn)}; pass an async function, not the result of calling it`,
    );
  }
  if (isGeneratorFunction(fn)) throw generatorError(fn, "make a coroutine function of", "");
  const name = fn.name === "" ? "anonymous" : fn.name;
  function create(this: This, ...args: Args): Coroutine<R> {
    return new CoroutineNode<R>(() => fn.apply(this, args), openTicket(name, create));
  }
  Object.defineProperty(create, "name", { value: fn.name, configurable: true });
  Object.defineProperty(create, "length", { value: fn.length, configurable: true });
  return create;
}
