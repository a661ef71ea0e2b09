// For what must not be broken off half way: a commit, a rollback.

import { now } from "meanwhile";
import { type CancelScope, currentScopeNode, enterScope, type Scope, type ScopeMember } from "meanwhile/lowlevel";

/** Sits in the scope of the caller, and bounds the work in the shield when that scope is cancelled. */
class Bound implements ScopeMember {
  scope: Scope | null = null;
  previous: ScopeMember | null = null;
  next: ScopeMember | null = null;
  readonly #graceMs: number;
  readonly #shielded: CancelScope;

  constructor(shielded: CancelScope, graceMs: number) {
    this.#shielded = shielded;
    this.#graceMs = graceMs;
  }

  interrupt(): void {
    if (this.#shielded.deadline === Infinity) this.#shielded.deadline = now() + this.#graceMs;
  }
}

/** How it ended: with a value, or not in time. */
export type Insistence<T> = { readonly isDone: true; readonly value: T } | { readonly isDone: false };

/**
 * Runs `work` in the task of the caller. A cancellation does not interrupt it: it has `graceMs` more from then on, and all
 * the time it needs without one.
 */
export async function insist<T>(graceMs: number, work: () => Promise<T>): Promise<Insistence<T>> {
  const outer = currentScopeNode();
  let bound: Bound | null = null;
  try {
    const ending = await enterScope(
      (scope) => {
        bound = new Bound(scope, graceMs);
        if (outer.effective === null) outer.add(bound);
        else bound.interrupt();
        return work();
      },
      { shielded: true },
    );
    return ending.kind === "value" ? { isDone: true, value: ending.value } : { isDone: false };
  } finally {
    const { scope } = (bound ?? { scope: null }) as { scope: Scope | null };
    if (bound !== null) scope?.remove(bound);
  }
}
