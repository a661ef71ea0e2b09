// Runs the test files beside it under Vitest: those of passing.test.ts have to pass, and what failing.test.ts makes Vitest
// print has to say what was wrong and how to see it again; those of instrumented.test.ts have
// to pass with instrumented code. Prints one line, or everything when that is not so.

import { spawnSync } from "node:child_process";

const { NODE_TEST_CONTEXT: _, ...env } = process.env;

function vitest(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync("vitest", ["run", ...args], {
    cwd: import.meta.dirname,
    encoding: "utf8",
    env: { ...env, NO_COLOR: "1", FORCE_COLOR: "0", NODE_OPTIONS: "--conditions=@meanwhile/source" },
  });
  return { status, output: `${stdout ?? ""}${stderr ?? ""}` };
}

function fail(problem: string, output: string): never {
  console.error(`${output}\nVitest: ${problem}`);
  process.exit(1);
}

function passedIn(...args: readonly string[]): number {
  const { status, output } = vitest(...args);
  const passed = Number(/Tests +(\d+) passed \(\d+\)/.exec(output)?.[1] ?? 0);
  if (status !== 0 || passed === 0) fail("the tests that have to pass fail", output);
  return passed;
}

const passed = passedIn("passing") + passedIn("instrumented", "--config", "instrumented.config.ts");

const failing = vitest("failing");
if (failing.status === 0) fail("the tests that have to fail pass", failing.output);
for (const text of [
  // An assertion under a seed keeps its diff, and names the seed.
  /^- +"born": 1816,$/m,
  /^\+ +"born": 1815,$/m,
  /\(seed 1: set MEANWHILE_SEED=1 to run this schedule alone\)/,
  // Torture names the point, and its cause keeps its diff.
  /Cannot survive a cancellation at point 1 of 3 \(checkpoint: sleep .*failing\.test\.ts:\d+:\d+\)/,
  /only: \{ cancel: 1 \}/,
  /^Caused by: AssertionError: expected 1 to be /m,
]) {
  if (!text.test(failing.output)) fail(`a failure does not say ${String(text)}`, failing.output);
}
console.log(`vitest: ${passed} tests pass, and failures say what they have to`);
