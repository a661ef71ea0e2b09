// Runs several jobs at once and gives their results as they come.

import type { ResultOf } from "./gather.ts";
import { type JobHandler, JobRunner, type Work } from "./job-runner.ts";
import { type ConcurrencyOptions, type Input, takeOver } from "./jobs.ts";
import { ResultIterator } from "./result-iterator.ts";

/**
 * Runs all jobs at once, or `concurrency` at a time, and gives their results one by one, in the order in which the jobs
 * finish. With a limit, a place is free again when the result was taken: a slow reader slows the jobs down.
 *
 * Nothing starts before the first result is asked for. From then on everything belongs to the scope of that call, which
 * cancels it when it ends. Leaving the loop early cancels what is running and waits for its cleanup; errors that come
 * up then are reported by the warning `MW_WARN_SUPPRESSED`. The first failure cancels the rest and drops the results that
 * were not taken; when all has cleaned up, `next` throws that error as it is.
 *
 * Each loop starts the functions anew. A coroutine runs once: a later loop gets the result it had.
 *
 * Cancellation: reaches every job, if it is that of the scope of the loop; `next` throws when all have cleaned up. In a
 * scope of its own, like that of a `timeout`, only that one `next` is cancelled: no result is lost.
 *
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for what is not a job, or a bad option, before any job is started
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.as_completed}
 *
 * @example
 * ```ts
 * import { asCompleted, sleep } from "meanwhile";
 *
 * const after = (ms: number) => async () => {
 *   await sleep(ms);
 *   return `${ms} ms`;
 * };
 * for await (const result of asCompleted([after(60), after(1), after(30)])) console.log(result); //> 1 ms
 * //> 30 ms
 * //> 60 ms
 * ```
 */
export function asCompleted<const Inputs extends readonly Input<unknown>[]>(
  jobs: Inputs,
  options?: ConcurrencyOptions,
): AsyncIterable<ResultOf<Inputs[number]>>;
export function asCompleted<T>(jobs: Iterable<Input<T>>, options?: ConcurrencyOptions): AsyncIterable<T>;
export function asCompleted(jobs: Iterable<Input<unknown>>, options: ConcurrencyOptions = {}): AsyncIterable<unknown> {
  const call = "asCompleted";
  const taken = takeOver(call, jobs, options);
  const open = (handler: JobHandler): Work => new JobRunner(taken, handler, { ...options, call, keepsPlaces: true });
  return { [Symbol.asyncIterator]: () => new ResultIterator({ call, ordered: false, open }) };
}
