// Rule 8: the primitives of meanwhile behave under instrumentation as they do without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf, type Program } from "./harness.ts";
import type * as programs from "./programs/primitives.ts";

const { plain, instrumented } = await load<typeof programs>("primitives");

/** What everybody does at each time. In which order several go on at the same time is nothing that anybody is promised. */
function byTimeAndName(log: readonly string[]): string[] {
  const keyOf = (line: string): string => /^\d+ \w+/.exec(line)?.[0].padStart(20) ?? "z";
  return log.toSorted((a, b) => Number(keyOf(a) > keyOf(b)) - Number(keyOf(a) < keyOf(b)));
}

describe("a program of primitives does the same with and without instrumentation", () => {
  assert.ok(Object.keys(plain).length >= 35);
  for (const [name, program] of Object.entries<Program>(plain)) {
    it(name, async () => {
      const expected = await logOf(program);
      const log = await logOf((instrumented as Readonly<Record<string, Program>>)[name] as Program);
      assert.deepEqual(byTimeAndName(log), byTimeAndName(expected));
    });
  }
});
