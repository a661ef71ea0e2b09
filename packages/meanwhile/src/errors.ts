// Every error class of the core and every code it uses. Nothing else in the package throws a bare Error.
// The code is the contract; the text may improve. A class exists only where callers catch it apart.

/** The stable codes of errors thrown by the core. */
export type ErrorCode =
  | "MW_ERR_ALL_FAILED"
  | "MW_ERR_ALREADY_HELD"
  | "MW_ERR_AWAIT_SELF"
  | "MW_ERR_BROKEN_BARRIER"
  | "MW_ERR_CANCELLED"
  | "MW_ERR_DEADLOCK"
  | "MW_ERR_DIAGNOSTICS_HOST"
  | "MW_ERR_DIAGNOSTICS_ON"
  | "MW_ERR_DIAGNOSTICS_OVER"
  | "MW_ERR_EMPTY"
  | "MW_ERR_GENERATOR"
  | "MW_ERR_GROUP_CLOSED"
  | "MW_ERR_INJECTED"
  | "MW_ERR_INTERNAL"
  | "MW_ERR_INVALID_ARGUMENT"
  | "MW_ERR_LEFT_BEHIND"
  | "MW_ERR_LEFT_RUNNING"
  | "MW_ERR_NEWER_PROTOCOL"
  | "MW_ERR_NOTHING_UNFINISHED"
  | "MW_ERR_NOT_DETERMINISTIC"
  | "MW_ERR_NOT_HELD"
  | "MW_ERR_NOT_STARTED"
  | "MW_ERR_NOT_SEQUENTIAL"
  | "MW_ERR_NO_CHECKPOINT"
  | "MW_ERR_OUTSIDE_RUN"
  | "MW_ERR_QUEUE_CLOSED"
  | "MW_ERR_QUEUE_EMPTY"
  | "MW_ERR_QUEUE_FULL"
  | "MW_ERR_RULE_BROKEN"
  | "MW_ERR_SOCKET_FOLDER"
  | "MW_ERR_TASK_CANCELLED"
  | "MW_ERR_TASK_GROUP"
  | "MW_ERR_TEST_TIMEOUT"
  | "MW_ERR_THROWN_UNDER_SEED"
  | "MW_ERR_TIMEOUT"
  | "MW_ERR_TORTURE"
  | "MW_ERR_TURN_TAKEN"
  | "MW_ERR_TWO_COPIES"
  | "MW_ERR_UNEXPECTED_CHECKPOINT"
  | "MW_ERR_UNEXPECTED_WARNING";

/** The stable codes of process warnings emitted by the core. */
export type WarningCode =
  | "MW_WARN_CLEANUP_INTERRUPTED"
  | "MW_WARN_DIAGNOSTICS"
  | "MW_WARN_NEVER_AWAITED"
  | "MW_WARN_SCOPE_LEFT_OPEN"
  | "MW_WARN_STILL_SUSPENDED"
  | "MW_WARN_SUPPRESSED"
  | "MW_WARN_SWALLOWED_CANCELLATION"
  | "MW_WARN_WORKER_START";

/** One cancellation: who was cancelled, why and where. Shared by all errors it causes. */
export interface Cancellation {
  /** The scope that was cancelled; compared by identity only. */
  readonly scope: object;
  /** What the canceller gave as the reason. */
  readonly reason: unknown;
  /** What did it: a call of `cancel`, the scope's deadline, or the AbortSignal given to the scope. */
  readonly by: "call" | "deadline" | "signal";
  /** What the code in the scope waited for at that moment, if the scope's deadline did it and that is known. */
  readonly waits?: string | undefined;
  /** Carries the stack of the `cancel()` call. */
  readonly origin: { readonly stack?: string | undefined };
}

/** Where a {@link CancelledError} keeps its {@link Cancellation}. */
export const CANCELLATION: unique symbol = Symbol.for("meanwhile.cancellation");

/**
 * The API was used in a way that cannot be carried out. The message says what to do instead.
 *
 * @see {@link https://docs.python.org/3/library/exceptions.html#RuntimeError}
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** Stable code of the error. */
  readonly code: ErrorCode;

  /** @internal */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The current work was cancelled. Let it pass: it ends at the scope that was cancelled.
 * It is thrown again at every later checkpoint until that scope is left.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.CancelledError}
 */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
  /** Always `MW_ERR_CANCELLED`. */
  readonly code = "MW_ERR_CANCELLED";
  /** @internal */
  declare readonly [CANCELLATION]: Cancellation;

  /** @internal */
  constructor(cancellation: Cancellation) {
    const { reason } = cancellation;
    super(describeReason(reason), reason instanceof Error ? { cause: reason } : undefined);
    Object.defineProperty(this, CANCELLATION, { value: cancellation });
  }

  /** What was given to `cancel(reason)`; for a deadline, a text that names it. */
  get reason(): unknown {
    return this[CANCELLATION].reason;
  }

  /** The stack of the `cancel()` call. */
  get cancelledAt(): string | undefined {
    return this[CANCELLATION].origin.stack;
  }
}

function describeReason(reason: unknown): string {
  if (reason === undefined) return "Cancelled";
  const text = reason instanceof Error ? reason.message : safeText(reason);
  return text === "" ? "Cancelled" : `Cancelled: ${text}`;
}

