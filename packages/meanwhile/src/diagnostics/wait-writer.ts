// What tasks wait for, in their rows and in those of the targets: the writer's side.

import { type TaskNode, type Waiter, waitsOf } from "../lowlevel.ts";
import { otherOf } from "./facts.ts";
import { FLAG, type SharedMemory, TARGET, TASK, WORD } from "./shared-memory.ts";
import type { TargetTable } from "./target-table.ts";

/** Writes down that waits begin and end. */
export class WaitWriter {
  readonly #memory: SharedMemory;
  readonly #targets: TargetTable;

  constructor(memory: SharedMemory, targets: TargetTable) {
    this.#memory = memory;
    this.#targets = targets;
  }

  /** A wait of the task in the row begins. Returns the row of its target. */
  begin(row: number, waiter: Waiter<never>, now: number): number {
    const { taskWords, taskNumbers, targets } = this.#memory;
    const at = row * TASK.words;
    const target = this.#targets.rowOf(waiter.target);
    const targetAt = target * TARGET.words;
    const waiters = ++(targets[targetAt + TARGET.waiters] as number);
    if (waiters > (targets[targetAt + TARGET.mostWaiters] as number)) targets[targetAt + TARGET.mostWaiters] = waiters;
    (targets[targetAt + TARGET.waits] as number)++;
    taskWords[at + TASK.target] = target;
    taskWords[at + TASK.other] = otherOf(waiter);
    taskWords[at + TASK.flags]! |= FLAG.started;
    (taskWords[at + TASK.steps] as number)++;
    if ((taskWords[at + TASK.openWaits] as number)++ === 0) taskNumbers[row * TASK.numbers + TASK.since] = now;
    return target;
  }

  /** A wait of the task in the row has ended. Returns how many more go on. */
  end(row: number, task: TaskNode, waiter: Waiter<never>, now: number): number {
    const { taskWords, taskNumbers, targets, header } = this.#memory;
    const at = row * TASK.words;
    const targetAt = this.#targets.rowOf(waiter.target) * TARGET.words;
    // Not below zero: the wait may have begun before we listened.
    if ((targets[targetAt + TARGET.waiters] as number) > 0) (targets[targetAt + TARGET.waiters] as number)--;
    const left = Math.max(0, (taskWords[at + TASK.openWaits] as number) - 1);
    taskWords[at + TASK.openWaits] = left;
    if (left === 0) {
      const numbersAt = row * TASK.numbers;
      (taskNumbers[numbersAt + TASK.waited] as number) += now - (taskNumbers[numbersAt + TASK.since] as number);
      taskNumbers[numbersAt + TASK.since] = now;
      taskWords[at + TASK.turn] = header[WORD.turn] as number;
    } else this.#showOther(row, task, waiter);
    return left;
  }

  // Its row tells of the wait that has ended; another one goes on.
  #showOther(row: number, task: TaskNode, ended: Waiter<never>): void {
    const other = waitsOf(task).findLast((waiter) => waiter !== ended);
    if (other === undefined) return;
    this.#memory.taskWords[row * TASK.words + TASK.target] = this.#targets.rowOf(other.target);
    this.#memory.taskWords[row * TASK.words + TASK.other] = otherOf(other);
  }
}
