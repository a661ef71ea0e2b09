// Compares every primitive with its model.

import { describe, it } from "node:test";

import { checkSequentially } from "meanwhile/testing";

import { noteFigure } from "../figures.ts";
import { type Specification, SPECIFICATIONS } from "./specifications.ts";

/** What three actors do. */
export function sizeOf({ steps = 5 }: Specification): { readonly actors: number; readonly callsEach: number } {
  return { actors: 3, callsEach: steps };
}

/** Registers a test for each primitive, of so many programs. */
export function proveSpecifications(seed: number, programs: number): void {
  describe("Calls of several tasks, some of them cancelled", () => {
    for (const [name, specification] of Object.entries(SPECIFICATIONS)) {
      it(`have the results they have one after the other: ${name} (${programs} programs)`, async () => {
        const started = performance.now();
        await checkSequentially(specification.right, { ...sizeOf(specification), seed, schedules: programs });
        noteFigure("specifications", { count: programs, unit: `programs of ${name}`, ms: performance.now() - started });
      });
    }
  });
}
