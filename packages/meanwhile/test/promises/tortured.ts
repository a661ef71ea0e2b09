// Puts one of the programs to torture, in a world of its own, and keeps the books.

import assert from "node:assert/strict";

import { torture, type TortureOptions, type TorturePoint, type TortureReport } from "meanwhile/testing";

import { allowWarnings } from "../../../../tools/test-setup.ts";
import { ON_PURPOSE, type Program } from "./scenarios.ts";
import { World } from "./world.ts";

// Errors beside another one, of jobs and cleanups that fail while the rest is being cancelled.
const SUPPRESSED = "MW_WARN_SUPPRESSED";

/** Whether a call may be made to fail. Only a cancellation makes these throw on entry, and then they clean up first. */
export function mayFail({ where }: TorturePoint): boolean {
  // Hosts name the same call differently: "TaskNode.then", "then", "[Symbol.asyncDispose] in run".
  return !/^(?:\w+\.)?(?:next|return|then|\[Symbol\.asyncDispose\])(?: |$)/.test(where);
}

/** Tortures a program; tells what the worst run has lost. */
export async function tortured(
  program: Program,
  options: TortureOptions,
): Promise<TortureReport & { readonly lost: number }> {
  await using _ = allowWarnings(SUPPRESSED);
  let lost = 0;
  const report = await torture(
    {
      setup: () => new World(),
      run: program.run,
      check: (world, outcome) => {
        world.check();
        lost = Math.max(lost, world.lost);
        if (outcome.kind === "value") assert.equal(world.lost, 0, "a call that returned has lost nothing");
      },
      signals: (world) => [world.abort.signal],
      // A job that fails while the rest is being cancelled: its error goes before the cancellation.
      expectErrors: (error) => error instanceof Error && error.message === ON_PURPOSE,
      mayRecover: program.mayRecover,
      maySwallowCancellation: program.maySwallowCancellation,
    },
    { ...options, expectWarnings: [SUPPRESSED] },
  );
  return { ...report, lost };
}
