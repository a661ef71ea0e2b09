// Runs the test suites of other people's projects, as they are and instrumented, and compares what comes of each test.

import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A project of which there may be a checkout. */
export interface Project {
  /** Where it is from. The folder of its checkout is named like the second part. */
  readonly repository: string;
  /** What builds it: arguments of Node. Default: nothing has to be built. */
  readonly prepare?: readonly string[];
  /** What runs its tests, the way it does itself: arguments of Node. They have to be told as TAP. */
  readonly test: readonly string[];
  /** Tests that depend on what the machine has, like a browser, or on how long something takes: not compared. */
  readonly leavesOut?: RegExp;
}

const MOCHA = "node_modules/mocha/bin/mocha.js";
const TSC = "node_modules/typescript/bin/tsc";
const COMMONJS = "--outDir build --rootDir . --target es2022 --module commonjs --moduleResolution node".split(" ");

/** Those whose sources and tests are written in TypeScript, and wait a lot. */
export const PROJECTS: readonly Project[] = [
  { repository: "sindresorhus/p-queue", test: ["--import=tsx/esm", "--test", "--test-reporter=tap", "test/*.ts"] },
  {
    repository: "DirtyHairy/async-mutex",
    // Newer JavaScript than its own setting, which has no `async`.
    prepare: [TSC, ...COMMONJS, "test/mutex.ts", "test/semaphore.ts", "test/tryAcquire.ts", "test/withTimeout.ts"],
    test: [MOCHA, "--no-config", "--ui=tdd", "--reporter=tap", "build/test/*.js"],
  },
  {
    repository: "connor4312/cockatiel",
    prepare: [TSC],
    test: [MOCHA, "--reporter=tap"],
    // It waits for a millisecond that does not hold the process. Node's first turn is longer where a source is parsed.
    leavesOut: /unrefs as requested/,
  },
  {
    repository: "sindresorhus/ky",
    test: ["node_modules/ava/entrypoints/cli.mjs", "--tap"],
    // There is no browser.
    leavesOut: /^browser /,
  },
];

/** How a suite is run: as it is, instrumented, or instrumented and inside of a run of meanwhile. */
export type Mode = "plain" | "instrumented" | "in a run";

/** What came of a suite. */
export interface Results {
  /** How the tests of each name ended, sorted. */
  readonly tests: ReadonlyMap<string, readonly string[]>;
  /** The files of the project that were instrumented. */
  readonly files: ReadonlySet<string>;
  /** How many calls of its functions were in a run. */
  readonly calls: number;
  readonly ms: number;
  readonly output: string;
}

/** Where a project lies in a folder of checkouts; null if it does not. */
export function checkoutOf({ repository }: Project, folder: string): string | null {
  const checkout = join(folder, repository.slice(repository.indexOf("/") + 1));
  return existsSync(join(checkout, "package.json")) ? checkout : null;
}

/** Installs what a project needs, if that was not done, and builds it. Nothing of what is installed runs a script. */
export function install({ prepare }: Project, checkout: string): void {
  const options = { cwd: checkout, stdio: "ignore" } as const;
  if (!existsSync(join(checkout, "node_modules"))) {
    const locked = existsSync(join(checkout, "package-lock.json"));
    const args = locked ? ["ci"] : ["install", "--no-package-lock"];
    execFileSync("npm", [...args, "--ignore-scripts", "--no-audit", "--no-fund"], options);
  }
  if (prepare !== undefined) execFileSync(process.execPath, [...prepare], options);
}

/** Runs the tests of a project. */
export async function runTests({ test }: Project, checkout: string, mode: Mode): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), "project-"));
  const list = join(folder, "files");
  const preload = new URL("./projects-preload.ts", import.meta.url).href;
  const options = `--conditions=@meanwhile/source --import=${preload}`;
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_OPTIONS: options,
    NO_COLOR: "1",
    MEANWHILE_INSTRUMENT_CACHE: "off",
    MEANWHILE_PROJECT_MODE: mode,
    MEANWHILE_PROJECT_FOLDER: checkout,
    MEANWHILE_PROJECT_FILES: list,
  };
  for (const name of ["FORCE_COLOR", "NODE_TEST_CONTEXT", "MEANWHILE_PROOF_FIGURES"]) delete env[name];
  const started = performance.now();
  try {
    const output = await outputOf(test, { cwd: checkout, env });
    const notes = existsSync(list) ? readFileSync(list, "utf8").split("\n").filter(Boolean) : [];
    const files = new Set(notes.filter((note) => note.startsWith("file:")));
    const calls = notes.reduce((sum, note) => sum + (note.startsWith("file:") ? 0 : Number(note)), 0);
    return { tests: testsIn(output), files, calls, ms: performance.now() - started, output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function outputOf(
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<string> {
  return new Promise((resolve) => {
    // Some of its tests may fail in any case: the exit code does not count.
    const child = execFile(
      process.execPath,
      [...args],
      { ...options, maxBuffer: 2 ** 28, timeout: 600_000 },
      (_, stdout, stderr) => resolve(`${stdout}\n${stderr}`),
    );
    child.stdin?.end();
  });
}

/** Reads TAP: nested or not, with and without a dash before the name. */
function testsIn(output: string): Map<string, string[]> {
  const tests = new Map<string, string[]>();
  for (const line of output.split("\n")) {
    const { outcome, name } = /^ *(?<outcome>ok|not ok) \d+ (?:- )?(?<name>.*)$/.exec(line)?.groups ?? {};
    if (outcome === undefined || name === undefined) continue;
    const known = tests.get(name);
    if (known === undefined) tests.set(name, [outcome]);
    else known.push(outcome);
  }
  for (const outcomes of tests.values()) outcomes.sort();
  return tests;
}

/** The tests that ended otherwise. */
export function differencesOf(before: Results, after: Results, leavesOut?: RegExp): string[] {
  const names = new Set([...before.tests.keys(), ...after.tests.keys()]);
  return [...names].flatMap((name) => {
    const [one, other] = [before, after].map(({ tests }) => tests.get(name)?.join(", ") ?? "not run");
    return one === other || leavesOut?.test(name) === true ? [] : [`${name}: ${one} → ${other}`];
  });
}

/** How many tests passed, or did not. */
export function countOf({ tests }: Results, outcome: "ok" | "not ok"): number {
  return [...tests.values()].flat().filter((each) => each === outcome).length;
}
