// Compares every primitive with its model.

import { describe, it } from "node:test";

import { checkSequentially } from "meanwhile/testing";

import { noteFigure } from "../figures.ts";
import { SPECIFICATIONS } from "./specifications.ts";

/** Three actors that make three calls each: most of them ask, and take later what has come of it. */
export const SIZE: { readonly actors: number; readonly callsEach: number } = { actors: 3, callsEach: 6 };

/** Registers a test for each primitive, of so many programs. */
export function proveSpecifications(seed: number, programs: number): void {
  describe("Calls of several tasks, some of them cancelled", () => {
    for (const [name, { right }] of Object.entries(SPECIFICATIONS)) {
      it(`have the results they have one after the other: ${name} (${programs} programs)`, async () => {
        const started = performance.now();
        await checkSequentially(right, { ...SIZE, seed, schedules: programs });
        noteFigure("specifications", { count: programs, unit: `programs of ${name}`, ms: performance.now() - started });
      });
    }
  });
}
