// Running a body inside a scope of its own: the one place where a cancellation is absorbed.

import { type Cancellation, UsageError } from "../errors.ts";
import { checkOptions } from "../util/arguments.ts";
import { generatorError, isGeneratorFunction } from "../util/generators.ts";
import { show } from "../util/show.ts";
import { unwrapCancellation } from "./cancellation.ts";
import type { SignalOption } from "./children.ts";
import { callBody, runInScope } from "./context.ts";
import { disown, isCoroutine } from "./coroutine.ts";
import { currentScopeNode } from "./current.ts";
import { linkSignal } from "./foreign.ts";
import { frameHooks, untilLeft } from "./frame-hooks.ts";
import { reportLeftOpen } from "./left-open.ts";
import { type CancelScope, Scope } from "./scope.ts";
import { TaskNode } from "./task.ts";

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
  | {
      readonly kind: "absorbed";
      readonly by: Cancellation["by"];
      readonly error: unknown;
      /** What was waited for when the scope was cancelled, if that is known. */
      readonly waits?: string | undefined;
    };

/**
 * Runs `body` in a new scope below the current one, in the current task, and waits for what it returns.
 *
 * Cancellation: reaches the body. Nothing is checked before, so it always starts. A cancellation of the new scope is
 * absorbed and reported as the ending; one from outside is thrown on. With both, the outermost wins.
 *
 * @throws whatever `body` throws, except the cancellation of the new scope
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `body` is not a function
 */
export async function enterScope<T>(
  body: (scope: CancelScope) => T | PromiseLike<T>,
  { deadline = Infinity, shielded = false, signal }: ScopeOptions = {},
): Promise<ScopeEnding<T>> {
  checkBody(body);
  const parent = currentScopeNode();
  const scope = new Scope(parent, parent.runner, parent.task, shielded);
  const unlink = linkSignal(scope, signal);
  if (deadline !== Infinity) scope.deadline = deadline;
  let ending: ScopeEnding<T>;
  try {
    ending = { kind: "value", value: await runBody(scope, body) };
  } catch (thrown) {
    const error = scope.effective === null ? thrown : unwrapCancellation(thrown);
    if (!scope.absorbs(error)) throw error;
    const { by, waits } = scope.own as Cancellation;
    ending = { kind: "absorbed", by, error, waits };
  } finally {
    unlink();
    if (scope.runner.debug) reportLeftOpen(scope);
    scope.close();
  }
  return ending;
}

// Two steps only with instrumented code: another async function would cost each scope a promise and three turns.
function runBody<T>(scope: Scope, body: (scope: CancelScope) => T | PromiseLike<T>): Promise<T> {
  const ended = runInScope(scope, frameHooks.active?.callerFor(body) ?? callBody<T>, () => body(scope));
  return frameHooks.active === null ? ended : endedAndLeft(scope, ended);
}

async function endedAndLeft<T>(scope: Scope, ended: Promise<T>): Promise<T> {
  try {
    return await ended;
  } finally {
    await untilLeft(scope);
  }
}

/** Rejects what is not a body; most often that is the promise of work that has begun before the scope could hold it. */
export function checkBody(body: unknown): void {
  if (typeof body === "function") {
    if (isGeneratorFunction(body)) throw generatorError(body, "run", " in a scope");
    return;
  }
  disown(body);
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot run ${showJob(body)} in a scope; pass a function that starts the work, like () => fetchData()`,
  );
}

/** What was given in place of a job or a task, for errors. */
export function showJob(given: unknown): string {
  if (isCoroutine(given)) return `the coroutine "${given.name}"`;
  if (given instanceof TaskNode) return `the task "${given.name}"`;
  return given instanceof Promise ? "a promise" : show(given);
}

/**
 * Runs `body` in a scope that it, or anybody it gives the scope to, can cancel. Returns what the body returns, or
 * `undefined` if the scope's cancellation ended it; `scope.cancelled` tells the two apart.
 *
 * Cancellation: reaches the body. One from outside passes through untouched.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the given `signal` is aborted
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `body` is not a function
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
  checkBody(body);
  checkOptions("cancelScope", options);
  const ending = await enterScope(body, { signal: options.signal });
  if (ending.kind === "value") return ending.value;
  if (ending.by === "signal") throw ending.error;
  return undefined;
}
