// Nothing is lost between two tasks: a cancellation that comes in the same turn as a hand-off is before it or after it.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runProgram } from "../kernel/child.ts";
import { noteFigure } from "./figures.ts";
import type { Tally } from "./hand-off-race.ts";
import { HAND_OFFS } from "./hand-off-subjects.ts";

const FIXTURE = new URL("fixtures/hand-offs.ts", import.meta.url);
const SEED = 1;

/** Registers a test for each hand-off, of that many races. */
export function proveHandOffs(races: number, limitMs: number): void {
  describe("A cancellation in the turn of a hand-off", { concurrency: 2 }, () => {
    for (const call of Object.keys(HAND_OFFS)) {
      it(`either takes the waiter out of the line or comes when ${call} has returned (${races} races)`, async () => {
        const started = performance.now();
        const { lines, code, stderr } = await runProgram(FIXTURE, [call, `${races}`, `${SEED}`], { limitMs });
        assert.equal(code, 0, stderr);
        const tally = JSON.parse(lines.join("")) as Tally;
        assert.equal(tally.races, races);
        // Both must have happened, and often, or the races prove nothing.
        assert.ok(tally.kept > races / 20, `only ${tally.kept} calls kept what they were handed`);
        assert.ok(tally.passedOn > races / 20, `only ${tally.passedOn} things went to the next`);
        noteFigure("hand-off races", { count: races, unit: "races", ms: performance.now() - started });
      });
    }
  });
}
