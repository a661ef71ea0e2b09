// The rows of tasks, from their beginning to their end: the writer's side. Functions that close over their tables, for the
// reason that wait-hooks.ts gives.

import type { Instrument, TaskNode } from "../lowlevel.ts";
import { copyToEnded } from "./ended-table.ts";
import { nameOf, parentOf } from "./facts.ts";
import type { RecorderParts } from "./recorder-parts.ts";
import { beginChange, endChange, EVENT_KIND, FLAG, NUMBER, TASK, WORD } from "./shared-memory.ts";

const OUTCOMES = { succeeded: 1, failed: 2, cancelled: 3 } as const;

/** The hooks for tasks, and what adds and marks a row. */
export interface TaskHooks extends Required<Pick<Instrument, "taskCreated" | "taskEnded">> {
  /** Adds a task. Returns its row; -1 if there is no room. */
  readonly add: (task: TaskNode, now: number) => number;
  /** The code of the task in the row is cancelled. */
  readonly mark: (row: number, now: number) => void;
}

/** Writes down that tasks are made and end. */
export function taskHooks(parts: RecorderParts): TaskHooks {
  const { memory, clock, names, tasks, writeEvent, stacks, sampling, nodes } = parts;
  const { header, numbers, taskWords, taskNumbers } = memory;

  function add(task: TaskNode, now: number): number {
    const { id } = task;
    const row = tasks.insert(id);
    if (row === -1) {
      (numbers[NUMBER.unrecorded] as number)++;
      return row;
    }
    (numbers[NUMBER.live] as number)++;
    nodes[row] = task;
    const at = row * TASK.words;
    const parent = parentOf(task);
    taskWords[at + TASK.parent] = parent;
    taskWords[at + TASK.name] = names.use(nameOf(task));
    taskWords[at + TASK.flags] = sampling === 1 || id % sampling === 0 ? FLAG.sampled : 0;
    taskWords[at + TASK.turn] = header[WORD.turn] as number;
    const numbersAt = row * TASK.numbers;
    taskNumbers[numbersAt + TASK.createdAt] = now;
    taskNumbers[numbersAt + TASK.since] = now;
    if (task.scope.effective !== null) mark(row, now);
    if (parent !== 0) addChildren(parent, 1);
    return row;
  }

  function mark(row: number, now: number): void {
    const numbersAt = row * TASK.numbers + TASK.cancelledAt;
    taskWords[row * TASK.words + TASK.flags]! |= FLAG.cancelled;
    if ((taskNumbers[numbersAt] as number) === 0) taskNumbers[numbersAt] = now;
  }

  function addChildren(parent: number, count: 1 | -1): void {
    const row = tasks.find(parent);
    if (row !== -1) (taskWords[row * TASK.words + TASK.children] as number) += count;
  }

  function taskCreated(task: TaskNode): void {
    const now = clock.nowTogether();
    beginChange(memory);
    (numbers[NUMBER.created] as number)++;
    const row = add(task, now);
    if (row !== -1 && stacks !== null) taskWords[row * TASK.words + TASK.stack] = stacks.take(task.id, now);
    if (writeEvent !== null) {
      const name = row === -1 ? 0 : (taskWords[row * TASK.words + TASK.name] as number);
      writeEvent(now, EVENT_KIND.created, task.id, parentOf(task), name, 0);
    }
    endChange(memory);
  }

  function remove(row: number): void {
    (numbers[NUMBER.live] as number)--;
    const at = row * TASK.words;
    // Its name stays where it is until another one needs the room; a reader finds that out.
    names.release(taskWords[at + TASK.name] as number);
    const parent = taskWords[at + TASK.parent] as number;
    if (parent !== 0) addChildren(parent, -1);
    nodes[row] = undefined;
    tasks.remove(row);
  }

  function taskEnded(task: TaskNode): void {
    const now = clock.now();
    const outcome = task.state.kind as keyof typeof OUTCOMES;
    beginChange(memory);
    (numbers[NUMBER[outcome]] as number)++;
    const row = tasks.find(task.id);
    if (row === -1) (numbers[NUMBER.unrecorded] as number)--;
    else {
      copyToEnded(memory, row, OUTCOMES[outcome], now);
      remove(row);
    }
    if (writeEvent !== null) writeEvent(now, EVENT_KIND.ended, task.id, OUTCOMES[outcome], 0, 0);
    endChange(memory);
  }

  return { taskCreated, taskEnded, add, mark };
}
