// Circles of tasks each of which waits for the next one. Found from outside: the program has other things to do.

import { type SharedMemory, TARGET, TARGET_FLAG } from "../shared-memory.ts";
import { resourceId, type TaskRow, taskRows, type ToldResources } from "./state.ts";
import type { ToldTask } from "./told.ts";

/** What is known of who waits for whom. */
export interface Waiting {
  readonly memory: SharedMemory;
  readonly rows: readonly TaskRow[];
  readonly resources: ToldResources;
  /** The tasks that were asked. */
  readonly told: ReadonlyMap<number, ToldTask>;
}

/** Whether only the program can tell whom the task waits for: it has several waits, or one of a rare kind. */
export function mustBeAsked({ targets }: SharedMemory, { activity, openWaits, other, target }: TaskRow): boolean {
  if (activity !== "waiting") return false;
  if (openWaits > 1) return true;
  const flags = targets[target * TARGET.words + TARGET.flags] as number;
  const isKnown = other !== 0 || (flags & (TARGET_FLAG.resource | TARGET_FLAG.joins)) !== 0;
  return !isKnown && (flags & TARGET_FLAG.holders) !== 0;
}

/** The circles, each as the ids of its tasks; every task is in one at most. */
export function findCycles(waiting: Waiting): number[][] {
  const graph = new WaitGraph(waiting);
  const seen = new Set<number>();
  const cycles: number[][] = [];
  for (const { id, activity } of waiting.rows) {
    const cycle = activity === "waiting" ? cycleFrom(id, graph, seen) : null;
    if (cycle !== null) cycles.push(cycle);
  }
  return cycles;
}

/** Of these circles those of which every task is in the wait in which the rows saw it. */
export function stillWaiting(cycles: readonly number[][], rows: readonly TaskRow[], now: SharedMemory): number[][] {
  const stepsIn = (some: readonly TaskRow[]): Map<number, number> => new Map(some.map(({ id, steps }) => [id, steps]));
  const [before, after] = [stepsIn(rows), stepsIn(taskRows(now).filter(({ activity }) => activity === "waiting"))];
  return cycles.filter((cycle) => cycle.every((id) => before.get(id) === after.get(id)));
}

// Depth first. A task that was seen and is not on the path leads into no circle.
function cycleFrom(start: number, graph: WaitGraph, seen: Set<number>): number[] | null {
  const path: Array<{ readonly id: number; readonly ahead: readonly number[]; next: number }> = [];
  const places = new Map<number, number>();
  const enter = (id: number): void => {
    if (seen.has(id)) return;
    seen.add(id);
    places.set(id, path.length);
    path.push({ id, ahead: graph.aheadOf(id), next: 0 });
  };
  enter(start);
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const next = step.ahead[step.next];
    const at = next === undefined ? undefined : places.get(next);
    if (at !== undefined) return path.slice(at).map(({ id }) => id);
    step.next += 1;
    if (next !== undefined) enter(next);
    else {
      path.pop();
      places.delete(step.id);
    }
  }
  return null;
}

/** Who could end the waits of a task. */
class WaitGraph {
  readonly #waiting: Waiting;
  readonly #rows: ReadonlyMap<number, TaskRow>;
  readonly #children = new Map<number, number[]>();

  constructor(waiting: Waiting) {
    this.#waiting = waiting;
    this.#rows = new Map(waiting.rows.map((row) => [row.id, row]));
    for (const { id, parent } of waiting.rows) {
      const siblings = this.#children.get(parent);
      if (siblings === undefined) this.#children.set(parent, [id]);
      else siblings.push(id);
    }
  }

  aheadOf(id: number): readonly number[] {
    const row = this.#rows.get(id);
    // One that runs, or waits for the world, is held up by nobody.
    if (row === undefined || row.activity !== "waiting") return [];
    const told = this.#waiting.told.get(id);
    if (told === undefined || told.steps !== row.steps) return this.#behind(row.target, row.other, id);
    return told.waits.flatMap((wait) => [...this.#behind(wait.row, wait.task, id), ...wait.holders]);
  }

  #behind(target: number, other: number, id: number): readonly number[] {
    if (other !== 0) return [other];
    const { memory, resources } = this.#waiting;
    if (resourceId(memory, target) !== null) return resources.get(target)?.holders ?? [];
    const flags = memory.targets[target * TARGET.words + TARGET.flags] as number;
    // All of its children: with one group or several, it cannot end before they have.
    return (flags & TARGET_FLAG.joins) === 0 ? [] : (this.#children.get(id) ?? []);
  }
}
