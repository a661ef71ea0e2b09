// Every error of the workers and every code it uses. A class exists only where callers catch it apart.

/** The stable codes of errors thrown by `meanwhile/workers`. */
export type WorkerErrorCode =
  | "MW_ERR_WORKER_CAPTURED"
  | "MW_ERR_WORKER_CLOSED"
  | "MW_ERR_WORKER_CRASHED"
  | "MW_ERR_WORKER_INVALID_ARGUMENT"
  | "MW_ERR_WORKER_MODULE"
  | "MW_ERR_WORKER_NOT_CLONEABLE"
  | "MW_ERR_WORKER_QUEUE_FULL"
  | "MW_ERR_WORKER_TERMINATED"
  | "MW_ERR_WORKER_UNKNOWN_FUNCTION"
  | "MW_ERR_WORKER_WOULD_BLOCK";

/**
 * A job could not be carried out by a worker. What the function of the job itself throws is no such error: it is thrown as it
 * is. `code` tells them apart.
 *
 * @see {@link https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.process.BrokenProcessPool}
 */
export class WorkerError extends Error {
  override readonly name: string = "WorkerError";
  /** Stable code of the error. */
  readonly code: WorkerErrorCode;

  /** @internal */
  constructor(code: WorkerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** How a worker came to its end. */
export interface WorkerExit {
  /** What the process or thread left as its exit code; null if a signal ended it. */
  readonly exitCode: number | null;
  /** The signal that ended the process; null if none did. */
  readonly signal: string | null;
  /** What was thrown in it and caught by nobody; undefined if nothing was. */
  readonly error: unknown;
}

/** A worker died with a job that it had begun. `cause` is what ended it, if that is known. */
export class WorkerCrashedError extends WorkerError {
  override readonly name = "WorkerCrashedError";
  /** The function that was called. */
  readonly job: string;
  /** The exit code of the worker; null if a signal ended it. */
  readonly exitCode: number | null;
  /** The signal that ended the process; null if none did. */
  readonly signal: string | null;

  /** @internal */
  constructor(job: string, exit: WorkerExit, what: string) {
    super(
      "MW_ERR_WORKER_CRASHED",
      `Cannot finish "${job}": ${what}`,
      exit.error === undefined ? undefined : { cause: exit.error },
    );
    this.job = job;
    this.exitCode = exit.exitCode;
    this.signal = exit.signal;
  }
}

/** The end of a worker in a few words. */
export function showExit({ exitCode, signal, error }: WorkerExit): string {
  if (isOutOfMemory(error)) return "it ran out of memory; see 'resourceLimits'";
  if (error instanceof Error) return `"${error.message}" was thrown and caught by nobody`;
  return signal === null ? `it exited with code ${exitCode}` : `it was ended by ${signal}`;
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}
