// Circles of tasks each of which waits for the next one. Found from outside: the program has other things to do.
//
// A task is stuck if all of its waits are. A wait is, for all tasks of a group, if one of them is stuck; for one of several,
// like a race or a permit, if all of them are; with a deadline never. Stuck are those that are left when everybody else has
// gone on.

import { MOST_HOLDERS } from "../link.ts";
import { type SharedMemory, TARGET, TARGET_FLAG } from "../shared-memory.ts";
import type { ProgramLink } from "./program.ts";
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

/** How many tasks are asked about at once, and how often, to be sure of the circles. */
const MOST_ASKED = 200;
const MOST_ROUNDS = 10;

/**
 * The circles, each as the ids of its tasks; every task is in one at most. Whether a wait has a deadline only the program
 * can tell, so it is asked about those that matter.
 */
export async function findCycles(waiting: Waiting, program: ProgramLink): Promise<number[][]> {
  const told = new Map(waiting.told);
  const unsure = (ids: readonly number[]): number[] => ids.filter((id) => !told.has(id));
  for (let round = 0; ; round++) {
    const graph = new WaitGraph({ ...waiting, told });
    const found = graph.cycles().map((cycle) => ({ cycle, because: graph.reasonsFor(cycle) }));
    const asked = new Set<number>();
    for (const ids of found.map(({ because }) => unsure(because))) {
      if (asked.size + ids.length <= MOST_ASKED) for (const id of ids) asked.add(id);
    }
    const isOver = asked.size === 0 || round === MOST_ROUNDS;
    const { tasks } = isOver ? NOTHING : await program.askAboutTasks([...asked]);
    if (tasks.size === 0) return found.filter(({ because }) => unsure(because).length === 0).map(({ cycle }) => cycle);
    for (const id of asked) told.set(id, tasks.get(id) ?? GONE);
  }
}

const NOTHING = { tasks: new Map<number, ToldTask>() } as const;

/** What is told of a task that has ended meanwhile. */
const GONE: ToldTask = { id: 0, steps: -1, hasDeadline: false, scopes: [], waits: [] };

/** Of these circles those of which every task is in the wait in which the rows saw it. */
export function stillWaiting<Cycle extends readonly number[]>(
  cycles: readonly Cycle[],
  rows: readonly TaskRow[],
  now: SharedMemory,
): Cycle[] {
  const stepsIn = (some: readonly TaskRow[]): Map<number, number> => new Map(some.map(({ id, steps }) => [id, steps]));
  const [before, after] = [stepsIn(rows), stepsIn(taskRows(now).filter(({ activity }) => activity === "waiting"))];
  return cycles.filter((cycle) => cycle.every((id) => before.get(id) === after.get(id)));
}

/** A wait that is stuck, as far as is known. */
interface StuckWait {
  /** Those who could end it. */
  readonly others: readonly number[];
  /** Whether it ends only when all of them have. */
  readonly needsAll: boolean;
  /** How many of them are stuck. */
  left: number;
}

/** Who is stuck, and behind whom. */
class WaitGraph {
  readonly #waiting: Waiting;
  readonly #children: ReadonlyMap<number, readonly TaskRow[]>;
  readonly #stuck = new Map<number, readonly StuckWait[]>();

  constructor(waiting: Waiting) {
    this.#waiting = waiting;
    this.#children = Map.groupBy(waiting.rows, ({ parent }) => parent);
    for (const row of waiting.rows) {
      const waits = this.#waitsOf(row);
      if (waits.length > 0) this.#stuck.set(row.id, waits);
    }
    this.#letGo();
  }

