// What tasks wait for, in the shared memory: the writer's side. A lock, a queue and the like have a row each, until they are
// garbage; what is made anew for each wait shares one with its kind.

import { Children, TaskNode, type WaitTarget } from "../lowlevel.ts";
import type { NameTable } from "./name-table.ts";
import { type SharedMemory, TARGET, TARGET_FLAG, WORD } from "./shared-memory.ts";

/** The row of waits for which there is no room. */
const OTHER_TARGETS = 0;

/** The row of waits for tasks. */
export const TASKS = 1;

/** Numbers the rows, and remembers which target has which. */
export class TargetTable {
  readonly #memory: SharedMemory;
  readonly #names: NameTable;
  readonly #rows = new WeakMap<WaitTarget, number>();
  readonly #rowsOfKinds = new Map<unknown, number>();
  readonly #targets: Array<WeakRef<WaitTarget> | undefined> = [];
  readonly #free: number[] = [];
  readonly #collected = new FinalizationRegistry<number>((row) => this.#remove(row));
  // Tasks that wait one after another mostly wait for the same.
  #newest: WaitTarget | null = null;
  #newestRow = OTHER_TARGETS;
  #count = 0;

  constructor(memory: SharedMemory, names: NameTable) {
    this.#memory = memory;
    this.#names = names;
    this.#add("something", 0);
    this.#add("task", 0);
  }

  /** The row of what is waited for. */
  rowOf(target: WaitTarget): number {
    if (target === this.#newest) return this.#newestRow;
    if (target instanceof TaskNode) return TASKS;
    const row = this.#find(target);
    this.#newest = target;
    this.#newestRow = row;
    return row;
  }

  /** What has the row, as long as it is in use. */
  targetAt(row: number): WaitTarget | undefined {
    return this.#targets[row]?.deref();
  }

  #find(target: WaitTarget): number {
    const kind = target.constructor;
    if (kind !== Object) {
      const row = this.#rowsOfKinds.get(kind);
      return row ?? this.#addKind(kind, target);
    }
    return this.#rows.get(target) ?? this.#addResource(target);
  }

  #addKind(kind: unknown, target: WaitTarget): number {
    const row = this.#add(stemOf(target), flagsOf(target));
    this.#rowsOfKinds.set(kind, row);
    return row;
  }

  #addResource(target: WaitTarget): number {
    const label = stemOf(target);
    // Locks and queues name the call, pools say how many are in use; a sleep does neither.
    const isResource = label.includes(".") || target.holders !== undefined || label !== textOf(target);
    const flags = flagsOf(target) | (isResource ? TARGET_FLAG.resource : 0);
    const row = this.#add(label, flags);
    if (row === OTHER_TARGETS) return row;
    this.#rows.set(target, row);
    this.#targets[row] = new WeakRef(target);
    this.#collected.register(target, row);
    return row;
  }

  #add(label: string, flags: number): number {
    const { targets, capacities } = this.#memory;
    const row = this.#free.pop() ?? this.#count;
    if (row >= capacities.targets) return OTHER_TARGETS;
    if (row === this.#count) this.#memory.header[WORD.targetCount] = this.#count += 1;
    const at = row * TARGET.words;
    targets.fill(0, at, at + TARGET.generation);
    targets[at + TARGET.label] = this.#names.use(label);
    targets[at + TARGET.flags] = flags | TARGET_FLAG.used;
    return row;
  }

  #remove(row: number): void {
    const { targets } = this.#memory;
    const at = row * TARGET.words;
    this.#names.release(targets[at + TARGET.label] as number);
    targets[at + TARGET.flags] = 0;
    (targets[at + TARGET.generation] as number)++;
    this.#targets[row] = undefined;
    this.#free.push(row);
  }
}

function flagsOf(target: WaitTarget): number {
  const foreign = target.foreign === true ? TARGET_FLAG.foreign : 0;
  const joins = target instanceof Children ? TARGET_FLAG.joins : 0;
  return foreign | joins | (target.holders === undefined ? 0 : TARGET_FLAG.holders);
}

/** What is waited for without what is true only now: `Lock.acquire` of `Lock.acquire (held by …)`. */
function stemOf(target: WaitTarget): string {
  return textOf(target)
    .replace(/\s*\(.*$/su, "")
    .replace(/^\d+ of /u, "")
    .replace(/ ".*$/su, "");
}

function textOf(target: WaitTarget): string {
  try {
    return target.describe();
  } catch {
    return "something"; // it is the program's, and may need a waiter
  }
}
