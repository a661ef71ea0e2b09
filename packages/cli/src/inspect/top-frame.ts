// Draws what `meanwhile top` shows as lines. Pure: the same state and view give the same lines.

import { groupAlike, type LiveState, type TaskRecord, type Warning } from "meanwhile/diagnostics";

import { formatCount, formatMs, plural } from "../output/format.ts";
import { padTo } from "../output/text-width.ts";
import { labelOf, matches, sinceOf, stateOf, waitsOf, whichOf } from "./describe.ts";
import { blockLines, currentWarnings, headOf, WARNING_COLOURS } from "./overview.ts";
import { type Paper, safe } from "./paper.ts";
import type { StepRates } from "./step-rates.ts";
import { type Column, renderTable, type Row, styleOfState } from "./table.ts";
import type { Sort, TopView } from "./top-view.ts";

/** What is drawn. */
export interface TopFrame {
  readonly state: LiveState;
  readonly rates: StepRates;
  readonly view: TopView;
}

/** So much of the screen is not for what is wrong: titles, tasks and keys. */
const LEAST_ROWS = 5;
const WIDE = 100;

/** The lines of a screen with so many rows; fewer if there is no more to show. */
export function renderTop({ state, rates, view }: TopFrame, paper: Paper, rows: number): string[] {
  const { hello, loop, counts } = state;
  if (hello === null || loop === null || counts === null) return [paper.line("waiting for the program…", "dim")];
  const { unrecorded } = counts;
  const head = [
    ...headOf({ hello, atMs: state.atMs, loop, tasks: state.tasks.values(), unrecorded }, paper),
    ...troubles(state, paper, Math.max(2, Math.floor(rows / 4))),
    "",
  ];
  const top = head.slice(0, Math.max(1, rows - LEAST_ROWS));
  const room = Math.max(1, rows - top.length - 2);
  const groups = sorted(groupsOf(state, view), view, rates);
  const start = Math.min(view.scrolled, Math.max(0, groups.length - room));
  const shown = groups.slice(start, start + room).map((group) => rowOf(group, { state, rates, paper }));
  const table = renderTable(columnsFor(paper), shown, paper, { clips: true });
  const below = footer(view, { shown: shown.length, start, all: groups.length }, paper);
  return [...top, ...table, ...Array.from({ length: room - shown.length }, () => ""), below].slice(
    0,
    Math.max(1, rows),
  );
}

/** What is wrong, a line for each thing. */
function troubles(state: LiveState, paper: Paper, most: number): string[] {
  const warnings = currentWarnings(state.warnings, { withCycles: true });
  const lines = warnings.slice(0, most).map((warning) => warningLine(warning, paper));
  const more = warnings.length - lines.length;
  const rest = more > 0 ? [paper.line(`… and ${plural(more, "more warning")}: see meanwhile ps`, "dim")] : [];
  return [...blockLines(state.blocked, paper), ...lines, ...rest];
}

function warningLine({ severity, message }: Warning, paper: Paper): string {
  return paper.line(`! ${safe(message.replaceAll("\n", " "))}`, WARNING_COLOURS[severity]);
}

function groupsOf({ tasks }: LiveState, { all, filter }: TopView): TaskRecord[][] {
  const chosen = [...tasks.values()].filter((task) => filter === "" || matches(task, filter));
  return all ? chosen.map((task) => [task]) : groupAlike(chosen);
}

type Group = readonly TaskRecord[];

/** What is compared, the largest first; names the other way round. */
const KEYS: Readonly<Record<Exclude<Sort, "name">, (group: Group, rates: StepRates) => number>> = {
  since: (group) => -leastOf(group, ({ sinceMs }) => sinceMs),
  age: (group) => -leastOf(group, ({ createdAtMs }) => createdAtMs),
  count: (group) => group.length,
  steps: stepsOf,
};

function sorted(groups: TaskRecord[][], { sort, reversed }: TopView, rates: StepRates): TaskRecord[][] {
  const order = sort === "name" ? byName(groups) : byNumber(groups, (group) => KEYS[sort](group, rates));
  return reversed ? order.toReversed() : order;
}

function byName(groups: TaskRecord[][]): TaskRecord[][] {
  return groups.toSorted(([a], [b]) => ((a?.name ?? "") < (b?.name ?? "") ? -1 : 1));
}

function byNumber(groups: TaskRecord[][], keyOf: (group: Group) => number): TaskRecord[][] {
  const keyed = groups.map((group) => ({ group, key: keyOf(group) }));
  return keyed.toSorted((a, b) => b.key - a.key).map(({ group }) => group);
}

function stepsOf(group: Group, rates: StepRates): number {
  return group.reduce((sum, { id }) => sum + rates.of(id), 0);
}

function leastOf(group: Group, numberOf: (task: TaskRecord) => number): number {
  return group.reduce((least, task) => Math.min(least, numberOf(task)), Infinity);
}

function columnsFor({ width }: Paper): Column[] {
  const [age]: Column[] = [{ title: "AGE", align: "start" }];
  return [
    { title: "TASK", align: "start" },
    { title: "NAME" },
    { title: "STATE", styleOf: styleOfState },
    { title: "SINCE", align: "start" },
    ...(width >= WIDE && age !== undefined ? [age] : []),
    { title: "STEPS/S", align: "start" },
    { title: "WAITS FOR" },
  ];
}

function rowOf(group: Group, { state, rates, paper }: { state: LiveState; rates: StepRates; paper: Paper }): Row {
  const [task] = group;
  const waits = waitsOf(group);
  const reason = `${waits[0]?.text ?? ""}${waits.length > 1 ? ` and ${waits.length - 1} more` : ""}`;
  const age = formatMs(state.atMs - leastOf(group, ({ createdAtMs }) => createdAtMs));
  const steps = stepsOf(group, rates);
  const rate = steps > 0 && steps < 10 ? steps.toFixed(1) : formatCount(steps);
  const start = [whichOf(group), labelOf(group), task === undefined ? "" : stateOf(task), sinceOf(group, state.atMs)];
  return { cells: [...start, ...(paper.width >= WIDE ? [age] : []), rate, reason], below: [] };
}

interface Shown {
  readonly shown: number;
  readonly start: number;
  readonly all: number;
}

function footer(view: TopView, { shown, start, all }: Shown, paper: Paper): string {
  const bar = (text: string): string => paper.line(padTo(paper.width, text), "inverse");
  if (view.isTyping) return bar(`/${safe(view.filter)}▏  Enter keeps it, Esc removes it`);
  const filter = view.filter === "" ? "" : `  filter "${safe(view.filter)}"`;
  const order = `${view.sort}${view.reversed ? " (reversed)" : ""}`;
  const rows = shown < all ? `${start + 1}-${start + shown} of ${formatCount(all)}` : plural(all, "row");
  const paused = view.isPaused ? "PAUSED  " : "";
  const keys = `q quit  s sort: ${order}  r reverse  g ${view.all ? "group" : "ungroup"}  / filter  p pause`;
  return bar(`${paused}${rows}${filter}  ${keys}`);
}
