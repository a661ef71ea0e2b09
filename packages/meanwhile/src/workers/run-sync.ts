// Async functions for code that cannot await: a thread runs them to their end while this one stands still.

import { existsSync } from "node:fs";

import { TimeoutError } from "../errors.ts";
import { show } from "../util/show.ts";
import { refuseToBlock } from "./blocking.ts";
import { showExit, WorkerCrashedError, WorkerError } from "./errors.ts";
import type { ArgumentsOf, FunctionsOf, ReturnOf } from "./functions-of.ts";
import { decodeError } from "./remote-error.ts";
import { keptModule, SyncModule } from "./sync-module.ts";
import { ENTRY, type SyncOutcome } from "./sync-thread.ts";

/**
 * Calls an exported function of a module in a thread of its own, waits for its end without giving anything else of this
 * thread a turn, and returns its value. For code that has to be synchronous: constructors, callbacks of sync libraries,
 * configuration files. The thread is kept for later calls of the same module.
 *
 * Arguments and value may be anything that structured clone takes. An error keeps its class, code, causes and stack, with
 * that of the call below it. Inside the function the core is at work: it is the main of a run of its own.
 *
 * Inside of `run` it is refused: all tasks of this thread would stand still, and a function that needs one of them would
 * never end. In a function that a worker runs it is not.
 *
 * @param module - the URL of the module, or a {@link SyncModule} with options and types
 * @param name - the name under which the module exports the function
 * @throws what the function throws
 * @throws {@link TimeoutError} `MW_ERR_TIMEOUT` if the module has a `timeoutMs` and it has passed
 * @throws {@link WorkerError} `MW_ERR_WORKER_WOULD_BLOCK` inside of a run, `MW_ERR_WORKER_MODULE` if the module cannot be loaded,
 * `MW_ERR_WORKER_UNKNOWN_FUNCTION` if it has no such function, `MW_ERR_WORKER_NOT_CLONEABLE` for a value that cannot be sent,
 * `MW_ERR_WORKER_INVALID_ARGUMENT` for what is no URL
 * @throws {@link WorkerCrashedError} `MW_ERR_WORKER_CRASHED` if the function ends its thread
 *
 * @example
 * ```ts
 * import { runSync } from "meanwhile/workers";
 *
 * const names = runSync<string[]>("node:fs/promises", "readdir", ".");
 * console.log(names.includes("package.json")); //> true
 * ```
 */
export function runSync<M, K extends FunctionsOf<M>>(
  module: SyncModule<M>,
  name: K,
  ...args: ArgumentsOf<M[K]>
): ReturnOf<M[K]>;
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- like a cast: the module has no type that would tell
export function runSync<R = unknown>(module: URL | string, name: string, ...args: unknown[]): R;
export function runSync(module: SyncModule<unknown> | URL | string, name: string, ...args: unknown[]): unknown {
  refuseToBlock(`wait for ${show(name)}`, "await the function itself, or the call of a WorkerPool");
  const target = module instanceof SyncModule ? module : keptModule(module);
  const outcome = target.call(name, args);
  if (outcome.kind === "value") return outcome.value;
  throw errorOf(outcome, name, target);
}

type Failed = Exclude<SyncOutcome, { readonly kind: "value" }>;

function errorOf(outcome: Failed, name: string, { url, timeoutMs }: SyncModule<unknown>): unknown {
  switch (outcome.kind) {
    case "error":
      return decodeError(outcome.error, callSite());
    case "late":
      return lateError(name, timeoutMs, outcome.waits === undefined ? "" : `; it waited for ${outcome.waits}`);
    case "lost":
      return lateError(name, timeoutMs, " and it did not end within 'graceMs' after that; its thread was terminated");
    case "dead":
      return crash(name, outcome);
    case "unknown":
      return unknownFunction(name, url, outcome.names);
    case "unsendable":
      return new WorkerError(
        "MW_ERR_WORKER_NOT_CLONEABLE",
        `Cannot return from "${name}": ${outcome.what}; return plain data`,
      );
    default:
      return new WorkerError("MW_ERR_WORKER_MODULE", `Cannot load ${url}: ${outcome.error.message}`, {
        cause: decodeError(outcome.error, callSite()),
      });
  }
}

function lateError(name: string, timeoutMs: number, how: string): TimeoutError {
  return new TimeoutError(`Cannot finish in time: the 'timeoutMs' of ${timeoutMs} ms for "${name}" has passed${how}`);
}

const NOT_THERE = `Cannot start a thread: its file ${ENTRY.href} is not there; if this is a bundle, leave 'meanwhile' out of it (external)`;

function crash(name: string, { exitCode, error }: Failed & { kind: "dead" }): WorkerError {
  const cause = error === null ? undefined : decodeError(error, callSite());
  const exit = { exitCode, signal: null, error: cause };
  if (exitCode === null && !existsSync(ENTRY)) return new WorkerError("MW_ERR_WORKER_MODULE", NOT_THERE);
  if (exitCode === null) return new WorkerCrashedError(name, exit, "its thread is gone; maybe it ran out of memory");
  const isEmpty = exitCode === 0 && error === null;
  const why = isEmpty ? "nothing was left in it to wait for, or it called process.exit(0)" : showExit(exit);
  return new WorkerCrashedError(name, exit, `its thread has ended: ${why}`);
}

function unknownFunction(name: string, url: string, names: readonly string[]): WorkerError {
  const there = names.length === 0 ? "it exports no function" : `it exports ${names.join(", ")}`;
  return new WorkerError("MW_ERR_WORKER_UNKNOWN_FUNCTION", `Cannot call ${show(name)} of ${url}: ${there}`);
}

/** Where runSync was called. */
function callSite(): Error {
  const site = new Error();
  Error.captureStackTrace(site, runSync);
  return site;
}
