// What instrumented code changes about scopes, bodies and jobs: for programs without any, one comparison with null each.

import type { Scope } from "./scope.ts";

interface FrameHooks {
  /** When all instrumented code in a scope has ended; null if it has. */
  untilLeft(scope: Scope): Promise<void> | null;
  /**
   * How a body or a job is called: one that is a plain function in instrumented code, like `() => fetch(url)`, so that the
   * wait for what it returns can be interrupted. Null for any other.
   */
  callerFor(given: unknown): (<T>(body: () => T | PromiseLike<T>) => Promise<T>) | null;
  /** See {@link asCaller}. */
  asCaller<T>(go: () => T): () => T;
}

/** Null without instrumented code. */
export const frameHooks: { active: FrameHooks | null } = { active: null };

/**
 * What the end of a scope's code has to wait for; null for nothing. The promise it has returned may be that of a
 * combinator, which walks away from the rest; once the scope is cancelled, all of it cleans up first.
 */
export function untilLeft(scope: Scope): Promise<void> | null {
  return frameHooks.active === null || scope.effective === null ? null : frameHooks.active.untilLeft(scope);
}

/**
 * What a call of ours does after it has waited: what that begins belongs to the function that runs now, which has made the
 * call, and not to nobody.
 */
export function asCaller<T>(go: () => T): () => T {
  return frameHooks.active === null ? go : frameHooks.active.asCaller(go);
}
