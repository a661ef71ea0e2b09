// `meanwhile pstree`: the tasks of a program below those they belong to.

import type { Hello, Snapshot, TaskRecord } from "meanwhile/diagnostics";

import { EXIT } from "../errors.ts";
import { toSafeJson } from "../output/escape.ts";
import { print } from "../output/streams.ts";
import { askState } from "./ask.ts";
import { labelOf, matches, scopesOf, sinceOf, stateOf, waitsOf, whichOf } from "./describe.ts";
import { PSTREE_OPTIONS } from "./option-tables.ts";
import { Paper } from "./paper.ts";
import { stateLines, type StateOptions } from "./ps.ts";
import { onlyArgument, readArguments } from "./read-arguments.ts";
import { remoteLines } from "./remote-tree.ts";
import { runCommand } from "./run-command.ts";
import { styleOfState } from "./table.ts";
import { findProgram } from "./target.ts";
import { type BranchInOrder, branchesOf, inOrder } from "./task-tree.ts";

/**
 * Runs `meanwhile pstree`.
 *
 * Cancellation: safe.
 */
export async function runPstree(args: readonly string[]): Promise<number> {
  const parsed = readArguments("pstree", args, PSTREE_OPTIONS);
  if (parsed === EXIT.ok) return parsed;
  const { values, positionals } = parsed;
  const target = onlyArgument("pstree", positionals, "the PID of a program");
  return runCommand("pstree", async () => {
    const { hello, snapshot } = await askState(findProgram(target), values["no-stacks"] ? "?stacks=0" : "?remote=1");
    const options = { all: values.all, filter: values.filter, stacks: !values["no-stacks"] };
    if (values.json) print(`${toSafeJson(jsonOf(hello, snapshot, options))}\n`);
    else print(renderTree(hello, snapshot, options, Paper.ofStdout()));
    return EXIT.ok;
  });
}

/** Flat, since tasks may be nested deeper than any reader of JSON goes: in the order of the tree, with the depth. */
function jsonOf(hello: Hello, snapshot: Snapshot, options: StateOptions): object {
  const { atMs, cycles, warnings, blocked, counts } = snapshot;
  const lines = inOrder(branchesOf(kept(snapshot.tasks, options.filter), { all: true }));
  const tasks = lines.flatMap(({ branch, depth }) => branch.tasks.map((task) => ({ depth, ...task })));
  return { program: hello.program, atMs, blocked, cycles, warnings, counts, tasks };
}

/** The text of `meanwhile pstree`. */
export function renderTree(hello: Hello, snapshot: Snapshot, options: StateOptions, paper: Paper): string {
  const roots = branchesOf(kept(snapshot.tasks, options.filter), options);
  const lines = inOrder(roots).flatMap((line) =>
    branchLines(line, { nowMs: snapshot.atMs, all: options.all, stacks: options.stacks, paper }),
  );
  return `${[...stateLines(hello, snapshot, paper), ...lines].join("\n")}\n`;
}

/** In columns: on a terminal half of it, elsewhere so much. */
const MOST_RAILS = 120;

/** The tasks that match, and those above them. */
function kept(tasks: readonly TaskRecord[], filter: string | undefined): readonly TaskRecord[] {
  if (filter === undefined) return tasks;
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const wanted = new Set<number>();
  for (const task of tasks) {
    if (!matches(task, filter)) continue;
    for (let above: TaskRecord | undefined = task; above !== undefined && !wanted.has(above.id);) {
      wanted.add(above.id);
      above = above.parent === null ? undefined : byId.get(above.parent);
    }
  }
  return tasks.filter(({ id }) => wanted.has(id));
}

interface Looks {
  readonly nowMs: number;
  readonly all: boolean;
  readonly stacks: boolean;
  readonly paper: Paper;
}

function branchLines(drawn: BranchInOrder, { nowMs, all, stacks, paper }: Looks): string[] {
  const { tasks, children } = drawn.branch;
  const [first, ...others] = waitsOf(tasks);
  const [start, under] = prefixesOf(drawn, paper);
  const each = tasks.length > 1 && children.length > 0 ? ", each with:" : "";
  const reason = first === undefined ? "" : `: ${first.text}`;
  const state = tasks[0] === undefined ? "" : stateOf(tasks[0]);
  const text = `${whichOf(tasks)} ${labelOf(tasks)}  ${state} ${sinceOf(tasks, nowMs)}${reason}${each}`;
  const line = (prefix: string, shown: string, style: Parameters<Paper["line"]>[1]): string =>
    paper.style("dim", prefix) + paper.line(shown, style, prefix.length).slice(prefix.length);
  const callLines = (calls: readonly string[] = []): string[] =>
    (stacks ? calls : []).map((call) => line(under, `  ${call}`, "dim"));
  const farLines = (index: number): string[] =>
    remoteLines(tasks, index, { all, stacks }).map((far) => line(under, far.text, far.isDim ? "dim" : null));
  const around = scopesOf(tasks, nowMs);
  return [
    line(start, text, styleOfState(state) ?? null),
    ...(around === "" ? [] : [line(under, around, null)]),
    ...callLines(first?.calls),
    ...farLines(0),
    ...others.flatMap((other, index) => [
      line(under, `and for ${other.text}`, null),
      ...callLines(other.calls),
      ...farLines(index + 1),
    ]),
  ];
}

/** What stands before the line of a branch, and before those that belong to it. */
function prefixesOf({ branch, depth, isLast, rails }: BranchInOrder, paper: Paper): [start: string, under: string] {
  const isTop = depth === 0;
  const below = isTop ? "" : `${rails}${isLast ? "   " : "│  "}`;
  const start = isTop ? "" : `${rails}${isLast ? "└─ " : "├─ "}`;
  return [fitted(start, paper), fitted(`${below}${branch.children.length > 0 ? "│  " : "   "}`, paper)];
}

/** Where a tree is deeper than the paper is wide, only its newest rails are drawn. */
function fitted(rails: string, { width }: Paper): string {
  const room = Math.min(MOST_RAILS, Math.max(12, Math.floor(width / 2)));
  return rails.length <= room ? rails : `…${rails.slice(rails.length - room + 1)}`;
}
