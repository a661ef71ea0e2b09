// Runs several jobs at once and returns all results in the order of the jobs.

import { enterCheckpoint } from "../lowlevel.ts";
import { type JobHandler, JobRunner } from "./job-runner.ts";
import { type ConcurrencyOptions, type Input, takeOver } from "./jobs.ts";
import { type Part, SuppressedErrors } from "./suppressed.ts";

/** What an input gives when it is awaited. */
export type ResultOf<I> = I extends () => infer R ? Awaited<R> : Awaited<I>;

/**
 * Runs all jobs at once, or `concurrency` at a time, and returns their results in order: a tuple for a tuple. The first
 * failure cancels the other jobs; when they have cleaned up, that error is thrown as it is. Errors that come up
 * meanwhile are reported together, by one warning `MW_WARN_SUPPRESSED`.
 *
 * Besides jobs it takes promises that are already running: it waits for them but cannot stop them.
 *
 * Cancellation: reaches every job; the call ends when all have cleaned up. If all return values in spite of it, these
 * are returned.
 *
 * @throws the error of the first job that fails; `TaskCancelledError` if somebody else cancelled a job
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, or by the given `signal`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for what is not a job, before any job is started
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.gather}
 *
 * @example
 * ```ts
 * import { gather, sleep } from "meanwhile";
 *
 * const [name, age] = await gather([
 *   async () => "Ada",
 *   async () => {
 *     await sleep(1);
 *     return 36;
 *   },
 * ]);
 * console.log(`${name} is ${age}`); //> Ada is 36
 * ```
 */
export function gather<const Inputs extends readonly Input<unknown>[]>(
  jobs: Inputs,
  options?: ConcurrencyOptions,
): Promise<{ -readonly [K in keyof Inputs]: ResultOf<Inputs[K]> }>;
export function gather<T>(jobs: Iterable<Input<T>>, options?: ConcurrencyOptions): Promise<T[]>;
export async function gather(jobs: Iterable<Input<unknown>>, options: ConcurrencyOptions = {}): Promise<unknown[]> {
  const taken = takeOver("gather", jobs, options);
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  const results = new Results();
  const runner = new JobRunner(taken, results, { ...options, call: "gather" });
  results.runner = runner;
  await runner.run();
  results.late.report();
  if (results.failure !== null) throw results.failure.error;
  const cancelled = runner.cancelledError();
  if (cancelled !== null) throw cancelled;
  return results.values;
}

class Results implements JobHandler {
  readonly values: unknown[] = [];
  /** Errors beside the one that is thrown. */
  readonly late: SuppressedErrors = new SuppressedErrors("gather");
  failure: { readonly error: unknown } | null = null;
  runner: JobRunner | null = null;

  succeeded(index: number, value: unknown): void {
    this.values[index] = value;
  }

  failed(_index: number, error: unknown, part: Part): void {
    if (this.failure === null) {
      this.failure = { error };
      this.runner?.stop("another job of gather failed");
    } else if (error !== this.failure.error) this.late.add(error, part);
  }
}

/**
 * Runs all jobs at once, or `concurrency` at a time, and returns how each ended, in order. A failure cancels nothing.
 *
 * Cancellation: reaches every job; the call ends when all have cleaned up, with `CancelledError`.
 *
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, or by the given `signal`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for what is not a job, before any job is started
 * @see {@link https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Promise/allSettled}
 *
 * @example
 * ```ts
 * import { gatherSettled } from "meanwhile";
 *
 * const [first, second] = await gatherSettled([async () => 1, async () => JSON.parse("{")]);
 * console.log(first?.status, second?.status); //> fulfilled rejected
 * ```
 */
export function gatherSettled<const Inputs extends readonly Input<unknown>[]>(
  jobs: Inputs,
  options?: ConcurrencyOptions,
): Promise<{ -readonly [K in keyof Inputs]: PromiseSettledResult<ResultOf<Inputs[K]>> }>;
export function gatherSettled<T>(
  jobs: Iterable<Input<T>>,
  options?: ConcurrencyOptions,
): Promise<PromiseSettledResult<T>[]>;
export async function gatherSettled(
  jobs: Iterable<Input<unknown>>,
  options: ConcurrencyOptions = {},
): Promise<PromiseSettledResult<unknown>[]> {
  const taken = takeOver("gatherSettled", jobs, options);
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  const results = new SettledResults();
  const runner = new JobRunner(taken, results, { ...options, call: "gatherSettled" });
  results.runner = runner;
  await runner.run();
  const cancelled = runner.cancelledError();
  if (cancelled === null) return results.settled;
  results.late.report();
  throw cancelled;
}

class SettledResults implements JobHandler {
  readonly settled: PromiseSettledResult<unknown>[] = [];
  /** Errors that came up when the call had been cancelled: nobody sees them if it throws the cancellation. */
  readonly late: SuppressedErrors = new SuppressedErrors("gatherSettled");
  runner: JobRunner | null = null;

  succeeded(index: number, value: unknown): void {
    this.settled[index] = { status: "fulfilled", value };
  }

  failed(index: number, reason: unknown, part: Part): void {
    this.settled[index] = { status: "rejected", reason };
    if (this.runner?.isCancelled === true) this.late.add(reason, part);
  }
}
