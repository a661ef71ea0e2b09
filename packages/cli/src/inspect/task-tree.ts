// Tasks below those they belong to; branches that look the same are one.

import { likenessOf, type TaskRecord } from "meanwhile/diagnostics";

/** How much is kept of what is drawn before a branch. */
const LONGEST_RAILS = 240;

/** Tasks that stand at the same place, each with the same below it; the children are those of the first. */
export interface Branch {
  readonly tasks: TaskRecord[];
  readonly children: readonly Branch[];
}

/** A branch where it is drawn. */
export interface BranchInOrder {
  readonly branch: Branch;
  readonly depth: number;
  readonly isLast: boolean;
  /** What is drawn before it for the branches above. */
  readonly rails: string;
}

// Nothing here is recursive: tasks may be nested deeper than the stack is.

/** The branches at the top: those of tasks that belong to no task that is there. */
export function branchesOf(tasks: readonly TaskRecord[], { all }: { readonly all: boolean }): readonly Branch[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const below = new Map<number, TaskRecord[]>();
  for (const task of tasks) {
    const parent = task.parent !== null && byId.has(task.parent) ? task.parent : 0;
    const siblings = below.get(parent);
    if (siblings === undefined) below.set(parent, [task]);
    else siblings.push(task);
  }
  const grown = new Map<number, Branch>();
  const likenesses = new Likenesses();
  const grow = (of: readonly TaskRecord[]): Branch[] => {
    const branches = of.flatMap(({ id }) => grown.get(id) ?? []);
    return all ? branches : likenesses.merge(branches);
  };
  for (const task of childrenFirst(below)) {
    grown.set(task.id, { tasks: [task], children: grow(below.get(task.id) ?? []) });
  }
  return grow(below.get(0) ?? []);
}

/** Every task behind those below it. What belongs to itself, in a recording that is damaged, is left out. */
function childrenFirst(below: ReadonlyMap<number, readonly TaskRecord[]>): TaskRecord[] {
  const order = [...(below.get(0) ?? [])];
  for (let at = 0; at < order.length; at += 1) {
    for (const task of below.get(order[at]?.id ?? 0) ?? []) order.push(task);
  }
  return order.toReversed();
}

/** Tells which branches look the same. A likeness is a number, so that those above are short to compare. */
class Likenesses {
  readonly #known = new Map<string, number>();
  readonly #of = new WeakMap<Branch, number>();

  /** One branch for those that look the same, in the order of the first ones. */
  merge(branches: readonly Branch[]): Branch[] {
    const merged = new Map<number, Branch>();
    for (const branch of branches) {
      const likeness = this.#likenessOf(branch);
      const known = merged.get(likeness);
      if (known === undefined) merged.set(likeness, branch);
      else known.tasks.push(...branch.tasks);
    }
    return [...merged.values()];
  }

  #likenessOf(branch: Branch): number {
    const told = this.#of.get(branch);
    if (told !== undefined) return told;
    const [task] = branch.tasks;
    const below = branch.children.map((child) => `${this.#likenessOf(child)}x${child.tasks.length}`);
    const text = `${task === undefined ? "" : likenessOf(task)}\n\n${below.toSorted().join(" ")}`;
    const likeness = this.#known.get(text) ?? this.#known.size;
    this.#known.set(text, likeness);
    this.#of.set(branch, likeness);
    return likeness;
  }
}

/** All branches, each before those below it. */
export function inOrder(roots: readonly Branch[]): BranchInOrder[] {
  const order: BranchInOrder[] = [];
  const ahead = linesOf(roots, 0, "");
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    order.push(next);
    // Of a deep tree the whole rails would be more text than all the rest.
    const rails = next.depth === 0 ? "" : `${next.rails}${next.isLast ? "   " : "│  "}`.slice(-LONGEST_RAILS);
    for (const line of linesOf(next.branch.children, next.depth + 1, rails)) ahead.push(line);
  }
  return order;
}

/** The last one first. */
function linesOf(branches: readonly Branch[], depth: number, rails: string): BranchInOrder[] {
  return branches
    .map((branch, index) => ({ branch, depth, rails, isLast: index === branches.length - 1 }))
    .toReversed();
}
