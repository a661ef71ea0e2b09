// Reads tasks, ended tasks and resources out of a copy of the tables.

import { readName } from "../name-table.ts";
import type { Counts, EndedTask, OpenScope, Place, Resource, TaskOutcome, TaskRecord, Wait } from "../protocol.ts";
import { ENDED, FLAG, NUMBER, type SharedMemory, TARGET, TARGET_FLAG, TASK, WORD } from "../shared-memory.ts";
import { round } from "./loop-delay.ts";

/** A live task as its row tells it, for those who look at many. */
export interface TaskRow {
  readonly id: number;
  readonly parent: number;
  readonly row: number;
  /** `quiet` waits for something that is not of meanwhile, as far as one can tell from outside. */
  readonly activity: "new" | "running" | "waiting" | "quiet";
  readonly sinceMs: number;
  /** 0 if it was not cancelled. */
  readonly cancelledAtMs: number;
  readonly target: number;
  readonly other: number;
  readonly openWaits: number;
  readonly steps: number;
  readonly children: number;
}

/** Waits for a promise that is not of meanwhile are not told by anybody. */
export const FOREIGN_PROMISE = "a promise that is not one of meanwhile";

const OUTCOMES: readonly TaskOutcome[] = ["succeeded", "failed", "cancelled"];

/** All rows of live tasks, by id. */
export function taskRows(memory: SharedMemory): TaskRow[] {
  const rows: TaskRow[] = [];
  for (let row = 0; row < memory.capacities.tasks; row++) {
    if ((memory.taskWords[row * TASK.words + TASK.id] as number) > 0) rows.push(taskRow(memory, row));
  }
  return rows.toSorted((one, other) => one.id - other.id);
}

function taskRow(memory: SharedMemory, row: number): TaskRow {
  const { taskWords, taskNumbers } = memory;
  const word = (field: number): number => taskWords[row * TASK.words + field] as number;
  const time = (field: number): number => taskNumbers[row * TASK.numbers + field] as number;
  const openWaits = word(TASK.openWaits);
  return {
    id: word(TASK.id),
    parent: word(TASK.parent),
    row,
    activity: openWaits > 0 ? "waiting" : activityOf(memory, word(TASK.turn), (word(TASK.flags) & FLAG.started) !== 0),
    sinceMs: time(TASK.since),
    cancelledAtMs: time(TASK.cancelledAt),
    target: word(TASK.target),
    other: word(TASK.other),
    openWaits,
    steps: word(TASK.steps),
    children: word(TASK.children),
  };
}

/** A task that waits for nothing of ours, although the loop has turned since it could run, waits for something else. */
function activityOf({ header }: SharedMemory, turn: number, started: boolean): TaskRow["activity"] {
  const turns = ((header[WORD.turn] as number) - turn) | 0;
  if (turns >= 2) return "quiet";
  return started || turns === 1 ? "running" : "new";
}

/** What is known of places and stacks beside the tables. */
export interface Details {
  /** What a task has told, if it still waits for the same. */
  toldOf(task: TaskRow): { readonly waits: readonly Wait[]; readonly scopes: readonly OpenScope[] } | null;
  /** Where it was created. */
  stackWith(id: number): readonly Place[];
}

/** A row as it is sent. */
export function taskRecord(memory: SharedMemory, row: TaskRow, details: Details): TaskRecord {
  const { taskWords, taskNumbers } = memory;
  const at = row.row * TASK.words;
  const isWaiting = row.activity === "waiting" || row.activity === "quiet";
  const told = isWaiting ? details.toldOf(row) : null;
  return {
    id: row.id,
    name: nameOf(memory, row.row, row.id),
    parent: row.parent === 0 ? null : row.parent,
    activity: row.activity === "quiet" ? "waiting" : row.activity,
    createdAtMs: round(taskNumbers[row.row * TASK.numbers + TASK.createdAt] as number),
    createdAt: details.stackWith(taskWords[at + TASK.stack] as number),
    sinceMs: round(row.sinceMs),
    waits: isWaiting ? (told?.waits ?? [waitOf(memory, row)]) : [],
    scopes: told?.scopes ?? [],
    cancelledAtMs: row.cancelledAtMs === 0 ? null : round(row.cancelledAtMs),
    steps: row.steps,
    waitedMs: round(taskNumbers[row.row * TASK.numbers + TASK.waited] as number),
  };
}

function waitOf(memory: SharedMemory, row: TaskRow): Wait {
  const { sinceMs: since, other, target } = row;
  const sinceMs = round(since);
  const none = { resource: null, task: null, sinceMs, stack: [] };
  if (row.activity === "quiet") return { ...none, for: FOREIGN_PROMISE, foreign: true };
  const label = labelOf(memory, target);
  if (other !== 0) return { ...none, for: `task ${other}`, task: other, foreign: false };
  return { ...none, for: label, resource: resourceId(memory, target), foreign: isForeign(memory, target) };
}