function safeText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "";
  }
}

/**
 * A task or coroutine that was awaited had been cancelled by somebody else. An ordinary failure to the awaiting
 * task: `isCancelled` is false for it. `cause` is the cancellation.
 */
export class TaskCancelledError extends Error {
  override readonly name = "TaskCancelledError";
  /** Always `MW_ERR_TASK_CANCELLED`. */
  readonly code = "MW_ERR_TASK_CANCELLED";

  /** @internal */
  constructor(what: string, cause: unknown) {
    const why = cause instanceof CancelledError && cause.reason !== undefined ? ` (${cause.message})` : "";
    super(`Cannot await ${what}: it was cancelled${why}`, { cause });
  }
}

/**
 * A `timeout`, `timeoutAt` or `shield` ran past its own deadline. Not a cancellation: it can be caught and handled.
 *
 * @see {@link https://docs.python.org/3/library/exceptions.html#TimeoutError}
 */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
  /** Always `MW_ERR_TIMEOUT`. */
  readonly code = "MW_ERR_TIMEOUT";

  /** @internal */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Several jobs belonged together and at least one failed. `errors` has every error, those of cleanup included.
 * `unwrapSingle(error)` gives the only one, if there is only one.
 *
 * @see {@link https://docs.python.org/3/library/exceptions.html#ExceptionGroup}
 */
export class TaskGroupError extends AggregateError {
  override readonly name = "TaskGroupError";
  /** `MW_ERR_TASK_GROUP` from `taskGroup`, `MW_ERR_ALL_FAILED` from `any`. */
  readonly code: "MW_ERR_TASK_GROUP" | "MW_ERR_ALL_FAILED";

  /** @internal */
  constructor(code: "MW_ERR_TASK_GROUP" | "MW_ERR_ALL_FAILED", errors: readonly unknown[], message: string) {
    super(errors, message);
    this.code = code;
  }
}

/**
 * Nothing in the process is left that could wake any task. The message has the task tree, what each task waits for
 * and the cycle if there is one.
 */
export class DeadlockError extends Error {
  override readonly name = "DeadlockError";
  /** Always `MW_ERR_DEADLOCK`. */
  readonly code = "MW_ERR_DEADLOCK";

  /** @internal */
  constructor(message: string) {
    super(message);
  }
}

/**
 * Not all parties of a barrier will come: it was broken by `abort()`, or emptied by `reset()` while the task waited.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.BrokenBarrierError}
 */
export class BrokenBarrierError extends Error {
  override readonly name = "BrokenBarrierError";
  /** Always `MW_ERR_BROKEN_BARRIER`. */
  readonly code = "MW_ERR_BROKEN_BARRIER";

  /** @internal */
  constructor(message: string) {
    super(message);
  }
}

/** The queue was closed: nothing can be put, or nothing is left to get. */
export class QueueClosedError extends Error {
  override readonly name = "QueueClosedError";
  /** Always `MW_ERR_QUEUE_CLOSED`. */
  readonly code = "MW_ERR_QUEUE_CLOSED";

  /** @internal */
  constructor(message: string) {
    super(message);
  }
}

/** `tryPut` found no room. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
  /** Always `MW_ERR_QUEUE_FULL`. */
  readonly code = "MW_ERR_QUEUE_FULL";

  /** @internal */
  constructor(message: string) {
    super(message);
  }
}

/** `tryGet` found nothing. */
export class QueueEmptyError extends Error {
  override readonly name = "QueueEmptyError";
  /** Always `MW_ERR_QUEUE_EMPTY`. */
  readonly code = "MW_ERR_QUEUE_EMPTY";

  /** @internal */
  constructor(message: string) {
    super(message);
  }
}

/** A tool of `meanwhile/testing` found something wrong; `code` says what. */
export class TestError extends Error {
  override readonly name = "TestError";
  /** What is wrong; docs/errors.md lists them. */
  readonly code:
    | "MW_ERR_INJECTED"
    | "MW_ERR_LEFT_BEHIND"
    | "MW_ERR_LEFT_RUNNING"
    | "MW_ERR_NOT_DETERMINISTIC"
    | "MW_ERR_NOT_SEQUENTIAL"
    | "MW_ERR_NO_CHECKPOINT"
    | "MW_ERR_RULE_BROKEN"
    | "MW_ERR_TEST_TIMEOUT"
    | "MW_ERR_THROWN_UNDER_SEED"
    | "MW_ERR_TORTURE"
    | "MW_ERR_UNEXPECTED_CHECKPOINT"
    | "MW_ERR_UNEXPECTED_WARNING";

  /** @internal */
  constructor(code: TestError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Something that cannot happen did: a defect of meanwhile. Please report it with the stack. */
export class InternalError extends Error {
  override readonly name = "InternalError";
  /** Always `MW_ERR_INTERNAL`. */
  readonly code = "MW_ERR_INTERNAL";

  /** @internal */
  constructor(message: string) {
    super(`${message}; this is a defect of meanwhile, please report it`);
  }
}

/** Emits a process warning of ours. `detail` is printed below the message. */
export function warn(code: WarningCode, message: string, detail?: string): void {
  process.emitWarning(message, { type: "MeanwhileWarning", code, ...(detail === undefined ? {} : { detail }) });
}
