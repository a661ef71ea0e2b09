// What the callers of a pool are told when a job could not be carried out.

import type { EncodedError } from "./encode-error.ts";
import { showExit, WorkerCrashedError, WorkerError, type WorkerExit } from "./errors.ts";
import { describeRefusal } from "./foreign-values.ts";
import type { PoolJob } from "./pool-job.ts";
import { decodeError } from "./remote-error.ts";
import type { PoolSettings } from "./settings.ts";

/** After how many deaths of its workers a job is not sent again. */
const MOST_DEATHS = 4;

/** How far a job was when its worker died. */
export type Fate = "never begun" | "running" | "finished";

const HOW_FAR: Readonly<Record<Fate, string>> = {
  "never begun": "its worker died before it began",
  running: "its worker died while it ran",
  finished: "it had ended, but its worker died before the result was sent",
};

/** Why a job of a dead worker has failed; null if it can be sent again. */
export function afterDeath(
  { name, terms, deaths, isMoved }: PoolJob,
  fate: Fate,
  exit: WorkerExit,
): (() => unknown) | null {
  const canGoAgain = !isMoved && (fate === "never begun" || terms.isIdempotent);
  if (canGoAgain && deaths < MOST_DEATHS) return null;
  const why = showExit(exit);
  const again = canGoAgain ? `; it was tried ${deaths} times` : "";
  const gone = isMoved && fate === "never begun" ? "; what was moved with it is lost" : "";
  const what = `${HOW_FAR[fate]}: ${why}${again}${gone}`;
  return () => new WorkerCrashedError(name, exit, what);
}

/** The module cannot be loaded. */
export function brokenModule({ module, initializer }: PoolSettings, encoded: EncodedError): unknown {
  const cause = decodeError(encoded, new Error());
  if (cause instanceof WorkerError) return cause;
  const what = initializer === null ? "" : `, or its initializer "${initializer.name}" failed`;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new WorkerError(
    "MW_ERR_WORKER_MODULE",
    `Cannot start a worker: ${module} could not be loaded${what}: ${text}; see its 'cause'`,
    { cause },
  );
}

/** A worker ended while it loaded the module. */
export function crashBeforeReady({ module }: PoolSettings, exit: WorkerExit): WorkerError {
  return new WorkerError(
    "MW_ERR_WORKER_MODULE",
    `Cannot start a worker: it ended while it loaded ${module}: ${showExit(exit)}`,
    exit.error === undefined ? undefined : { cause: exit.error },
  );
}

/** Node refuses to start a worker with these options, or the arguments of the initializer cannot be sent. */
export function unstartable({ initializer }: PoolSettings, cause: unknown): WorkerError {
  const what = initializer === null ? null : describeRefusal(initializer.args, "initializer.args", [], cause);
  if (what !== null) return notCloneable(initializer?.name ?? "", what);
  const text = cause instanceof Error ? cause.message : String(cause);
  return new WorkerError("MW_ERR_WORKER_MODULE", `Cannot start a worker: ${text}`, { cause });
}

/** The module exports no such function. */
export function unknownFunction(name: string, module: string, names: readonly string[]): WorkerError {
  const there = names.length === 0 ? "no function" : names.join(", ");
  return new WorkerError(
    "MW_ERR_WORKER_UNKNOWN_FUNCTION",
    `Cannot call "${name}": ${module} exports no such function; it exports ${there}`,
  );
}

/** The pool takes no jobs any more. */
export function closedError(name: string): WorkerError {
  return new WorkerError(
    "MW_ERR_WORKER_CLOSED",
    `Cannot call: the pool ${name} is closed; make the calls inside the block of its 'await using'`,
  );
}

/** The pool was ended while the job was not done. */
export function terminatedError(name: string): WorkerError {
  return new WorkerError(
    "MW_ERR_WORKER_TERMINATED",
    `Cannot finish "${name}": the pool was ended by terminate(); use close() to wait for its jobs`,
  );
}

/** There is no room for one more job. */
export function queueFull(name: string, maxQueued: number): WorkerError {
  return new WorkerError(
    "MW_ERR_WORKER_QUEUE_FULL",
    `Cannot start a job: ${maxQueued} wait already in the queue of ${name}; use call(), which waits for room`,
  );
}

/** A value cannot cross. */
export function notCloneable(name: string, what: string): WorkerError {
  return new WorkerError(
    "MW_ERR_WORKER_NOT_CLONEABLE",
    `Cannot call "${name}" in a worker: ${what}; pass and return data: plain objects, arrays, maps, buffers`,
  );
}
