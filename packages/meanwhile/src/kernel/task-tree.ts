// Reads the tree of scopes: which tasks there are, what each waits for, who waits for whom in a circle.

import { Scope } from "./scope.ts";
import { Waiter } from "./suspend.ts";
import type { TaskNode } from "./task.ts";

/** Every task in the scope and below, parents before their children. */
export function tasksIn(scope: Scope): TaskNode[] {
  const found: TaskNode[] = [];
  collectTasks(scope, found);
  return found;
}

function collectTasks(scope: Scope, found: TaskNode[]): void {
  for (const member of scope.members()) {
    if (!(member instanceof Scope)) continue;
    if (member.task !== null && member.task.scope === member) found.push(member.task);
    collectTasks(member, found);
  }
}

/** What the code of one task waits for, its children's waits not included. */
export function waitsOf(task: TaskNode): Waiter<never>[] {
  const found: Waiter<never>[] = [];
  collectWaits(task.scope, task, found);
  return found;
}

function collectWaits(scope: Scope, task: TaskNode, found: Waiter<never>[]): void {
  for (const member of scope.members()) {
    if (member instanceof Waiter) found.push(member);
    else if (member instanceof Scope && member.task === task) collectWaits(member, task, found);
  }
}

/** Text for what a task waits for. */
export function whereTaskWaits(task: TaskNode): string {
  if (task.state.kind === "new") return "its start";
  const waits = waitsOf(task);
  if (waits.length === 0) return "a promise that is not one of meanwhile";
  return waits.map((waiter) => waiter.target.describe(waiter)).join(" and ");
}

/** The tasks in a cancelled scope that have not ended and have no unfinished children to wait for. */
export function stuckTasks(scope: Scope): TaskNode[] {
  const own = scope.task !== null && !scope.task.done ? [scope.task] : [];
  const tasks = [...own, ...tasksIn(scope)];
  return tasks.filter((task) => !tasks.some((other) => other !== task && task.scope.contains(other.scope)));
}

/** One line for each task, children indented below their parents. */
export function renderTaskTree(root: Scope): string {
  const lines: string[] = [];
  renderTasks(root, "", lines);
  return lines.join("\n");
}

const MOST_LINES = 200;

function renderTasks(scope: Scope, indent: string, lines: string[]): void {
  for (const member of scope.members()) {
    if (!(member instanceof Scope)) continue;
    const { task } = member;
    if (task === null || task.scope !== member) {
      renderTasks(member, indent, lines);
      continue;
    }
    if (lines.length === MOST_LINES) lines.push(`${indent}... more tasks are not shown`);
    if (lines.length > MOST_LINES) return;
    lines.push(`${indent}task ${task.id} "${task.name}" waits for ${whereTaskWaits(task)}`);
    renderTasks(member, `${indent}  `, lines);
  }
}

/** The first circle of tasks each of which waits for something the next one holds; null if there is none. */
export function findWaitCycle(root: Scope): TaskNode[] | null {
  const finished = new Set<TaskNode>();
  for (const task of tasksIn(root)) {
    const cycle = cycleFrom(task, [], finished);
    if (cycle !== null) return cycle;
  }
  return null;
}

function cycleFrom(task: TaskNode, path: TaskNode[], finished: Set<TaskNode>): TaskNode[] | null {
  const seenAt = path.indexOf(task);
  if (seenAt !== -1) return path.slice(seenAt);
  if (finished.has(task)) return null;
  path.push(task);
  for (const waiter of waitsOf(task)) {
    for (const holder of waiter.target.holders?.() ?? []) {
      const cycle = cycleFrom(holder as TaskNode, path, finished);
      if (cycle !== null) return cycle;
    }
  }
  path.pop();
  finished.add(task);
  return null;
}
