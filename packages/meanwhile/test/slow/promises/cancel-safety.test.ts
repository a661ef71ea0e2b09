// Every pair of cancellations, several kinds of errors, and other schedules: what cancel-safety.test.ts has no time for.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";

import { PROGRAMS } from "../../promises/scenarios.ts";
import { mayFail, tortured } from "../../promises/tortured.ts";

const MOST_PAIRS = 5_000;
const SEEDS = [1, 2, 3];

class ForeignError extends Error {
  override readonly name = "AbortError"; // as fetch and Node throw it, and not of our making
}

const ERRORS = [
  () => new TypeError("injected"),
  () => new ForeignError("injected"),
  () => new AggregateError([new Error("one"), new Error("two")], "injected"),
];

const done = { programs: 0, runs: 0, pairsLeftOut: 0 };
after(() => {
  const { programs, runs, pairsLeftOut } = done;
  console.log(`torture: ${programs} times a program, ${runs} runs, ${pairsLeftOut} pairs of cancellations left out`);
});

describe("A program cancelled twice", () => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    it(`ends with everything cleaned up: ${name}`, async () => {
      const { runs, pairsLeftOut } = await tortured(program, { pairs: MOST_PAIRS });
      assert.ok(runs > 1);
      count(runs, pairsLeftOut);
    });
  }
});

describe("A program in which any call fails, with any error", () => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    if (program.cancelOnly === true) continue;
    it(`ends with everything cleaned up: ${name}`, async () => {
      count((await tortured(program, { inject: "error", errors: ERRORS, mayFail })).runs);
    });
  }
});

describe("A program cancelled anywhere, in whatever order its tasks go on", () => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    it(`ends with everything cleaned up: ${name}`, async () => {
      for (const seed of SEEDS) count((await tortured(program, { seed, pairs: 100 })).runs);
    });
  }
});

function count(runs: number, pairsLeftOut = 0): void {
  done.programs += 1;
  done.runs += runs;
  done.pairsLeftOut += pairsLeftOut;
}
