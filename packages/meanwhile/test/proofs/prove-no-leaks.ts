// What has ended is garbage, whatever ended it, while the run that it was part of goes on.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runProgram } from "../kernel/child.ts";
import { noteFigure } from "./figures.ts";

const FIXTURE = new URL("fixtures/leaks.ts", import.meta.url);

/** Growth that is no leak: that much, or that part of what was there before. */
const FLAT_BYTES = 5_000_000;
const FLAT_PART = 0.05;

/** JavaScriptCore takes whatever looks like a reference on the stack for one. */
const MOST_LEFT = process.versions["bun"] === undefined ? 0 : 10;

interface Left {
  readonly before: number;
  readonly grown: number;
  /** How many were watched, and how many of these are still there. */
  readonly seen: Readonly<Record<string, number>>;
  readonly left: Readonly<Record<string, number>>;
}

async function runFixture<T>(what: string, count: number, limitMs: number): Promise<T> {
  const options = { nodeOptions: ["--expose-gc"], limitMs };
  const { lines, code, stderr } = await runProgram(FIXTURE, [what, `${count}`], options);
  assert.equal(code, 0, stderr);
  return JSON.parse(lines.join("")) as T;
}

/** Registers the tests: for so many tasks in each way to end, and so many uses of one signal. */
export function proveNoLeaks(tasks: number, uses: number, limitMs: number): void {
  describe(`Of ${tasks} tasks nothing is left`, { concurrency: 2 }, () => {
    for (const [ending, kinds] of [
      ["finished", ["tasks", "scopes", "coroutines"]],
      ["cancelled", ["tasks", "scopes"]],
      ["timed out", ["tasks", "scopes"]],
    ] as const) {
      it(`that were ${ending}`, async () => {
        const started = performance.now();
        const { before, grown, seen, left } = await runFixture<Left>(ending, tasks, limitMs);
        assert.ok(grown < Math.max(FLAT_BYTES, before * FLAT_PART), `the heap grew from ${before} by ${grown} bytes`);
        for (const kind of kinds) {
          assert.equal(seen[kind], 1_000, `${kind} that were watched`);
          assert.ok((left[kind] ?? Infinity) <= MOST_LEFT, `${left[kind]} ${kind} were not collected`);
        }
        const note = `heap grew by ${Math.round(grown / 1024)} KiB`;
        noteFigure("leaks", { count: tasks, unit: `tasks ${ending}`, ms: performance.now() - started, note });
      });
    }
  });

  describe("An AbortSignal", () => {
    it(`has one listener at most, used ${uses} times`, async () => {
      const started = performance.now();
      const { most, left } = await runFixture<{ most: number; left: number }>("signal", uses, limitMs);
      assert.deepEqual({ most, left }, { most: 1, left: 0 });
      noteFigure("leaks", { count: uses, unit: "uses of one signal", ms: performance.now() - started });
    });
  });
}