/** What is waited for, without what is true only now. */
export function labelOf(memory: SharedMemory, target: number): string {
  return readName(memory, memory.targets[target * TARGET.words + TARGET.label] as number) ?? "something";
}

/** Whether a target is not of meanwhile. */
export function isForeign({ targets }: SharedMemory, target: number): boolean {
  return ((targets[target * TARGET.words + TARGET.flags] as number) & TARGET_FLAG.foreign) !== 0;
}

const LIVE_RESOURCE = TARGET_FLAG.resource | TARGET_FLAG.used;

/** The id of the resource in a row of targets; null if it is none. */
export function resourceId({ targets }: SharedMemory, target: number): number | null {
  const at = target * TARGET.words;
  if (((targets[at + TARGET.flags] as number) & LIVE_RESOURCE) !== LIVE_RESOURCE) return null;
  return ((targets[at + TARGET.generation] as number) << 16) | target;
}

/** The name of the task in a row. */
export function nameOf(memory: SharedMemory, row: number, id: number): string {
  return readName(memory, memory.taskWords[row * TASK.words + TASK.name] as number) ?? `task ${id}`;
}

/** The tasks that have ended with a number above `after`, the oldest first; those that are still kept. */
export function endedTasks(memory: SharedMemory, after: number): EndedTask[] {
  const { header, numbers, capacities } = memory;
  const count = Math.min(numbers[NUMBER.ended] as number, capacities.ended, (numbers[NUMBER.ended] as number) - after);
  const head = header[WORD.endedHead] as number;
  const found: EndedTask[] = [];
  for (let i = count; i > 0; i--) found.push(endedTask(memory, (head - i + capacities.ended) % capacities.ended));
  return found;
}

function endedTask(memory: SharedMemory, index: number): EndedTask {
  const { endedWords, endedNumbers } = memory;
  const word = (field: number): number => endedWords[index * ENDED.words + field] as number;
  const time = (field: number): number => endedNumbers[index * ENDED.numbers + field] as number;
  const id = word(ENDED.id);
  return {
    id,
    name: readName(memory, word(ENDED.name)) ?? `task ${id}`,
    parent: word(ENDED.parent) === 0 ? null : word(ENDED.parent),
    createdAtMs: round(time(ENDED.createdAt)),
    endedAtMs: round(time(ENDED.endedAt)),
    outcome: OUTCOMES[word(ENDED.outcome) - 1] ?? "succeeded",
    cancelledAtMs: time(ENDED.cancelledAt) === 0 ? null : round(time(ENDED.cancelledAt)),
    steps: word(ENDED.steps),
    waitedMs: round(time(ENDED.waited)),
  };
}

/** What resources have told of themselves: by their rows. */
export type ToldResources = ReadonlyMap<number, Pick<Resource, "description" | "holders">>;

/** The resources in a copy of the tables, with who waits for them. */
export function resourcesIn(memory: SharedMemory, rows: readonly TaskRow[], told: ToldResources): Resource[] {
  const waiters = new Map<number, TaskRow[]>();
  for (const row of rows) {
    if (row.activity !== "waiting") continue;
    const known = waiters.get(row.target);
    if (known === undefined) waiters.set(row.target, [row]);
    else known.push(row);
  }
  const found: Resource[] = [];
  for (let row = 0; row < memory.capacities.targets; row++) {
    const id = resourceId(memory, row);
    if (id === null) continue;
    const at = row * TARGET.words;
    const kind = labelOf(memory, row);
    found.push({
      id,
      kind,
      description: told.get(row)?.description ?? kind,
      holders: told.get(row)?.holders ?? [],
      waiters: (waiters.get(row) ?? []).toSorted((one, other) => one.sinceMs - other.sinceMs).map((task) => task.id),
      mostWaiters: memory.targets[at + TARGET.mostWaiters] as number,
      waits: (memory.targets[at + TARGET.waits] as number) >>> 0,
    });
  }
  return found;
}

/** What was counted. */
export function countsIn({ numbers }: SharedMemory): Counts {
  const at = (index: number): number => numbers[index] as number;
  return {
    created: at(NUMBER.created),
    succeeded: at(NUMBER.succeeded),
    failed: at(NUMBER.failed),
    cancelled: at(NUMBER.cancelled),
    live: at(NUMBER.live),
    unrecorded: at(NUMBER.unrecorded),
    waits: at(NUMBER.waits),
    events: at(NUMBER.events),
  };
}
