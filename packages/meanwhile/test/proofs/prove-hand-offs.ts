// Nothing is lost between two tasks: a cancellation that comes in the same turn as a hand-off is before it or after it.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Ended, runProgram } from "../kernel/child.ts";
import { noteFigure } from "./figures.ts";
import type { Tally } from "./hand-off-race.ts";
import { HAND_OFFS } from "./hand-off-subjects.ts";

const FIXTURE = new URL("fixtures/hand-offs.ts", import.meta.url);
const SEED = 1;
/** How many processes race at once. */
const LANES = 2;

interface Line extends Tally {
  readonly call: string;
  readonly ms: number;
}

function resultOf(call: string, { lines, code, stderr }: Ended): Line {
  const line = lines.map((text) => JSON.parse(text) as Line).find((one) => one.call === call);
  assert.ok(line !== undefined, `ended with ${code} before: ${stderr}`);
  return line;
}

/** Registers a test for each hand-off, of that many races. */
export function proveHandOffs(races: number, limitMs: number): void {
  const calls = Object.keys(HAND_OFFS);
  describe("A cancellation in the turn of a hand-off", () => {
    const lanes: Array<Promise<Ended>> = [];
    // Started by the first test and not at once: one that is not run needs no races.
    const start = (lane: number): Promise<Ended> =>
      (lanes[lane] ??= runProgram(FIXTURE, [`${races}`, `${SEED}`, ...calls.filter((_, i) => i % LANES === lane)], {
        limitMs,
      }));
    for (const [i, call] of calls.entries()) {
      it(`either takes the waiter out of the line or comes when ${call} has returned (${races} races)`, async () => {
        const ended = calls.slice(0, LANES).map((_, lane) => start(lane))[i % LANES];
        const { kept, passedOn, ms, ...rest } = resultOf(call, await (ended as Promise<Ended>));
        assert.equal(rest.races, races);
        // Both must have happened, and often, or the races prove nothing.
        assert.ok(kept > races / 20, `only ${kept} calls kept what they were handed`);
        assert.ok(passedOn > races / 20, `only ${passedOn} things went to the next`);
        noteFigure("hand-off races", { count: races, unit: "races", ms });
      });
    }
  });
}
