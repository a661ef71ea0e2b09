// Scopes that are left in the wrong order: looked for in debug mode.

import { warn } from "../errors.ts";
import { Scope } from "./scope.ts";
import { Waiter } from "./suspend.ts";
import type { TaskNode } from "./task.ts";

/**
 * In debug mode: the code in a scope that ends may have begun something that it did not await. What that still holds
 * open is left in the wrong order: from here on it belongs to the scope around, whose deadline and cancellation it gets.
 */
export function reportLeftOpen(scope: Scope): void {
  const inside = innerScopes(scope);
  const waits = [scope, ...inside].flatMap(waitsDirectlyIn);
  // A scope without waits is held by an object, like the iterator of `map`, which looks after it.
  if (inside.length === 0 || waits.length === 0) return;
  const { name } = scope.task as TaskNode; // debug mode is a matter of runs, where all code is in a task
  warn(
    "MW_WARN_SCOPE_LEFT_OPEN",
    `A scope of task "${name}" was left while inside it ${inside.map(kindOf).join(" and ")} was still open, which waits for ${waits.join(" and ")}; write await before each timeout, taskGroup, gather and the like, so that the inner one ends first`,
  );
}

/** The open scopes inside, at any depth, that the same code has made: not those of other tasks. */
function innerScopes(scope: Scope): Scope[] {
  const found = [scope];
  for (const around of found) {
    for (const member of around.members()) {
      if (member instanceof Scope && member.task?.scope !== member) found.push(member);
    }
  }
  return found.slice(1);
}

function waitsDirectlyIn(scope: Scope): string[] {
  return scope.members().flatMap((member) => (member instanceof Waiter ? [member.target.describe(member)] : []));
}

function kindOf({ shielded, deadline }: Scope): string {
  if (shielded) return "a shield";
  return deadline === Infinity ? "a scope" : "a timeout";
}
