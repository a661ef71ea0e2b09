// Which scope the running code is in. The only file that touches AsyncLocalStorage.
//
// The store is a scope; the task, the run and the clock hang on it. It is entered for the time of a callback only, by
// `run` or inside `runInAsyncScope`: entered any other way it leaks into the caller of an async function.

import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

import { UsageError } from "../errors.ts";
import { outsideRunner } from "./runner.ts";
import type { Scope } from "./scope.ts";

const storage: AsyncLocalStorage<Scope> = new AsyncLocalStorage<Scope>();

/** The innermost live scope of the running code; outside of everything, the scope that is never cancelled. */
export function currentScopeNode(): Scope {
  let scope = storage.getStore() ?? outsideRunner.root;
  // Code can outlive its scope (a promise that nobody awaited): it then belongs to the scope around it.
  while (scope.closed && scope.parent !== null) scope = scope.parent;
  return scope;
}

/** The scope the running code was entered with, live or not. */
export function enteredScope(): Scope | undefined {
  return storage.getStore();
}

/** Runs `callback(argument)` inside the scope, and everything it starts. */
export function runInScope<A, R>(scope: Scope, callback: (argument: A) => R, argument: A): R {
  return storage.run(scope, callback, argument);
}

/** Calls a body so that a lazy thenable it returns is started in the context of the call. */
export async function callBody<T>(body: () => T | PromiseLike<T>): Promise<T> {
  return await body();
}

/** Returns a function that runs callbacks in today's context, whatever the context is when it is called. */
export function captureContext(): <R>(callback: () => R) => R {
  const context = new CapturedContext();
  return (callback) => context.run(callback);
}

/**
 * Today's context, to run callbacks in and to start tasks from.
 *
 * A task costs one new context this way, and two with {@link runInScope}, which makes another one to go back to: a third
 * of the time of a short task (row `map` of `bench/`).
 */
export class CapturedContext {
  readonly #resource = new AsyncResource("meanwhile.CapturedContext");

  /** Runs a callback in the captured context. */
  run<R>(callback: () => R): R {
    return this.#resource.runInAsyncScope(callback);
  }

  /** Runs `callback(argument)` in the captured context, but inside the scope. */
  runInScope<A, R>(scope: Scope, callback: (argument: A) => R, argument: A): R {
    return this.#resource.runInAsyncScope(enterAndCall<A, R>, undefined, scope, callback, argument);
  }
}

function enterAndCall<A, R>(scope: Scope, callback: (argument: A) => R, argument: A): R {
  storage.enterWith(scope);
  return callback(argument);
}

const COPY: unique symbol = Symbol.for("meanwhile.kernel") as never;
const registry = globalThis as { [COPY]?: string };

/**
 * Notes where the kernel was loaded from. Two copies would be two notions of the current task: cancellation would stop
 * at the border unseen.
 */
export function refuseSecondCopy(url: string): void {
  const here = url.replace(/[?#].*$/, "");
  const first = (registry[COPY] ??= here);
  if (first === here) return;
  throw new UsageError(
    "MW_ERR_TWO_COPIES",
    `Cannot load meanwhile twice: ${first} and ${here}; install one version, as a dependency of the program`,
  );
}

refuseSecondCopy(import.meta.url);
