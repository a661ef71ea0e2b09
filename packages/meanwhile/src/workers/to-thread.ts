// One function in another thread, without a module for it: its text goes there.

import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

import { show } from "../util/show.ts";
import { defaultPool } from "./default-pool.ts";
import { WorkerCrashedError, WorkerError } from "./errors.ts";
import { FunctionSource } from "./function-source.ts";
import { usesImportMeta } from "./translated-text.ts";

const sources = new WeakMap<Function, FunctionSource>();

/**
 * Calls a function in another thread and resolves with what it returns. The text of the function goes there, so it has to be
 * complete in itself: it may use its parameters, globals, and what it imports itself with `await import()`. Using a variable
 * around it is an error that names it, unless it has the name of a global: then it is the global. For more than one function,
 * or one that is called often, make a module and a `WorkerPool`.
 *
 * The threads belong to the run: as many as there are processors, started when they are needed, ended with the run.
 *
 * Cancellation: reaches the function, as that of a `WorkerPool` does: softly first, then its thread is terminated.
 *
 * @param fn - a function or async function; no method, class, generator, bound or native function
 * @param args - anything that structured clone takes
 * @throws what the function throws
 * @throws {@link WorkerError} `MW_ERR_WORKER_CAPTURED` if the function uses a variable around it,
 * `MW_ERR_WORKER_INVALID_ARGUMENT` for what is no such function, and those of the `call` of a `WorkerPool`
 * @throws {@link UsageError} `MW_ERR_OUTSIDE_RUN` outside of a run
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread}
 *
 * @example
 * ```ts
 * import { run } from "meanwhile";
 * import { toThread } from "meanwhile/workers";
 *
 * function countPrimes(limit: number): number {
 *   let count = 0;
 *   for (let n = 2; n < limit; n++) {
 *     let divisor = 2;
 *     while (n % divisor !== 0) divisor += 1;
 *     if (divisor === n) count += 1;
 *   }
 *   return count;
 * }
 * console.log(await run(() => toThread(countPrimes, 1_000))); //> 168
 * ```
 */
export async function toThread<Args extends unknown[], R>(
  fn: (...args: Args) => R,
  ...args: Args
): Promise<Awaited<R>> {
  const source = sourceOf(fn);
  try {
    return (await defaultPool().call(CALLED, ...args, source)) as Awaited<R>;
  } catch (error) {
    if (error instanceof WorkerError) nameTheFunction(error, fn.name);
    throw capturedIn(error) ?? error;
  }
}

const CALLED = "callSource";

/** If the thread died of a variable that is not there, used where nobody could catch that, like in a timer: that error. */
function capturedIn(error: unknown): WorkerError | null {
  const cause = error instanceof WorkerCrashedError ? error.cause : undefined;
  // Having been caught by nobody it has lost its class on the way.
  if (!(cause instanceof Error && "code" in cause && cause.code === "MW_ERR_WORKER_CAPTURED")) return null;
  return new WorkerError(cause.code, cause.message, { cause: error });
}

/** Puts the name of the function where the pool tells what it has called. */
function nameTheFunction(error: WorkerError, name: string): void {
  const told = (text: string): string =>
    text.replace(JSON.stringify(CALLED), show(name === "" ? "the function" : name));
  const { message, stack = "" } = error;
  error.stack = stack.replace(message, told(message));
  error.message = told(message);
  if (error instanceof WorkerCrashedError) Object.defineProperty(error, "job", { value: name, enumerable: true });
}

function sourceOf(fn: (...args: never[]) => unknown): FunctionSource {
  if (typeof fn !== "function") throw refuse(fn, "is no function; pass one");
  let source = sources.get(fn);
  if (source === undefined) {
    source = new FunctionSource(textOf(fn), fn.name, callingFile());
    sources.set(fn, source);
  }
  return source;
}

function textOf(fn: (...args: never[]) => unknown): string {
  const text = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    throw refuse(fn, "is bound or a function of the engine, which have no text; pass a function that calls it");
  }
  if (/^class\b/.test(text)) throw refuse(fn, "is a class; pass a function that makes an instance and uses it");
  if (/Generator/.test(Object.prototype.toString.call(fn))) {
    throw refuse(
      fn,
      "is a generator, and what it returns cannot leave its thread; pass a function that returns a list",
    );
  }
  const why = usesImportMeta(text) ? OF_MODULE : whyNoExpression(text);
  if (why !== null) throw refuse(fn, why);
  return text;
}

const OF_MODULE = "uses 'import.meta', which belongs to its module; pass import.meta.url as an argument";

/** Why the text does not stand for itself; null if it does. */
function whyNoExpression(text: string): string | null {
  // Only compiled: what can stand in parentheses is an expression of its own.
  if (compiles(`(${text}\n)`)) {
    // There the `arguments` of whatever is around are refused, and those of a function itself are not.
    if (!/\barguments\b/.test(text) || compiles(`(class{static f=(${text}\n)})`)) return null;
    return "uses the 'arguments' of the function around it; give it parameters of its own, like (...args)";
  }
  if (/\bimport\s*\.\s*meta\b/.test(text)) return OF_MODULE;
  return "is a method, which is part of its class or object; pass a function";
}

function compiles(text: string): boolean {
  try {
    void new Script(text);
    return true;
  } catch {
    return false;
  }
}

function refuse(fn: unknown, why: string): WorkerError {
  return new WorkerError("MW_ERR_WORKER_INVALID_ARGUMENT", `Cannot run ${show(fn)} in a thread: it ${why}`);
}

/** The URL of the file from which toThread was called; "" if the stack does not tell. */
function callingFile(): string {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, toThread);
  const [frame = ""] = /^ +at .*$/m.exec(site.stack ?? "") ?? [];
  const [, place = ""] = /((?:file:\/\/|\/|[A-Za-z]:[\\/]).*?):\d+:\d+\)?$/.exec(frame) ?? [];
  return place === "" || place.startsWith("file:") ? place : pathToFileURL(place).href;
}
