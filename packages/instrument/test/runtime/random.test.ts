// Random programs that are cancelled at a random moment: nobody resumes before what he has called has ended, each cleanup
// runs once, and nothing is left. A run of many is in test/slow.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "./harness.ts";
import { programOf } from "./plans.ts";
import type * as programs from "./programs/random.ts";

const { instrumented } = await load<typeof programs>("random");
const PROGRAMS = 250;

describe("random programs", () => {
  it(`are unwound leaves first: ${PROGRAMS} of them`, async () => {
    for (let seed = 1; seed <= PROGRAMS; seed += 1) {
      const { root, cancelAfter } = programOf(seed);
      try {
        assert.deepEqual(await logOf(() => instrumented.runPlan(root, cancelAfter), { isRealTime: true }), ["returns"]);
        assert.deepEqual(root.running(), []);
      } catch (error) {
        throw new Error(`seed ${seed}, cancelled after ${cancelAfter} turns: ${JSON.stringify(root.plan)}`, {
          cause: error,
        });
      }
    }
  });
});
