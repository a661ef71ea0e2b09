// The clock of the program, read from the worker.

/** Milliseconds of the machine's monotonic clock: the same in all threads. */
export function machineMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

/** Tells the time of the program: `performance.now()` of the thread that is looked at. */
export type ProgramClock = () => number;

/** The clock of a program of which the origin is known. */
export function programClock(origin: number): ProgramClock {
  return () => machineMs() - origin;
}
