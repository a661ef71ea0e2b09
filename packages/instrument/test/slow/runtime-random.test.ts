// Very many random programs, with figures. A few of them run in the tests of the runtime.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "../runtime/harness.ts";
import { programOf } from "../runtime/plans.ts";
import type * as programs from "../runtime/programs/random.ts";

const { instrumented } = await load<typeof programs>("random");
const FIRST_SEED = 1_000;
const PROGRAMS = 60_000;

describe("very many random programs", () => {
  it("are unwound leaves first, and leave nothing", { timeout: 120_000 }, async (test) => {
    const started = performance.now();
    let functions = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed += 1) {
      const { root, cancelAfter } = programOf(seed);
      try {
        assert.deepEqual(await logOf(() => instrumented.runPlan(root, cancelAfter), { isRealTime: true }), ["returns"]);
        assert.deepEqual(root.running(), []);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
      functions += root.size();
    }
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    test.diagnostic(`${PROGRAMS} programs with ${functions} functions in ${seconds} s`);
  });
});
