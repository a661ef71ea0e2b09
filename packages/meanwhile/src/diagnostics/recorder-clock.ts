// What time it is for the recorder. To read the clock of the machine takes longer than to write down what has happened, so
// it is read as rarely as can be.

import { NUMBER, type SharedMemory } from "./shared-memory.ts";

const { performance } = globalThis;

/** Tells the time, as exactly as it is needed. */
export interface RecorderClock {
  /** The time now. */
  now(): number;
  /**
   * The time of what happens to many at once, like the wake-ups when a timer has come: if nothing else was written down
   * since the one before, and no more than a few milliseconds have passed, it is the time of that.
   */
  nowTogether(): number;
}

/** The clock for events. */
export function exactClock({ numbers }: SharedMemory): RecorderClock {
  let newest = 0;
  // The time of the worker when `newest` was read, if what was written since happened together with it; else -1.
  let together = -1;
  return {
    now: () => {
      together = -1;
      return performance.now();
    },
    nowTogether: () => {
      const coarse = numbers[NUMBER.coarseTime] as number;
      if (coarse !== together) {
        // Before the worker runs it is 0, which tells nothing.
        together = coarse === 0 ? -1 : coarse;
        newest = performance.now();
      }
      return newest;
    },
  };
}

/**
 * The clock for states: the time that the worker writes down every few milliseconds, also while this thread is blocked.
 * That is enough for them, and costs nothing.
 */
export function coarseClock({ numbers }: SharedMemory): RecorderClock {
  const now = (): number => {
    const coarse = numbers[NUMBER.coarseTime] as number;
    // The worker does not run yet.
    return coarse === 0 ? performance.now() : coarse;
  };
  return { now, nowTogether: now };
}
