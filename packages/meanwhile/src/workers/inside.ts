// What code can ask and tell while it runs in a worker.

import { currentScopeNode, type TaskNode } from "../lowlevel.ts";

/** The worker, for the code that runs in it. */
export interface Surroundings {
  /** The slot of the job that a task runs; undefined for tasks that are part of one. */
  slotOf(task: TaskNode): number | undefined;
  /** Tells the caller of the job. */
  report(slot: number, value: unknown): void;
  /** Whether the caller wants the job to end. */
  isCancelRequested(slot: number): boolean;
}

let surroundings: Surroundings | null = null;

/** From now on this thread is a worker. */
export function surroundBy(worker: Surroundings): void {
  surroundings = worker;
}

/** The slot of the job that the running code is part of; null outside of a worker. */
function currentSlot(worker: Surroundings): number | null {
  for (let scope = currentScopeNode(); ;) {
    const slot = scope.task === null ? undefined : worker.slotOf(scope.task);
    if (slot !== undefined) return slot;
    if (scope.parent === null) return null;
    scope = scope.parent;
  }
}

/**
 * Tells the caller how far the job is: the values come out of `job.progress` of the job that `start` returned, in order.
 * Outside of a worker it does nothing, so a function that reports can be called anywhere.
 *
 * @param value - anything that can be cloned
 * @throws the error of the clone, for what cannot be cloned
 *
 * @example
 * ```ts
 * import { reportProgress } from "meanwhile/workers";
 *
 * export function count(limit: number): number {
 *   let sum = 0;
 *   for (let i = 1; i <= limit; i++) {
 *     sum += i;
 *     if (i % 1_000 === 0) reportProgress(i / limit);
 *   }
 *   return sum;
 * }
 * console.log(count(4)); //> 10
 * ```
 */
export function reportProgress(value: unknown): void {
  const slot = surroundings === null ? null : currentSlot(surroundings);
  if (slot !== null) surroundings?.report(slot, value);
}

/**
 * Whether the job should end: its caller was cancelled, or its time is up. For loops that compute without ever awaiting: code
 * that awaits is told by its checkpoints. What a loop returns early is delivered to a caller that still waits; to end as
 * cancelled call `throwIfCancelled` of `meanwhile/lowlevel`. Outside of a worker it tells whether the current scope is
 * cancelled.
 *
 * @example
 * ```ts
 * import { isCancelRequested } from "meanwhile/workers";
 *
 * export function smallestDivisor(number: number): number | undefined {
 *   for (let i = 2; i <= number; i++) {
 *     if (i % 10_000 === 0 && isCancelRequested()) return undefined;
 *     if (number % i === 0) return i;
 *   }
 *   return undefined;
 * }
 * console.log(smallestDivisor(91)); //> 7
 * ```
 */
export function isCancelRequested(): boolean {
  if (currentScopeNode().effective !== null) return true;
  const slot = surroundings === null ? null : currentSlot(surroundings);
  return slot !== null && surroundings !== null && surroundings.isCancelRequested(slot);
}
