// Errors of a call that ends with something else. Those of jobs are reported together: many can fail for one reason.

import { cancellationOf, reportSuppressed } from "../lowlevel.ts";

/** What can fail in a combinator: a job, or what the jobs or items come from. */
export type Part = "job" | "source";

/** Collects the errors of one call that nobody will be thrown. */
export class SuppressedErrors {
  readonly #call: string;
  readonly #errors: Readonly<Record<Part, unknown[]>> = { job: [], source: [] };

  constructor(call: string) {
    this.#call = call;
  }

  add(error: unknown, part: Part): void {
    this.#errors[part].push(error);
  }

  /** Warns of what was added since the last time: once for all jobs, and once for the source. */
  report(happened = "failed"): void {
    const jobs = this.#errors.job.splice(0);
    if (jobs.length === 1) reportSuppressed(jobs[0], `A job of ${this.#call} ${happened}`);
    else if (jobs.length > 1) {
      reportSuppressed(new AggregateError(jobs, `${jobs.length} errors`), `Jobs of ${this.#call} ${happened}`);
    }
    for (const error of this.#errors.source.splice(0)) reportSuppressed(error, `The source of ${this.#call} failed`);
  }
}

/** Calls `body`; if it throws, `failure` is reported, unless what it throws tells of that. */
export async function besides<R>(failure: unknown, where: string, body: () => R | PromiseLike<R>): Promise<R> {
  try {
    return await body();
  } catch (error) {
    reportBeside(error, failure, where);
    throw error;
  }
}

/** {@link besides} for code that does not wait. */
export function besidesSync<R>(failure: unknown, where: string, body: () => R): R {
  try {
    return body();
  } catch (error) {
    reportBeside(error, failure, where);
    throw error;
  }
}

function reportBeside(error: unknown, failure: unknown, where: string): void {
  if (cancellationOf(error) === null && !isCauseOf(failure, error)) reportSuppressed(failure, where);
}

/** Whether `error` is `failure`, or tells of it. */
function isCauseOf(failure: unknown, error: unknown): boolean {
  const seen = new Set<unknown>(); // causes can form a circle
  let told = error;
  while (told !== failure && told instanceof Error && !seen.has(told)) {
    seen.add(told);
    told = told.cause;
  }
  return told === failure;
}
