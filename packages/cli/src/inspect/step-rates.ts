// How many steps tasks make in a second: the change since about a second ago.

import type { LiveState } from "meanwhile/diagnostics";

const EVERY_MS = 1_000;

/** Keeps the rates of the live tasks. */
export class StepRates {
  #counted = new Map<number, number>();
  #rates = new Map<number, number>();
  #atMs = -Infinity;

  /** Looks at the tasks, if it is time to. */
  look({ atMs, tasks, counts }: LiveState): void {
    const passedMs = atMs - this.#atMs;
    if (counts === null || passedMs < EVERY_MS) return;
    const rates = new Map<number, number>();
    const counted = new Map<number, number>();
    for (const { id, steps } of tasks.values()) {
      counted.set(id, steps);
      const before = this.#counted.get(id);
      if (before !== undefined && steps > before) rates.set(id, ((steps - before) / passedMs) * 1_000);
    }
    this.#rates = rates;
    this.#counted = counted;
    this.#atMs = atMs;
  }

  /** Steps in a second; 0 if that is not known yet. */
  of(task: number): number {
    return this.#rates.get(task) ?? 0;
  }
}
