// Repeats all unit tests, and fails if a test fails even once: one that fails once in a while says nothing when it passes.
// `node tools/check-flakes.ts [times]`. The collector is called at the end of each file, so that a coroutine that was awaited
// and is reported as forgotten all the same shows as well.

import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";

import { noteFigure } from "./figures.ts";
import { report } from "./source.ts";

const TIMES = Number(process.argv[2] ?? 20);
const TESTS = "packages/*/test/{,!(slow|types)/**/}*.test.ts";
/** What a run should take; more than that is told. */
const GOAL_S = 60;
/** On a machine that is busy with other things, too: beyond this it fails. */
const LIMIT_S = 3 * GOAL_S;
/** The proofs are run a tenth as long: more of the same programs under the same seeds shows nothing new. */
const PROOFS = "0.1";
const PRELOADED = ["test-setup.ts", "no-real-sleep.ts", "collect-at-end.ts"];

interface Run {
  readonly passed: number;
  readonly failed: boolean;
  readonly seconds: number;
  readonly output: string;
}

async function runOnce(): Promise<Run> {
  const started = performance.now();
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const preloads = PRELOADED.map((name) => `--import=${pathToFileURL(`${import.meta.dirname}/${name}`).href}`);
  const options = ["--conditions=@meanwhile/source", "--expose-gc", ...preloads];
  const child = spawn(process.execPath, [...options, "--test", "--test-concurrency=2", "--test-reporter=spec", TESTS], {
    env: { ...env, NODE_OPTIONS: "", NO_COLOR: "1", FORCE_COLOR: "0", MEANWHILE_PROOF_SCALE: PROOFS },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const passed = Number(/^ℹ pass (\d+)$/m.exec(output)?.[1] ?? 0);
  return { passed, failed: code !== 0 || passed === 0, seconds: (performance.now() - started) / 1_000, output };
}

if (!(Number.isInteger(TIMES) && TIMES > 0)) {
  report(`Cannot repeat the tests ${process.argv[2]} times; give a whole number`);
} else {
  const started = performance.now();
  const runs: Run[] = [];
  for (let time = 1; time <= TIMES; time++) {
    const run = await runOnce();
    runs.push(run);
    const seconds = run.seconds.toFixed(1);
    if (run.failed) report(`Run ${time} of ${TIMES} fails after ${seconds} s:\n${failuresIn(run.output)}`);
    else console.log(`run ${time} of ${TIMES}: ${run.passed} tests pass in ${seconds} s`);
  }
  summarize(runs, performance.now() - started);
}

/** Everything but what went well: what fails at the very end of a file is told apart from its tests. */
function failuresIn(output: string): string {
  return output
    .split("\n")
    .filter((line) => !/^ *[✔▶]/.test(line))
    .join("\n");
}

function summarize(runs: readonly Run[], ms: number): void {
  const failures = runs.filter(({ failed }) => failed).length;
  const times = runs.map(({ seconds }) => seconds).toSorted((a, b) => a - b);
  const [fastest = 0, median = 0] = [times[0], times[Math.floor(times.length / 2)]];
  const note = `${failures} failures; ${fastest.toFixed(1)} s at best, ${median.toFixed(1)} s as a rule`;
  console.log(`${runs.length} runs: ${note}${fastest > GOAL_S ? `; the goal is ${GOAL_S} s` : ""}`);
  if (fastest > LIMIT_S)
    report(`The unit tests take ${fastest.toFixed(0)} s at best: no more than ${LIMIT_S} s are accepted`);
  noteFigure("flakes", { count: runs.length, unit: "runs of all unit tests", ms, note });
}
