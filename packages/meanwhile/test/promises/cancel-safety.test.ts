// The promise: wherever a program is cancelled, it ends, everything has cleaned up, and nothing is lost or left behind but
// what docs/cancel-safety.md says. And wherever a call fails, the program ends with that error, as tidily.
//
// Each program is run once to find its checkpoints and waits, then once for each of them (see `torture`).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

import { PROGRAMS } from "./scenarios.ts";
import { mayFail, tortured } from "./tortured.ts";

/** Rows of the table: name → whether it says that something is lost. */
function rowsOf(...sections: readonly string[]): Map<string, boolean> {
  const page = readFileSync(new URL("../../../../docs/cancel-safety.md", import.meta.url), "utf8");
  const texts = page.split(/^## /m).filter((section) => sections.some((name) => section.startsWith(`\`${name}\`\n`)));
  const rows = texts.join("").matchAll(/^\| `(.+?)` +\| (\w+)/gm);
  return new Map(Array.from(rows, ([, name = "", safety]) => [name, safety === "loses"]));
}

// Runs of tests inside of tests, and what users implement, are told apart from calls.
const NOT_CALLED =
  /^(Scenario\.|\w+Like\.|PermitSource\.|WaitTarget\.|runTest$|torture$|exploreSchedules$|check[A-Z]|assert|MockClock\.)/;
const ROWS = rowsOf("meanwhile", "meanwhile/lowlevel", "meanwhile/testing");

describe("A program cancelled anywhere", () => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    it(`ends with everything cleaned up: ${name}`, async () => {
      const { points, runs, outcomes, lost } = await tortured(program, { pairs: 20 });
      assert.ok(points.length > 0);
      assert.ok(runs > points.length);
      assert.ok(outcomes.cancelled > 0);
      const maySay = program.covers.some((row) => ROWS.get(row) === true);
      if (lost > 0) assert.ok(maySay, `it has lost ${lost}, of which no row of ${program.covers.join()} says a word`);
    });
  }
});

describe("A program in which any call fails", () => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    if (program.cancelOnly === true) continue;
    it(`ends with everything cleaned up: ${name}`, async () => {
      const { outcomes, runs, checkpoints } = await tortured(program, {
        inject: "error",
        mayFail,
      });
      assert.ok(checkpoints > 0);
      assert.equal(outcomes.value + outcomes.failed + outcomes.cancelled, runs - 1);
    });
  }
});

describe("The table of cancel safety", () => {
  const covered = new Set(Object.values(PROGRAMS).flatMap(({ covers }) => covers));

  it("has a program for each of its rows", () => {
    const missing = [...ROWS.keys()].filter((row) => !covered.has(row) && !NOT_CALLED.test(row));
    assert.deepEqual(missing, []);
  });

  it("has a row for each call that a program stands for", () => {
    assert.deepEqual(
      [...covered].filter((row) => !ROWS.has(row)),
      [],
    );
  });

  it("says that something is lost only where that happens", async () => {
    for (const [row, loses] of ROWS) {
      if (!loses) continue;
      const programs = Object.values(PROGRAMS).filter(({ covers }) => covers.includes(row));
      const reports = await Promise.all(programs.map((program) => tortured(program, {})));
      assert.ok(
        reports.some(({ lost }) => lost > 0),
        row,
      );
    }
  });
});
