// What is probably a mistake, in one look at the tables. What the tables cannot tell is asked of the program.

import type { Place, Warning } from "../protocol.ts";
import type { SharedMemory } from "../shared-memory.ts";
import type { WarningLimits } from "../warning-limits.ts";
import { heldRows, type ProgramLink } from "./program.ts";
import { FOREIGN_PROMISE, isForeign, labelOf, nameOf, resourceId, type TaskRow } from "./state.ts";
import type { ToldTask } from "./told.ts";
import { mustBeAsked, type Waiting } from "./wait-cycles.ts";

/** Something that was found; `key` tells whether it was found before. */
export interface Finding extends Omit<Warning, "id" | "count" | "overAtMs"> {
  readonly key: string;
}

/** What is looked at. */
export interface Look {
  readonly memory: SharedMemory;
  readonly rows: readonly TaskRow[];
  readonly now: number;
  readonly limits: WarningLimits;
  readonly program: ProgramLink;
}

/** How many tasks a finding names. */
export const MOST_NAMED = 20;
/** How many tasks are asked about. */
export const MOST_ASKED = 100;

/** Waits that are meant to be long, and waits for tasks, which have waits of their own. */
export const PATIENT: RegExp =
  /^(?:sleep|sleepForever|task|its tasks|coroutine|the end of |the next turn|the next attempt|the cleanup)/u;

/** Cancelled some time ago, and still there. Those that only wait for their children are not to blame. */
export function cancelledButRunning({ memory, rows, now, limits }: Look): Finding[] {
  const late = rows.filter(
    ({ cancelledAtMs, children }) => cancelledAtMs !== 0 && children === 0 && now - cancelledAtMs > limits.cancelledMs,
  );
  return late.slice(0, MOST_NAMED).map((row) => ({
    key: `cancelled ${row.id}`,
    kind: "cancelled-but-running",
    severity: "warning",
    message: `${taskText(memory, row)} was cancelled ${seconds(now - row.cancelledAtMs)} ago and still runs`,
    remedy: "let CancelledError pass, wrap foreign promises in cancellable(), and give cleanup a shield with timeoutMs",
    tasks: [row.id],
    place: null,
    resource: null,
    sinceMs: row.cancelledAtMs,
  }));
}

/** More children than anybody wants at once. */
export function manyChildren({ memory, rows, now, limits }: Look): Finding[] {
  const parents = rows.filter(({ children }) => children > limits.children);
  return parents.slice(0, MOST_NAMED).map((row) => ({
    key: `children ${row.id}`,
    kind: "many-children",
    severity: "warning",
    message: `${taskText(memory, row)} has ${row.children} children at once`,
    remedy: "limit them: map(items, work, { concurrency: 10 }), or a Semaphore",
    tasks: [row.id],
    place: null,
    resource: null,
    sinceMs: now,
  }));
}

/** Who has waited for long: for something that is not of meanwhile, or with nothing that ends it. */
export async function longWaits(look: Look): Promise<Finding[]> {
  const { memory, rows, now, limits, program } = look;
  const shortest = Math.min(limits.noDeadlineMs, limits.foreignMs);
  const long = rows.filter(
    (row) =>
      (row.activity === "waiting" || row.activity === "quiet") && now - row.sinceMs > shortest && row.children === 0,
  );
  const groups = Map.groupBy(long, (row) => labelOfRow(memory, row));
  const findings: Finding[] = [];
  for (const [label, members] of groups) {
    if (PATIENT.test(label)) continue;
    const oldest = members.toSorted((one, other) => one.sinceMs - other.sinceMs).slice(0, MOST_ASKED);
    const { tasks: told } = await program.askAboutTasks(oldest.map(({ id }) => id));
    // Only those that still wait for the same.
    const sure = oldest.filter((row) => told.get(row.id)?.steps === row.steps);
    const waits: Waits = { label, text: await textOfWait(look, label, sure[0], told), rows: sure, told };
    findings.push(...foreignPending(look, waits), ...withoutDeadline(look, waits));
  }
  return findings;
}

type Told = ReadonlyMap<number, ToldTask>;

/** Tasks that wait for the same kind of thing. */
interface Waits {
  readonly label: string;
  /** What the first of them waits for, in full. */
  readonly text: string;
  readonly rows: readonly TaskRow[];
  readonly told: Told;
}

