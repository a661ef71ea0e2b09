// Tells an object that outlives its calls when the scope they were made in has ended.

import type { Scope, ScopeMember } from "../lowlevel.ts";

/** A member of a scope that only waits for its end. */
export class Leash implements ScopeMember {
  scope: Scope | null = null;
  previous: ScopeMember | null = null;
  next: ScopeMember | null = null;
  readonly scopeEnded: () => void;

  constructor(scope: Scope, scopeEnded: () => void) {
    this.scopeEnded = scopeEnded;
    scope.add(this);
  }

  /** Nothing to do: the jobs hang below the same scope, and are told themselves. */
  interrupt(): void {}

  release(): void {
    this.scope?.remove(this);
  }
}
