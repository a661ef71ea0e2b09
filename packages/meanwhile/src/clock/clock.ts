// What the kernel needs of time. Everything that waits reads it through the run's clock.

/**
 * A source of time with one alarm. Implement it to run a program on another time, as `MockClock` does.
 *
 * @example
 * ```ts
 * import type { Clock } from "meanwhile/lowlevel";
 *
 * class FrozenClock implements Clock {
 *   readonly resolutionMs = 0;
 *   now(): number { return 0; }
 *   setAlarm(): void {}
 *   clearAlarm(): void {}
 * }
 * void new FrozenClock();
 * ```
 */
export interface Clock {
  /** Deadlines are rounded up to a multiple of this many milliseconds; 0 keeps them exact. */
  readonly resolutionMs: number;
  /** Milliseconds on a scale that never goes back; only differences mean something. */
  now(): number;
  /** Calls `ring` once at or after `deadline`, in place of the alarm set before. May ring early. */
  setAlarm(deadline: number, ring: () => void): void;
  /** Forgets the alarm; a clock without an alarm keeps nothing alive. */
  clearAlarm(): void;
}
