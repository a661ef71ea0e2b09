// Groups tasks that stand at the same place: thousands of them are one line to read.

import type { Place, TaskRecord } from "../protocol.ts";

/**
 * What tasks have in common that do the same at the same place: what they do, the kinds of what they wait for, and the
 * stacks. Where stacks are not known the names count, without their numbers.
 */
export function likenessOf({ name, activity, waits, cancelledAtMs }: TaskRecord): string {
  const hasStack = waits.some(({ stack }) => stack.length > 0);
  const parts = waits.map((wait) => [kindOf(wait.for), ...wait.stack.map(textOf)].join("\n"));
  return [activity, cancelledAtMs === null ? "" : "cancelled", hasStack ? "" : shapeOf(name), ...parts].join("\n\n");
}

/**
 * Groups tasks that stand at the same place, the largest group first. In a group, and among groups of one size, the order
 * is that of the tasks.
 *
 * @example
 * ```ts
 * import { groupAlike } from "meanwhile/diagnostics";
 *
 * console.log(groupAlike([])); //> []
 * ```
 */
export function groupAlike(tasks: Iterable<TaskRecord>): TaskRecord[][] {
  const groups = new Map<string, TaskRecord[]>();
  for (const task of tasks) {
    const likeness = likenessOf(task);
    const group = groups.get(likeness);
    if (group === undefined) groups.set(likeness, [task]);
    else group.push(task);
  }
  return [...groups.values()].toSorted((a, b) => b.length - a.length);
}

/**
 * A name or a text without what tells one of many from the others: numbers and quoted names become `*`.
 *
 * @example
 * ```ts
 * import { shapeOf } from "meanwhile/diagnostics";
 *
 * console.log(shapeOf("worker 17")); //> worker *
 * ```
 */
export function shapeOf(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/gsu, '"*"').replaceAll(/\d+/gu, "*");
}

// What stands in parentheses is what is true now.
function kindOf(text: string): string {
  return shapeOf(text.replace(/ \(.*$/su, ""));
}

function textOf({ function: name, file, line, column }: Place): string {
  return `${name}@${file}:${line}:${column}`;
}
