// Reads the tree of scopes: which tasks there are, what each waits for, who waits for whom in a circle.

import { awaitStacksOf, callLines, showWait } from "./await-stacks.ts";
import { Scope } from "./scope.ts";
import type { Waiter } from "./suspend.ts";
import type { TaskNode } from "./task.ts";

/** Every task in the scope and below, parents before their children. */
export function tasksIn(scope: Scope): TaskNode[] {
  return Array.from(walkTasks(scope), ({ task }) => task);
}

/** A task of the tree. */
export interface FoundTask {
  /** The task. */
  readonly task: TaskNode;
  /** How many tasks it lies below. */
  readonly depth: number;
}

// Not recursive, like all in this file: scopes may be nested deeper than the stack is.
/** Every task below the scope, parents before their children. */
export function* walkTasks(root: Scope): Generator<FoundTask> {
  const ahead: Array<{ readonly scope: Scope; readonly depth: number }> = [{ scope: root, depth: 0 }];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const { scope } = next;
    let { depth } = next;
    if (scope !== root && scope.task?.scope === scope) {
      yield { task: scope.task, depth };
      depth += 1;
    }
    // Last first: what is put down last is taken up next.
    for (let member = scope.last; member !== null; member = member.previous) {
      if (member instanceof Scope) ahead.push({ scope: member, depth });
    }
  }
}

/** The tasks directly below the scope. One by one: who wants to know a few of many need not wait for the others. */
export function* tasksDirectlyIn(scope: Scope): Generator<TaskNode> {
  for (let member = scope.first; member !== null; member = member.next) {
    if (member instanceof Scope && member.task?.scope === member) yield member.task;
  }
}

/** What the code of one task waits for, its children's waits not included. */
export function waitsOf(task: TaskNode): Waiter<never>[] {
  const found: Waiter<never>[] = [];
  const scopes = [task.scope];
  for (const scope of scopes) {
    for (const member of scope.members()) {
      if (member.target !== undefined) found.push(member as Waiter<never>);
      else if (member instanceof Scope && member.task === task) scopes.push(member);
    }
  }
  return found;
}

/** Text for what a task waits for. */
export function whereTaskWaits(task: TaskNode): string {
  if (task.state.kind === "new") return "its start";
  const stacks = awaitStacksOf(task);
  return stacks.length === 0 ? "a promise that is not one of meanwhile" : stacks.map(showWait).join(" and ");
}

/** The tasks in a cancelled scope that have not ended and have no unfinished children to wait for. */
export function stuckTasks(scope: Scope): TaskNode[] {
  const own = scope.task === null ? [] : [scope.task];
  return [...own, ...tasksIn(scope)].filter((task) => tasksIn(task.scope).length === 0);
}

const MOST_LINES = 200;

/** One line for each task, children indented below their parents. */
export function renderTaskTree(root: Scope): string {
  const lines: string[] = [];
  for (const { task, depth } of walkTasks(root)) {
    const indent = "  ".repeat(depth);
    if (lines.length === MOST_LINES) return [...lines, `${indent}... more tasks are not shown`].join("\n");
    lines.push(`${indent}task ${task.id} "${task.name}" waits for ${whereTaskWaits(task)}`, ...callsOf(task, indent));
  }
  return lines.join("\n");
}

/** The calls through which a task waits, where they are known, below what it waits for. */
function callsOf(task: TaskNode, indent: string): string[] {
  const stacks = awaitStacksOf(task);
  return stacks.flatMap((stack) => {
    const lines = callLines(stack, `${indent}    `);
    return lines.length === 0 || stacks.length === 1 ? lines : [`${indent}  ${showWait(stack)}`, ...lines];
  });
}

interface Step {
  readonly task: TaskNode;
  /** Those it waits for that were not looked at yet. */
  readonly ahead: TaskNode[];
}

/** The first circle of tasks each of which waits for something the next one holds; null if there is none. */
export function findWaitCycle(root: Scope): TaskNode[] | null {
  const seen = new Set<TaskNode>();
  for (const start of tasksIn(root)) {
    const cycle = seen.has(start) ? null : findCycleFrom(start, seen);
    if (cycle !== null) return cycle;
  }
  return null;
}

// Depth first. A task that was seen and is not on the path leads into no circle.
function findCycleFrom(start: TaskNode, seen: Set<TaskNode>): TaskNode[] | null {
  const path: Step[] = [];
  const onPath = new Map<TaskNode, number>();
  const enter = (task: TaskNode): void => {
    seen.add(task);
    onPath.set(task, path.length);
    path.push({ task, ahead: holdersOf(task) });
  };
  enter(start);
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const next = step.ahead.pop();
    const at = next && onPath.get(next);
    if (at !== undefined) return path.slice(at).map(({ task }) => task);
    if (next === undefined) onPath.delete((path.pop() as Step).task);
    else if (!seen.has(next)) enter(next);
  }
  return null;
}

/** Who could end the waits of a task, the first one last. */
function holdersOf(task: TaskNode): TaskNode[] {
  const holders = waitsOf(task).flatMap(({ target }) => [...(target.holders?.() ?? [])]);
  return (holders as TaskNode[]).toReversed();
}
