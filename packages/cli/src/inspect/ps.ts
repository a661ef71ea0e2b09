// `meanwhile ps`: the tasks of a program as a table, or the programs that can be asked.

import { groupAlike, type Hello, type Snapshot, type TaskRecord } from "meanwhile/diagnostics";

import { EXIT, usageError } from "../errors.ts";
import { toSafeJson } from "../output/escape.ts";
import { print } from "../output/streams.ts";
import { askState } from "./ask.ts";
import { labelOf, matches, sinceOf, stateOf, waitsOf, whichOf } from "./describe.ts";
import { PS_OPTIONS } from "./option-tables.ts";
import { blockLines, cycleLines, headOf, warningLines } from "./overview.ts";
import { Paper } from "./paper.ts";
import { showPrograms } from "./programs.ts";
import { readArguments } from "./read-arguments.ts";
import { runCommand } from "./run-command.ts";
import { renderTable, styleOfState } from "./table.ts";
import { findProgram } from "./target.ts";

/** What of the state is shown, and how. */
export interface StateOptions {
  readonly all: boolean;
  readonly stacks: boolean;
  readonly filter: string | undefined;
}

/**
 * Runs `meanwhile ps`.
 *
 * Cancellation: safe.
 */
export async function runPs(args: readonly string[]): Promise<number> {
  const parsed = readArguments("ps", args, PS_OPTIONS);
  if (parsed === EXIT.ok) return parsed;
  const { values, positionals } = parsed;
  const [target, ...rest] = positionals;
  if (rest.length > 0) throw usageError("ps takes one PID: see meanwhile ps --help");
  if (target === undefined) return runCommand("ps", () => showPrograms(values.json));
  return runCommand("ps", async () => {
    const { hello, snapshot } = await askState(findProgram(target), values["no-stacks"] ? "?stacks=0" : "");
    const { all, filter } = values;
    if (values.json) print(`${toSafeJson({ program: hello.program, snapshot: filtered(snapshot, filter) })}\n`);
    else print(renderPs(hello, snapshot, { all, filter, stacks: !values["no-stacks"] }, Paper.ofStdout()));
    return EXIT.ok;
  });
}

/** The text of `meanwhile ps PID`. */
export function renderPs(hello: Hello, snapshot: Snapshot, options: StateOptions, paper: Paper): string {
  const { tasks } = filtered(snapshot, options.filter);
  const groups = options.all ? tasks.map((task) => [task]) : groupAlike(tasks);
  const rows = groups.map((group) => rowOf(group, snapshot.atMs, options.stacks));
  const table = renderTable(
    [
      { title: "TASK", align: "start" },
      { title: "NAME" },
      { title: "STATE", styleOf: styleOfState },
      { title: "SINCE", align: "start" },
      { title: "WAITS FOR" },
    ],
    rows,
    paper,
  );
  const lines = [...stateLines(hello, snapshot, paper), ...(rows.length === 0 ? [] : table)];
  return `${lines.join("\n")}\n`;
}

/** The lines before the tasks, with an empty one behind them. */
export function stateLines(hello: Hello, snapshot: Snapshot, paper: Paper): string[] {
  const { atMs, loop, tasks, counts, blocked, cycles, warnings, answered } = snapshot;
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const { unrecorded } = counts;
  return [
    ...headOf({ hello, atMs, loop, tasks, unrecorded }, paper),
    ...blockLines(blocked, paper),
    ...cycleLines(cycles, byId, paper),
    ...warningLines(warnings, paper),
    ...(answered ? [] : paper.paragraph("Stacks and holders cannot be told while the loop is blocked.", "dim")),
    "",
  ];
}

/** The state with only those tasks that match. */
export function filtered(snapshot: Snapshot, filter: string | undefined): Snapshot {
  if (filter === undefined) return snapshot;
  return { ...snapshot, tasks: snapshot.tasks.filter((task) => matches(task, filter)) };
}

function rowOf(group: readonly TaskRecord[], nowMs: number, stacks: boolean): { cells: string[]; below: string[] } {
  const [task] = group;
  const [first, ...others] = waitsOf(group);
  const state = task === undefined ? "" : stateOf(task);
  return {
    cells: [whichOf(group), labelOf(group), state, sinceOf(group, nowMs), first?.text ?? ""],
    below: [
      ...(stacks ? (first?.calls ?? []) : []),
      ...others.flatMap(({ text, calls }) => [`and for ${text}`, ...(stacks ? calls.map((call) => `  ${call}`) : [])]),
    ],
  };
}
