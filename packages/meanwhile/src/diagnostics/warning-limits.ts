// From when on something is worth a warning.

/** From when on diagnostics warn of what. `Infinity` for never. */
export interface WarningLimits {
  /** Milliseconds that a cancelled task may go on. Default: 1 000. */
  readonly cancelledMs: number;
  /** Milliseconds that a task may wait with no deadline around it. Default: 60 000. */
  readonly noDeadlineMs: number;
  /** Milliseconds that a lock may be held by one task while others wait. Default: 5 000. */
  readonly lockHeldMs: number;
  /** Milliseconds that a queue may be full or empty while somebody waits. Default: 10 000. */
  readonly queueStuckMs: number;
  /** Milliseconds that somebody may wait for a semaphore, a limiter or a pool. Default: 10 000. */
  readonly poolExhaustedMs: number;
  /** How many children of one task may live at once. Default: 1 000. */
  readonly children: number;
  /** How many attempts may be repeated within 10 seconds. Default: 100. */
  readonly retries: number;
  /** Milliseconds that a promise which is not of meanwhile may be pending. Default: 30 000. */
  readonly foreignMs: number;
  /** Milliseconds that a loop may await one after another what could be awaited at once. Default: 2 000. */
  readonly loopedAwaitsMs: number;
  /** Milliseconds that tasks may wait for each other before they are looked at for a circle. Default: 1 000. */
  readonly cycleMs: number;
}

/** The defaults. */
export const WARNING_LIMITS: WarningLimits = {
  cancelledMs: 1_000,
  noDeadlineMs: 60_000,
  lockHeldMs: 5_000,
  queueStuckMs: 10_000,
  poolExhaustedMs: 10_000,
  children: 1_000,
  retries: 100,
  foreignMs: 30_000,
  loopedAwaitsMs: 2_000,
  cycleMs: 1_000,
};
