// Running a body inside a scope of its own: the one place where a cancellation is absorbed.

import type { Cancellation } from "../errors.ts";
import { unwrapCancellation } from "./cancellation.ts";
import type { SignalOption } from "./children.ts";
import { callBody, currentScopeNode, runInScope } from "./current.ts";
import { linkSignal } from "./foreign.ts";
import { type CancelScope, Scope } from "./scope.ts";

/** How a scope is made. */
export interface ScopeOptions extends SignalOption {
  /** When the scope cancels itself, on the scale of `now()`. Default: never. */
  readonly deadline?: number | undefined;
  /** Whether cancellation from outside is held back. Default: false. */
  readonly shielded?: boolean | undefined;
}

/** How the body of a scope ended: with a value, or by the scope's own cancellation. Any other error is thrown. */
export type ScopeEnding<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "absorbed"; readonly by: Cancellation["by"]; readonly error: unknown };

/**
 * Runs `body` in a new scope below the current one, in the current task, and waits for what it returns.
 *
 * Cancellation: checks nothing itself, so the body always starts. A cancellation of the new scope is absorbed and
 * reported as the ending; one from outside is thrown on. With both, the outermost wins.
 *
 * @throws whatever `body` throws, except the cancellation of the new scope
 */
export async function enterScope<T>(
  body: (scope: CancelScope) => T | PromiseLike<T>,
  { deadline = Infinity, shielded = false, signal }: ScopeOptions = {},
): Promise<ScopeEnding<T>> {
  const parent = currentScopeNode();
  const scope = new Scope(parent, parent.runner, parent.task, shielded);
  const unlink = linkSignal(scope, signal);
  if (deadline !== Infinity) scope.deadline = deadline;
  let ending: ScopeEnding<T>;
  try {
    ending = { kind: "value", value: await runInScope(scope, callBody<T>, () => body(scope)) };
  } catch (thrown) {
    const error = scope.effective === null ? thrown : unwrapCancellation(thrown);
    if (!scope.absorbs(error)) throw error;
    ending = { kind: "absorbed", by: (scope.own as Cancellation).by, error };
  } finally {
    unlink();
    scope.close();
  }
  return ending;
}

/**
 * Runs `body` in a scope that it, or anybody it gives the scope to, can cancel. Returns what the body returns, or
 * `undefined` if the scope's cancellation ended it; `scope.cancelled` tells the two apart.
 *
 * Cancellation: from outside it passes through untouched.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the given `signal` is aborted
 * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#trio.CancelScope}
 *
 * @example
 * ```ts
 * import { cancelScope, sleep } from "meanwhile";
 *
 * await cancelScope(async (scope) => {
 *   setTimeout(() => scope.cancel("enough"), 1);
 *   await sleep(60_000);
 * });
 * console.log("left early"); //> left early
 * ```
 */
export async function cancelScope<T>(
  body: (scope: CancelScope) => T | PromiseLike<T>,
  options: SignalOption = {},
): Promise<T | undefined> {
  const ending = await enterScope(body, { signal: options.signal });
  if (ending.kind === "value") return ending.value;
  if (ending.by === "signal") throw ending.error;
  return undefined;
}
