// Hook points for clocks, diagnostics and tests. With nobody listening each costs one comparison with null.

import type { Scope } from "./scope.ts";
import type { Waiter } from "./suspend.ts";
import type { TaskNode } from "./task.ts";

/** What can be listened to. A hook must not throw, must not wait, and must not change what it is shown. */
export interface Instrument {
  /** A task was made; it has not started. */
  taskCreated?(task: TaskNode): void;
  /** A task has ended; its owner has not been told yet. */
  taskEnded?(task: TaskNode): void;
  /** A wait begins. */
  suspended?(waiter: Waiter<never>): void;
  /** A wait has ended, in whatever way; the code that waited runs in a later microtask. */
  resumed?(waiter: Waiter<never>): void;
  /** Code has opened a scope. Also every task has one, opened by whoever creates it. */
  scopeOpened?(scope: Scope): void;
  /** A scope that was opened is left. */
  scopeClosed?(scope: Scope): void;
  /** A scope was cancelled; what waits in it has not been told yet. */
  scopeCancelled?(scope: Scope): void;
  /** Code in the scope is at a checkpoint: it looks for cancellation next. */
  checkpoint?(scope: Scope): void;
}

interface Instruments {
  /** The listeners; null exactly if there are none. */
  active: Required<Instrument> | null;
}

/** What looks at the runtime from outside. */
export const instruments: Instruments = { active: null };

const listeners = new Set<Instrument>();

/** Starts telling `instrument` what happens; disposing the result stops it. */
export function addInstrument(instrument: Instrument): Disposable {
  listeners.add(instrument);
  rebuild();
  return {
    [Symbol.dispose](): void {
      listeners.delete(instrument);
      rebuild();
    },
  };
}

function rebuild(): void {
  const all = [...listeners];
  instruments.active =
    all.length === 0
      ? null
      : {
          taskCreated: hooksOf(all, "taskCreated"),
          taskEnded: hooksOf(all, "taskEnded"),
          suspended: hooksOf(all, "suspended"),
          resumed: hooksOf(all, "resumed"),
          scopeOpened: hooksOf(all, "scopeOpened"),
          scopeClosed: hooksOf(all, "scopeClosed"),
          scopeCancelled: hooksOf(all, "scopeCancelled"),
          checkpoint: hooksOf(all, "checkpoint"),
        };
}

// The call of each hook by its name: with the name as a variable the call would cost several times as much.
const callers: { readonly [Name in keyof Instrument]-?: (one: Instrument) => Required<Instrument>[Name] } = {
  taskCreated: (one) => (task) => one.taskCreated?.(task),
  taskEnded: (one) => (task) => one.taskEnded?.(task),
  suspended: (one) => (waiter) => one.suspended?.(waiter),
  resumed: (one) => (waiter) => one.resumed?.(waiter),
  scopeOpened: (one) => (scope) => one.scopeOpened?.(scope),
  scopeClosed: (one) => (scope) => one.scopeClosed?.(scope),
  scopeCancelled: (one) => (scope) => one.scopeCancelled?.(scope),
  checkpoint: (one) => (scope) => one.checkpoint?.(scope),
};

/** One function for a hook of all listeners, as direct as can be: it is called at every wait. */
function hooksOf<Name extends keyof Instrument>(all: readonly Instrument[], name: Name): Required<Instrument>[Name] {
  type Hook = (shown: never) => void;
  const hooks: Hook[] = all.filter((one) => one[name] !== undefined).map((one) => callers[name](one));
  const [first = ignore, second] = hooks;
  if (second === undefined) return first;
  if (hooks.length === 2) {
    return (shown: never) => {
      first(shown);
      second(shown);
    };
  }
  return (shown: never) => {
    for (const hook of hooks) hook(shown);
  };
}

function ignore(): void {}
