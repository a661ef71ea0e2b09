// What tasks wait for, in their rows and in those of the targets: the writer's side.
//
// Called at every wait of the program. So these are functions that close over their tables, and not methods of a class: V8
// has the addresses of the tables in the machine code then, which makes them three times as fast.

import { type Instrument, type Scope, TaskNode, type Waiter, waitsOf } from "../lowlevel.ts";
import { resourceIdOf } from "./facts.ts";
import type { RecorderParts } from "./recorder-parts.ts";
import { beginChange, endChange, EVENT_KIND, FLAG, NUMBER, TARGET, TASK, WORD } from "./shared-memory.ts";

/** The hooks for waits, and what writes down one that had begun before. */
export interface WaitHooks extends Required<Pick<Instrument, "suspended" | "resumed">> {
  /** A wait of the task in the row begins. Returns the row of its target. */
  beginWait(row: number, waiter: Waiter<never>, now: number): number;
}

/** Writes down that waits begin and end. */
export function waitHooks({ memory, clock, tasks, targets, writeEvent }: RecorderParts): WaitHooks {
  const { header, numbers, taskWords, taskNumbers, targets: targetWords } = memory;

  function beginWait(row: number, { target }: Waiter<never>, now: number): number {
    const at = row * TASK.words;
    const targetRow = targets.rowOf(target);
    const targetAt = targetRow * TARGET.words;
    const waiters = ++(targetWords[targetAt + TARGET.waiters] as number);
    if (waiters > (targetWords[targetAt + TARGET.mostWaiters] as number)) {
      targetWords[targetAt + TARGET.mostWaiters] = waiters;
    }
    (targetWords[targetAt + TARGET.waits] as number)++;
    taskWords[at + TASK.target] = targetRow;
    taskWords[at + TASK.other] = target instanceof TaskNode ? target.id : 0;
    taskWords[at + TASK.flags]! |= FLAG.started;
    (taskWords[at + TASK.steps] as number)++;
    if ((taskWords[at + TASK.openWaits] as number)++ === 0) taskNumbers[row * TASK.numbers + TASK.since] = now;
    return targetRow;
  }

  // Returns how many more go on.
  function endWait(row: number, task: TaskNode, waiter: Waiter<never>, now: number): number {
    const at = row * TASK.words;
    const open = taskWords[at + TASK.openWaits] as number;
    // The row has the target of the newest wait; of one alone that is this one.
    const target = open === 1 ? (taskWords[at + TASK.target] as number) : targets.rowOf(waiter.target);
    const waitersAt = target * TARGET.words + TARGET.waiters;
    // Not below zero: the wait may have begun before we listened.
    if ((targetWords[waitersAt] as number) > 0) (targetWords[waitersAt] as number)--;
    if (open > 1) {
      taskWords[at + TASK.openWaits] = open - 1;
      showOther(row, task, waiter);
      return open - 1;
    }
    const numbersAt = row * TASK.numbers;
    taskWords[at + TASK.openWaits] = 0;
    (taskNumbers[numbersAt + TASK.waited] as number) += now - (taskNumbers[numbersAt + TASK.since] as number);
    taskNumbers[numbersAt + TASK.since] = now;
    taskWords[at + TASK.turn] = header[WORD.turn] as number;
    return 0;
  }

  // Its row tells of the wait that has ended; another one goes on.
  function showOther(row: number, task: TaskNode, ended: Waiter<never>): void {
    const other = waitsOf(task).findLast((waiter) => waiter !== ended);
    if (other === undefined) return;
    taskWords[row * TASK.words + TASK.target] = targets.rowOf(other.target);
    taskWords[row * TASK.words + TASK.other] = other.target instanceof TaskNode ? other.target.id : 0;
  }

  const isSampled = (row: number): boolean =>
    ((taskWords[row * TASK.words + TASK.flags] as number) & FLAG.sampled) !== 0;

  function suspended(waiter: Waiter<never>): void {
    const { task } = waiter.scope as Scope;
    if (task === null) return;
    const now = clock.now();
    beginChange(memory);
    (numbers[NUMBER.waits] as number)++;
    const row = tasks.find(task.id);
    if (row !== -1) {
      const target = beginWait(row, waiter, now);
      if (writeEvent !== null && isSampled(row)) {
        const at = row * TASK.words;
        const label = targetWords[target * TARGET.words + TARGET.label] as number;
        const other = taskWords[at + TASK.other] as number;
        writeEvent(now, EVENT_KIND.wait, task.id, label, resourceIdOf(targetWords, target), other);
      }
    }
    endChange(memory);
  }

  function resumed(waiter: Waiter<never>): void {
    const { task } = waiter.scope as Scope;
    if (task === null) return;
    const row = tasks.find(task.id);
    if (row === -1) return;
    const now = clock.nowTogether();
    beginChange(memory);
    const left = endWait(row, task, waiter, now);
    if (writeEvent !== null && isSampled(row)) writeEvent(now, EVENT_KIND.resume, task.id, left, 0, 0);
    endChange(memory);
  }

  return { suspended, resumed, beginWait };
}