  /** One circle for each task that is in any. */
  cycles(): number[][] {
    const seen = new Set<number>();
    const cycles: number[][] = [];
    for (const id of this.#stuck.keys()) {
      const cycle = cycleFrom(id, (one) => this.#aheadOf(one), seen);
      if (cycle !== null) cycles.push(cycle);
    }
    return cycles;
  }

  /** The tasks that have to be stuck so that these are. */
  reasonsFor(cycle: readonly number[]): number[] {
    const reasons = new Set(cycle);
    for (const id of reasons) {
      for (const { others, needsAll } of this.#stuck.get(id) ?? []) {
        const one = needsAll ? others.find((other) => this.#stuck.has(other)) : undefined;
        for (const other of one === undefined ? others : [one]) reasons.add(other);
      }
    }
    return [...reasons];
  }

  #aheadOf(id: number): number[] {
    const waits = this.#stuck.get(id) ?? [];
    return waits.flatMap(({ others }) => others.filter((other) => this.#stuck.has(other)));
  }

  // Those who wait for somebody who goes on, again and again.
  #letGo(): void {
    const behind = new Map<number, Array<readonly [id: number, wait: StuckWait]>>();
    const free = new Set<number>();
    for (const [id, waits] of this.#stuck) {
      for (const wait of waits) {
        for (const other of wait.others) {
          const known = behind.get(other);
          if (known === undefined) behind.set(other, [[id, wait]]);
          else known.push([id, wait]);
          if (!this.#stuck.has(other)) free.add(other);
        }
      }
    }
    for (const other of free) {
      for (const [id, wait] of behind.get(other) ?? []) {
        wait.left -= 1;
        if (wait.left > 0 && wait.needsAll) continue;
        if (this.#stuck.delete(id)) free.add(id);
      }
    }
  }

  /** None if it can go on by itself: it runs, waits for the world, has a deadline, or has gone on since the rows were read. */
  #waitsOf(row: TaskRow): StuckWait[] {
    if (row.activity !== "waiting") return [];
    const told = this.#waiting.told.get(row.id);
    if (told === undefined) return this.#known(row.openWaits > 1 ? null : this.#waitFor(row.target, row.other, row.id));
    if (told.steps !== row.steps || told.hasDeadline) return [];
    const waits = told.waits.map((wait) => {
      if (wait.holders.length > 0) return stuckWait(wait.holders, true);
      const found = this.#waitFor(wait.row, wait.task, row.id);
      return found === null || !wait.needsOne ? found : { ...found, needsAll: false };
    });
    return waits.includes(null) ? [] : waits.flatMap((wait) => this.#known(wait));
  }

  #known(wait: StuckWait | null): StuckWait[] {
    return wait === null ? [] : [wait];
  }

  #waitFor(target: number, other: number, id: number): StuckWait | null {
    if (other !== 0) return stuckWait([other], true);
    const { memory, resources } = this.#waiting;
    // One who gives back is enough; those that are not told may do so.
    if (resourceId(memory, target) !== null) {
      const { holders = [] } = resources.get(target) ?? {};
      return holders.length === 0 || holders.length >= MOST_HOLDERS ? null : stuckWait(holders, false);
    }
    const flags = memory.targets[target * TARGET.words + TARGET.flags] as number;
    if ((flags & TARGET_FLAG.joins) === 0) return null;
    // All of its children: with one group or several, it cannot end before they have.
    const children = (this.#children.get(id) ?? []).map((row) => row.id);
    return children.length === 0 ? null : stuckWait(children, true);
  }
}

function stuckWait(others: readonly number[], needsAll: boolean): StuckWait {
  return { others, needsAll, left: others.length };
}

// Depth first. A task that was seen and is not on the path leads into no circle.
function cycleFrom(start: number, aheadOf: (id: number) => readonly number[], seen: Set<number>): number[] | null {
  const path: Array<{ readonly id: number; readonly ahead: readonly number[]; next: number }> = [];
  const places = new Map<number, number>();
  const enter = (id: number): void => {
    if (seen.has(id)) return;
    seen.add(id);
    places.set(id, path.length);
    path.push({ id, ahead: aheadOf(id), next: 0 });
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
