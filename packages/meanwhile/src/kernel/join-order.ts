// Who ends first? In a cancelled scope a wait for a task or a coroutine in that scope goes on until that one has ended,
// so that cleanup runs from the inside out. Among those that wait for each other in a circle, one must not.

import { Scope } from "./scope.ts";
import { Waiter } from "./suspend.ts";

// Scopes that lead into no circle, found since a wait was last added to the graph: waits that end close no circle. It
// makes cancelling a long chain of tasks, each of which awaits the one before, linear.
let endsByItself: WeakSet<Scope> | null = null;

/** Has to be called when somebody begins to wait for the end of code, and when a task moves: new circles may be closed. */
export function joinsHaveChanged(): void {
  endsByItself = null;
}

/** Whether code in `scope`, which is cancelled, has to wait for the end of the code in `region` before it can go on. */
export function endsBefore(region: Scope, scope: Scope): boolean {
  return scope.outermostCancelled.contains(region) && !waitsFor(region, scope);
}

interface Step {
  readonly scope: Scope;
  /** What it leads to and was not looked at yet. */
  readonly ahead: Scope[];
}

// Depth first, and not recursive: the chains may be longer than the stack is deep.
function waitsFor(region: Scope, scope: Scope): boolean {
  const known = (endsByItself ??= new WeakSet());
  const seen = new Set<Scope>();
  const onPath = new Set<Scope>();
  const path: Step[] = [];
  const enter = (next: Scope): void => {
    seen.add(next);
    onPath.add(next);
    path.push({ scope: next, ahead: leadsTo(next) });
  };
  let foundCircle = false;
  enter(region);
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const next = step.ahead.pop();
    if (next === undefined) {
      path.pop();
      onPath.delete(step.scope);
      if (!foundCircle) known.add(step.scope);
    } else if (next === scope) return true;
    else if (onPath.has(next)) foundCircle = true;
    else if (!seen.has(next) && !known.has(next)) enter(next);
  }
  return false;
}

/** The scopes in which code has to end before that in `scope` can: those below it, and those whose end is awaited. */
function leadsTo(scope: Scope): Scope[] {
  const found: Scope[] = [];
  for (const member of scope.members()) {
    if (member instanceof Scope) found.push(member);
    // Every other wait ends by the cancellation.
    else if (member instanceof Waiter && member.target.scope instanceof Scope) found.push(member.target.scope);
  }
  return found;
}
