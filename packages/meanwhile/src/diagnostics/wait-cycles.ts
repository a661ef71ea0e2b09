// Circles of tasks each of which waits for the next one: among the given ones, and those that they lead to.

import { type TaskNode, waitsOf } from "../lowlevel.ts";

const { performance } = globalThis;

/** The circles, each as the ids of its tasks, as many as are found until then; every task is in one at most. */
export function findCycles(starts: readonly TaskNode[], until: number): number[][] {
  const cycles: number[][] = [];
  const seen = new Set<TaskNode>();
  for (const start of starts) {
    // The program has other things to do.
    if (performance.now() > until) break;
    const cycle = cycleFrom(start, seen);
    if (cycle !== null) cycles.push(cycle.map(({ id }) => id));
  }
  return cycles;
}

// Depth first. A task that was seen and is not on the path leads into no circle.
function cycleFrom(start: TaskNode, seen: Set<TaskNode>): TaskNode[] | null {
  const path: Array<{ readonly task: TaskNode; readonly ahead: TaskNode[] }> = [];
  const enter = (task: TaskNode): void => {
    if (seen.has(task)) return;
    seen.add(task);
    path.push({ task, ahead: holdersOf(task) });
  };
  enter(start);
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const next = step.ahead.pop();
    const at = path.findIndex(({ task }) => task === next);
    if (at !== -1) return path.slice(at).map(({ task }) => task);
    if (next === undefined) path.pop();
    else enter(next);
  }
  return null;
}

/** Who could end the waits of a task, the first one last. */
function holdersOf(task: TaskNode): TaskNode[] {
  const holders = waitsOf(task).flatMap(({ target }) => {
    try {
      return [...(target.holders?.() ?? [])];
    } catch {
      return []; // it is the program's
    }
  });
  return (holders as TaskNode[]).filter(({ done }) => !done).toReversed();
}
