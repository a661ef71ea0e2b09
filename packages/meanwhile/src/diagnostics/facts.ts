// What the recorder writes down of tasks, waits and scopes.

import type { Scope, TaskNode } from "../lowlevel.ts";
import { TARGET, TARGET_FLAG } from "./shared-memory.ts";

/** The task it belongs to; 0 for none. */
export function parentOf({ scope }: TaskNode): number {
  return scope.parent?.task?.id ?? 0;
}

/** The name that somebody has given it; `""` for none. */
export function nameOf(task: TaskNode): string {
  try {
    // What tasks are called that nobody has named is made of their id, by readers.
    return task.givenName;
  } catch {
    return "task"; // a job may be a proxy of the program's
  }
}

/** What the resource in a row of targets is called outside, where rows are used again; 0 if it is none. */
export function resourceIdOf(targets: Int32Array, row: number): number {
  if (((targets[row * TARGET.words + TARGET.flags] as number) & TARGET_FLAG.resource) === 0) return 0;
  return ((targets[row * TARGET.words + TARGET.generation] as number) << 16) | row;
}

/** How many scopes it lies below that of its task. */
export function depthOf(scope: Scope): number {
  let depth = 1;
  for (let around = scope.parent; around !== null && around !== scope.task?.scope; around = around.parent) depth += 1;
  return depth;
}

/** The tasks whose code a cancellation of the scope reaches: down to the next shield. */
export function tasksReached(from: Scope): Set<TaskNode> {
  const reached = new Set<TaskNode>();
  const ahead = [from];
  for (let scope = ahead.pop(); scope !== undefined; scope = ahead.pop()) {
    if (scope.task !== null && scope.task.scope !== undefined) reached.add(scope.task);
    for (let member = scope.first; member !== null; member = member.next) {
      if (isScope(member) && !member.shielded) ahead.push(member);
    }
  }
  return reached;
}

function isScope(member: object): member is Scope {
  return "shielded" in member;
}
