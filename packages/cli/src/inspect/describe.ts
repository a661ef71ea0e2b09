// What is said of tasks that stand at the same place: pure text, the same for ps, pstree and top.

import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { type Place, shapeOf, type TaskRecord, type Wait } from "meanwhile/diagnostics";

import { formatCount, formatMs } from "../output/format.ts";
import { safe } from "./paper.ts";

/** More of a stack is of no use to a reader. */
const MOST_CALLS = 10;

/** The name of the tasks: what their names have in common, or the first one's. */
export function labelOf(tasks: readonly TaskRecord[]): string {
  const [first] = tasks;
  if (first === undefined) return "";
  if (tasks.every(({ name }) => name === first.name)) return safe(first.name);
  if (tasks.every(isUnnamed)) return "(no names)";
  const shape = shapeOf(first.name);
  return safe(tasks.every(({ name }) => shapeOf(name) === shape) ? shape : `${first.name}, …`);
}

/** Whether it has the name of a task that was given none. */
function isUnnamed({ id, name }: TaskRecord): boolean {
  return name === `task ${id}`;
}

/** `task 4 "writer"`, or `task 4` if it has no name. */
export function fullNameOf(id: number, name: string): string {
  return name === `task ${id}` ? name : `task ${id} "${safe(name)}"`;
}

/** The id of a task, or how many there are. */
export function whichOf(tasks: readonly TaskRecord[]): string {
  return tasks.length === 1 ? String(tasks[0]?.id) : `${formatCount(tasks.length)} ×`;
}

/** What the tasks do. */
export function stateOf({ activity, cancelledAtMs }: TaskRecord): string {
  return cancelledAtMs === null ? safe(activity) : "cancelled";
}

/** For how long, of several tasks that of the longest. */
export function sinceOf(tasks: readonly TaskRecord[], nowMs: number): string {
  let sinceMs = Infinity;
  for (const task of tasks) sinceMs = Math.min(sinceMs, task.sinceMs);
  return formatMs(Math.max(0, nowMs - sinceMs));
}

/** What is around the wait of a task: its deadlines and shields, the outermost first; empty if there is nothing. */
export function scopesOf(tasks: readonly TaskRecord[], nowMs: number): string {
  const [task] = tasks;
  if (task === undefined || tasks.length > 1) return "";
  // What was written down by an older version has none.
  const texts = (task.scopes ?? []).map((scope) => scopeText(scope, nowMs)).filter((text) => text !== "");
  return texts.length === 0 ? "" : `inside of ${texts.join(", ")}`;
}

function scopeText({ deadlineAtMs, shielded, cancelled }: TaskRecord["scopes"][number], nowMs: number): string {
  const parts = [
    ...(cancelled ? ["a cancelled scope"] : []),
    ...(shielded ? ["a shield"] : []),
    ...(deadlineAtMs === null || cancelled ? [] : [`a deadline in ${formatMs(Math.max(0, deadlineAtMs - nowMs))}`]),
  ];
  return parts.join(" with ");
}

/** What the tasks wait for, the first begun first, with the stacks. */
export function waitsOf(tasks: readonly TaskRecord[]): Array<{ text: string; calls: string[] }> {
  const waits = tasks[0]?.waits ?? [];
  return waits.map((wait, index) => ({ text: safe(commonText(wait, index, tasks)), calls: callsOf(wait.stack) }));
}

function commonText(wait: Wait, index: number, tasks: readonly TaskRecord[]): string {
  const isCommon = (change: (text: string) => string): boolean =>
    tasks.every(({ waits }) => change(waits[index]?.for ?? "") === change(wait.for));
  if (isCommon((text) => text)) return wait.for;
  return isCommon(withoutDetails) ? withoutDetails(wait.for) : shapeOf(withoutDetails(wait.for));
}

function withoutDetails(text: string): string {
  return text.replace(/ \(.*$/s, "");
}

/** The lines of a stack. */
function callsOf(stack: readonly Place[]): string[] {
  const calls = stack.slice(0, MOST_CALLS).map((place) => `at ${showPlace(place)}`);
  return stack.length > MOST_CALLS ? [...calls, `… ${stack.length - MOST_CALLS} more`] : calls;
}

/** `load (src/app.ts:12:5)`; files below the working directory without it. */
export function showPlace({ function: name, file, line, column }: Place): string {
  const where = `${shortPath(file)}:${line}:${column}`;
  return safe(name === "" ? where : `${name} (${where})`);
}

function shortPath(file: string): string {
  const path = file.startsWith("file:") ? pathOf(file) : file;
  if (!isAbsolute(path)) return path;
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/** Whether a text is in what is shown of the task, whatever the case of its letters. */
export function matches(task: TaskRecord, text: string): boolean {
  const needle = text.toLowerCase();
  const has = (shown: string): boolean => shown.toLowerCase().includes(needle);
  const hasWait = ({ for: what, stack }: Wait): boolean => has(what) || stack.some((place) => has(showPlace(place)));
  return has(task.name) || has(stateOf(task)) || String(task.id) === text || task.waits.some(hasWait);
}
