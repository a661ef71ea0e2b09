// Is a call a checkpoint? The rule is: every async function that waits is one on every path, and no other function is.

import { TestError } from "../errors.ts";
import { addInstrument, checkJob, currentScopeNode, enterScope, type Job } from "../lowlevel.ts";
import { invariant } from "../util/invariant.ts";
import { callSite } from "./call-site.ts";

/**
 * Runs a job in the current task and checks that it passes at least one checkpoint there, so that it can be cancelled and
 * cannot starve others. Returns its value. Works inside and outside of runs; what other tasks do does not count.
 *
 * Cancellation: reaches the job.
 *
 * @throws {@link TestError} `MW_ERR_NO_CHECKPOINT` if it passed none; the error of the job, if there was one, is the `cause`
 * @throws whatever the job throws after a checkpoint
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `job` is no job
 * @see {@link https://trio.readthedocs.io/en/stable/reference-testing.html#trio.testing.assert_checkpoints}
 *
 * @example
 * ```ts
 * import { Lock } from "meanwhile";
 * import { assertCheckpoints } from "meanwhile/testing";
 *
 * const lock = new Lock();
 * using held = await assertCheckpoints(() => lock.acquire()); // also where it need not wait
 * ```
 */
export async function assertCheckpoints<T>(job: Job<T>): Promise<T> {
  checkJob(job, "assertCheckpoints");
  const { passed, ending } = await watchCheckpoints(job);
  if (passed.count > 0) return valueOf(ending);
  throw new TestError(
    "MW_ERR_NO_CHECKPOINT",
    `Cannot accept ${nameOf(job)}: it passed no checkpoint; begin with "const turn = enterCheckpoint(); if (turn !== null) await turn;"`,
    optionsOf(ending),
  );
}

/**
 * Runs a job in the current task and checks that it passes no checkpoint there. Returns its value. Works inside and outside
 * of runs; what other tasks do does not count.
 *
 * Cancellation: reaches the job.
 *
 * @throws {@link TestError} `MW_ERR_UNEXPECTED_CHECKPOINT` if it passed one; the error of the job, if there was one, is the
 *   `cause`
 * @throws whatever the job throws without a checkpoint
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `job` is no job
 * @see {@link https://trio.readthedocs.io/en/stable/reference-testing.html#trio.testing.assert_no_checkpoints}
 *
 * @example
 * ```ts
 * import { Lock } from "meanwhile";
 * import { assertNoCheckpoints } from "meanwhile/testing";
 *
 * const lock = new Lock();
 * await assertNoCheckpoints(() => lock.tryAcquire());
 * ```
 */
export async function assertNoCheckpoints<T>(job: Job<T>): Promise<T> {
  checkJob(job, "assertNoCheckpoints");
  const { passed, ending } = await watchCheckpoints(job);
  if (passed.count === 0) return valueOf(ending);
  throw new TestError(
    "MW_ERR_UNEXPECTED_CHECKPOINT",
    `Cannot accept ${nameOf(job)}: it passed ${passed.count} checkpoints, the first: ${passed.first}; call only what never waits`,
    optionsOf(ending),
  );
}

type Ending<T> = { readonly kind: "value"; readonly value: T } | { readonly kind: "failed"; readonly error: unknown };

function valueOf<T>(ending: Ending<T>): T {
  if (ending.kind === "failed") throw ending.error;
  return ending.value;
}

function optionsOf(ending: Ending<unknown>): ErrorOptions {
  return ending.kind === "failed" ? { cause: ending.error } : {};
}

function nameOf({ name }: Job<unknown>): string {
  return name === "" ? "the job" : `"${name}"`;
}

class Passed {
  count = 0;
  /** Where the first one was. */
  first = "";
}

async function watchCheckpoints<T>(job: Job<T>): Promise<{ readonly passed: Passed; readonly ending: Ending<T> }> {
  const passed = new Passed();
  // A scope of its own tells the job from other code in the same task, or outside of all tasks.
  const scoped = await enterScope(async (): Promise<Ending<T>> => {
    using _ = watch(passed);
    try {
      return { kind: "value", value: await (typeof job === "function" ? job() : job) };
    } catch (error) {
      return { kind: "failed", error };
    }
  });
  invariant(scoped.kind === "value", "a scope that nobody knows was cancelled");
  return { passed, ending: scoped.value };
}

function watch(passed: Passed): Disposable {
  const region = currentScopeNode();
  return addInstrument({
    checkpoint: (scope) => {
      if (scope.task !== region.task || !region.contains(scope)) return;
      if (passed.count === 0) passed.first = callSite();
      passed.count += 1;
    },
  });
}