function foreignPending({ memory, now, limits, program }: Look, { label, text, rows, told }: Waits): Finding[] {
  const late = rows.filter(
    (row) => now - row.sinceMs > limits.foreignMs && (row.activity === "quiet" || isForeign(memory, row.target)),
  );
  return finding(late, (first) => ({
    key: `foreign ${label}`,
    kind: "foreign-pending",
    severity: "info",
    message: `${tasksText(memory, late)} ${late.length === 1 ? "waits" : "wait"} for ${text} for ${seconds(now - first.sinceMs)}`,
    remedy: "give it a timeout(ms, …), and wrap it in cancellable((signal) => …) so that it can be stopped",
    place: program.placeOf(told.get(first.id)),
    resource: null,
  }));
}

function withoutDeadline({ memory, now, limits, program }: Look, { label, text, rows, told }: Waits): Finding[] {
  const late = rows.filter(
    (row) =>
      now - row.sinceMs > limits.noDeadlineMs &&
      row.activity === "waiting" &&
      !isForeign(memory, row.target) &&
      told.get(row.id)?.hasDeadline === false,
  );
  return finding(late, (first) => ({
    key: `deadline ${label}`,
    kind: "no-deadline",
    severity: "info",
    message: `${tasksText(memory, late)} ${late.length === 1 ? "waits" : "wait"} for ${text} for ${seconds(now - first.sinceMs)}, and nothing ends it`,
    remedy: "put timeout(ms, …) around it, unless it is meant to wait for ever",
    place: program.placeOf(told.get(first.id)),
    resource: resourceId(memory, first.target),
  }));
}

/** Tasks that wait for each other in a circle. `cyclesIn` finds them. */
export async function waitCycles(
  { rows, now, limits, memory, program }: Look,
  cyclesIn: (waiting: Waiting) => Promise<ReadonlyArray<readonly number[]>>,
): Promise<Finding[]> {
  const late = rows.filter(
    (row) => row.activity === "waiting" && now - row.sinceMs > limits.cycleMs && !isForeign(memory, row.target),
  );
  if (late.length === 0) {
    await cyclesIn({ memory, rows: [], resources: new Map(), told: new Map() });
    return [];
  }
  const odd = late.filter((row) => mustBeAsked(memory, row)).slice(0, MOST_ASKED);
  const { tasks: told } = await program.askAboutTasks(odd.map(({ id }) => id));
  const { resources } = await program.askAboutResources(heldRows(memory));
  const cycles = await cyclesIn({ memory, rows, resources, told });
  return cycles.map((cycle) => ({
    key: `cycle ${cycle.toSorted((one, other) => one - other).join(" ")}`,
    kind: "wait-cycle",
    severity: "error",
    message: `Tasks ${cycle.join(", ")} wait for each other in a circle, so none of them can go on`,
    remedy: "take locks in the same order everywhere, and do not await a task that waits for you",
    tasks: cycle.slice(0, MOST_NAMED),
    place: null,
    resource: null,
    sinceMs: Math.max(...rows.filter(({ id }) => cycle.includes(id)).map(({ sinceMs }) => sinceMs)),
  }));
}

function finding(rows: readonly TaskRow[], make: (first: TaskRow) => Omit<Finding, "tasks" | "sinceMs">): Finding[] {
  const [first] = rows;
  return first === undefined
    ? []
    : [{ ...make(first), tasks: rows.slice(0, MOST_NAMED).map(({ id }) => id), sinceMs: first.sinceMs }];
}

function labelOfRow(memory: SharedMemory, row: TaskRow): string {
  if (row.activity === "quiet") return FOREIGN_PROMISE;
  return row.other === 0 ? labelOf(memory, row.target) : "task";
}

/** What the first of them waits for, in full. */
async function textOfWait(
  { memory, program }: Look,
  label: string,
  first: TaskRow | undefined,
  told: Told,
): Promise<string> {
  if (first === undefined) return label;
  if (resourceId(memory, first.target) === null) return told.get(first.id)?.waits[0]?.text ?? label;
  const { resources } = await program.askAboutResources([first.target]);
  return resources.get(first.target)?.description ?? label;
}

function tasksText(memory: SharedMemory, rows: readonly TaskRow[]): string {
  const [first] = rows;
  return rows.length === 1 && first !== undefined ? taskText(memory, first) : `${rows.length} tasks`;
}

export function taskText(memory: SharedMemory, { row, id }: TaskRow): string {
  return `Task ${id} "${nameOf(memory, row, id)}"`;
}

/** A time for people. */
export function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}

/** A place where the loop was blocked, or a call that nobody awaited. */
export function placedFinding(
  given: Pick<Finding, "kind" | "message" | "remedy" | "sinceMs"> & {
    readonly place: Place | null;
    readonly tasks: readonly number[];
  },
): Finding {
  const { kind, place, message } = given;
  return {
    severity: "warning",
    resource: null,
    ...given,
    key: place === null ? `${kind} ${message}` : `${kind} ${place.file}:${place.line}`,
  };
}
