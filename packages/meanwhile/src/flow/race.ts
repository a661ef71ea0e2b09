// Runs several jobs at once; the first result wins, the losers are cancelled and waited for.

import { TaskGroupError, UsageError } from "../errors.ts";
import { enterCheckpoint, type SignalOption } from "../lowlevel.ts";
import type { ResultOf } from "./gather.ts";
import { type JobHandler, JobRunner } from "./job-runner.ts";
import { type Input, takeOver } from "./jobs.ts";
import { type Part, SuppressedErrors } from "./suppressed.ts";

type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown };

/**
 * Runs all jobs at once; the first to end, well or badly, decides. The losers are cancelled, and the call ends when they
 * have cleaned up; their errors are reported by the warning `MW_WARN_SUPPRESSED`.
 *
 * Cancellation: reaches every job; the call ends when all have cleaned up. A loser that ends in the same turn as the
 * winner has its value dropped: to give up waiting for an item or a permit, use `moveOnAfter`, which loses nothing.
 *
 * @throws the error of the first job, if that failed
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, or by the given `signal`
 * @throws {@link UsageError} `MW_ERR_EMPTY` for an empty list, `MW_ERR_INVALID_ARGUMENT` for what is not a job
 * @see {@link https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Promise/race}
 *
 * @example
 * ```ts
 * import { race, sleep } from "meanwhile";
 *
 * console.log(await race([() => sleep(1).then(() => "hare"), () => sleep(60_000).then(() => "tortoise")])); //> hare
 * ```
 */
export function race<const Inputs extends readonly Input<unknown>[]>(
  jobs: Inputs,
  options?: SignalOption,
): Promise<ResultOf<Inputs[number]>>;
export function race<T>(jobs: Iterable<Input<T>>, options?: SignalOption): Promise<T>;
export async function race(jobs: Iterable<Input<unknown>>, options: SignalOption = {}): Promise<unknown> {
  const contest = new Contest("race", false);
  return contest.run(jobs, options);
}

/**
 * Runs all jobs at once; the first to succeed wins. The losers are cancelled, and the call ends when they have cleaned
 * up.
 *
 * Cancellation: reaches every job; the call ends when all have cleaned up.
 *
 * @throws {@link TaskGroupError} `MW_ERR_ALL_FAILED` with every error in the order of the jobs, if none succeeds
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, or by the given `signal`
 * @throws {@link UsageError} `MW_ERR_EMPTY` for an empty list, `MW_ERR_INVALID_ARGUMENT` for what is not a job
 * @see {@link https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Promise/any}
 *
 * @example
 * ```ts
 * import { any, sleep } from "meanwhile";
 *
 * console.log(await any([async () => JSON.parse("{"), () => sleep(1).then(() => "mirror")])); //> mirror
 * ```
 */
export function any<const Inputs extends readonly Input<unknown>[]>(
  jobs: Inputs,
  options?: SignalOption,
): Promise<ResultOf<Inputs[number]>>;
export function any<T>(jobs: Iterable<Input<T>>, options?: SignalOption): Promise<T>;
export async function any(jobs: Iterable<Input<unknown>>, options: SignalOption = {}): Promise<unknown> {
  const contest = new Contest("any", true);
  return contest.run(jobs, options);
}

class Contest implements JobHandler {
  readonly #call: string;
  // Whether a failure leaves the contest open.
  readonly #outlastsFailures: boolean;
  readonly #errors: unknown[] = [];
  // Errors of losers, and those that came up when the call had been cancelled: nobody sees them if it throws the cancellation.
  readonly #late: SuppressedErrors;
  #decided: Outcome | null = null;
  #runner: JobRunner | null = null;

  constructor(call: string, outlastsFailures: boolean) {
    this.#call = call;
    this.#outlastsFailures = outlastsFailures;
    this.#late = new SuppressedErrors(call);
  }

  async run(jobs: Iterable<Input<unknown>>, options: SignalOption): Promise<unknown> {
    const taken = [...takeOver(this.#call, jobs, options)];
    if (taken.length === 0) throw emptyList(this.#call);
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    const runner = new JobRunner(taken, this, { call: this.#call, signal: options.signal });
    this.#runner = runner;
    await runner.run();
    return this.#result(runner);
  }

  #result(runner: JobRunner): unknown {
    const decided = this.#decided;
    if (decided !== null) this.#late.report("failed after another one had won");
    if (decided?.kind === "value") return decided.value;
    if (decided?.kind === "error") throw decided.error;
    const cancelled = runner.cancelledError();
    if (cancelled !== null) {
      this.#late.report();
      throw cancelled;
    }
    throw new TaskGroupError(
      "MW_ERR_ALL_FAILED",
      this.#errors,
      `Cannot give a result: all ${this.#errors.length} jobs failed; see 'errors' for each`,
    );
  }

  succeeded(_index: number, value: unknown): void {
    if (this.#decided !== null) return;
    this.#decide({ kind: "value", value });
  }

  failed(index: number, error: unknown, part: Part): void {
    if (this.#decided !== null) this.#late.add(error, part);
    else if (this.#outlastsFailures) {
      this.#errors[index] = error;
      if (this.#runner?.isCancelled === true) this.#late.add(error, part);
    } else this.#decide({ kind: "error", error });
  }

  #decide(outcome: Outcome): void {
    this.#decided = outcome;
    this.#runner?.stop("another job has won");
  }
}

function emptyList(call: string): UsageError {
  return new UsageError(
    "MW_ERR_EMPTY",
    `Cannot wait for the first of no jobs: the list given to ${call} is empty; pass at least one`,
  );
}
