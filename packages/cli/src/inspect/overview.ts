// What comes before the tasks: the program, its event loop, circles of waits and warnings.

import { basename } from "node:path";

import type { Block, Hello, LoopStatistics, TaskRecord, Warning } from "meanwhile/diagnostics";

import { formatCount, formatMs, plural } from "../output/format.ts";
import { fullNameOf } from "./describe.ts";
import { type Paper, safe } from "./paper.ts";

/** Of a program at one moment. */
export interface Overview {
  readonly hello: Hello;
  readonly atMs: number;
  readonly loop: LoopStatistics;
  readonly tasks: Iterable<TaskRecord>;
  readonly unrecorded: number;
}

/** Two lines: which program it is, and how it fares. */
export function headOf({ hello, atMs, loop, tasks, unrecorded }: Overview, paper: Paper): string[] {
  const { program } = hello;
  const name = safe(basename(program.script)) || "(no script)";
  const facts = [`pid ${program.pid}`, `Node ${safe(program.node).replace(/^v/, "")}`, `up ${formatMs(atMs)}`];
  const head = `${name}  ${facts.join("  ")}`;
  const more = unrecorded === 0 ? "" : `, and ${formatCount(unrecorded)} that are not recorded`;
  const delay = `loop delay ${formatMs(loop.p50Ms)}, p99 ${formatMs(loop.p99Ms)}, max ${formatMs(loop.maxMs)}`;
  return [paper.line(head, "bold"), paper.line(`${countsOf(tasks)}${more}  ${delay}`)];
}

function countsOf(tasks: Iterable<TaskRecord>): string {
  const counts = { waiting: 0, running: 0, new: 0 };
  let cancelled = 0;
  let all = 0;
  for (const { activity, cancelledAtMs } of tasks) {
    counts[activity] += 1;
    if (cancelledAtMs !== null) cancelled += 1;
    all += 1;
  }
  const parts = Object.entries({ ...counts, cancelled }).filter(([, count]) => count > 0);
  const details = parts.map(([what, count]) => `${formatCount(count)} ${what}`).join(", ");
  return all === 0 ? "no task" : `${plural(all, "task")}: ${details}`;
}

/** The block that lasts; nothing if the loop turns. */
export function blockLines(blocked: Block | null, paper: Paper): string[] {
  return blocked === null ? [] : paper.paragraph(`! ${safe(blocked.message)}`, ["bold", "red"]);
}

/** The circles of waits, a line for each task. */
export function cycleLines(
  cycles: ReadonlyArray<readonly number[]>,
  tasks: ReadonlyMap<number, TaskRecord>,
  paper: Paper,
): string[] {
  return cycles.flatMap((cycle) => [
    paper.line(`! ${plural(cycle.length, "task")} wait in a circle, and none of them can go on:`, ["bold", "red"]),
    ...cycle.map((id) => {
      const { name, waits } = tasks.get(id) ?? { name: "?", waits: [] };
      return paper.line(`${fullNameOf(id, name)} waits for ${safe(waits[0]?.for ?? "something")}`, null, 4);
    }),
  ]);
}

/** By severity. */
export const WARNING_COLOURS = { error: "red", warning: "yellow", info: "cyan" } as const;
const ORDER = ["error", "warning", "info"];

/** What is probably a mistake now, the worst first, with what to do about it. */
export function warningLines(warnings: readonly Warning[], paper: Paper): string[] {
  return currentWarnings(warnings).flatMap(({ severity, message, remedy }) => [
    ...paper.paragraph(`! ${safe(message)}`, WARNING_COLOURS[severity]),
    ...paper.paragraph(`→ ${safe(remedy)}`, null, 2),
  ]);
}

/**
 * Those that are the case, the worst first. A block is told elsewhere, and so are circles of waits.
 *
 * @param withCycles - whether circles are among them all the same
 */
export function currentWarnings(
  warnings: readonly Warning[],
  { withCycles = false }: { readonly withCycles?: boolean } = {},
): Warning[] {
  return warnings
    .filter(
      ({ kind, overAtMs }) => overAtMs === null && kind !== "loop-blocked" && (withCycles || kind !== "wait-cycle"),
    )
    .toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}
