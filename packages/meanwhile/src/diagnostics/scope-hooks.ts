// Cancellations, and the scopes that code opens: the writer's side.

import type { Instrument, Scope } from "../lowlevel.ts";
import { depthOf, tasksReached } from "./facts.ts";
import type { RecorderParts } from "./recorder-parts.ts";
import { beginChange, endChange, EVENT_KIND, FLAG, TASK } from "./shared-memory.ts";

const CANCELLERS = { call: 1, deadline: 2, signal: 3 } as const;

/** The hooks for scopes. `mark` notes that the code of the task in a row is cancelled. */
export function scopeHooks(parts: RecorderParts, mark: (row: number, now: number) => void): Instrument {
  const { memory, clock, tasks, writeEvent } = parts;
  const { taskWords, taskNumbers } = memory;

  function scopeCancelled(scope: Scope): void {
    const now = clock.now();
    beginChange(memory);
    const { task } = scope;
    const isWhole = task !== null && task.scope === scope;
    for (const reached of tasksReached(scope)) {
      const row = tasks.find(reached.id);
      if (row !== -1) mark(row, now);
    }
    const by = CANCELLERS[scope.own?.by ?? "call"];
    writeEvent?.(now, EVENT_KIND.cancelled, task?.id ?? 0, by, isWhole ? 1 : 0, 0);
    endChange(memory);
  }

  function unmark(row: number): void {
    if (row === -1) return;
    taskWords[row * TASK.words + TASK.flags]! &= ~FLAG.cancelled;
    taskNumbers[row * TASK.numbers + TASK.cancelledAt] = 0;
  }

  function scopeChanged(scope: Scope, kind: number): void {
    const { task } = scope;
    // The scope of a task that is being made has no task that knows it yet.
    if (writeEvent === null || task === null || task.scope === undefined || task.scope === scope) return;
    beginChange(memory);
    writeEvent(clock.now(), kind, task.id, depthOf(scope), 0, 0);
    endChange(memory);
  }

  function scopeClosed(scope: Scope): void {
    const { task, own } = scope;
    if (own !== null && task !== null && task.scope !== scope && task.scope.effective === null) {
      beginChange(memory);
      unmark(tasks.find(task.id));
      endChange(memory);
    }
    if (writeEvent !== null) scopeChanged(scope, EVENT_KIND.scopeClosed);
  }

  // Only what the level needs: who does not listen costs nothing.
  if (writeEvent === null) return { scopeCancelled, scopeClosed };
  return { scopeCancelled, scopeClosed, scopeOpened: (scope) => scopeChanged(scope, EVENT_KIND.scopeOpened) };
}
