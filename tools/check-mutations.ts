// Puts each bug of tools/mutations into a copy of the core and fails unless the tests named with it notice. A harness that is
// green whatever the code does would be worse than none. Words as arguments choose the bugs whose line has them.

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { parseSync } from "oxc-parser";

import { noteFigure } from "./figures.ts";
import type { Mutation } from "./mutations/mutation.ts";
import { report } from "./source.ts";

const LISTS = "tools/mutations/index.ts";
const CORE = "packages/meanwhile";
const SETUP = "tools/test-setup.ts";
/** The core, and what its tests read. */
const COPIED = [`${CORE}/src`, `${CORE}/test`, `${CORE}/package.json`, SETUP, "tools/figures.ts", "docs"];
const CONDITION = "@meanwhile/source";
/** Below the root, so that packages are found as from the original. */
const COPIES = ".cache/mutations";
const AT_ONCE = 2;
/** A test that takes longer hangs, which is a way to notice. */
const TEST_LIMIT_MS = 15_000;
/** The same for a file: one that never gives the event loop a turn cannot tell the time. */
const LIMIT_MS = 60_000;
const FAILED = /^ *not ok \d+ - (.*)$/m;

interface Lists {
  readonly MUTATIONS: readonly Mutation[];
}

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface Outcome {
  readonly passed: boolean;
  /** The first test that failed, or why there is none. */
  readonly failed: string;
}

/** One copy of the core, with one bug at a time. */
class Copy {
  readonly #root: string;

  constructor(number: number) {
    this.#root = resolve(COPIES, String(number));
    rmSync(this.#root, { recursive: true, force: true });
    for (const path of COPIED) if (existsSync(path)) cpSync(path, join(this.#root, path), { recursive: true });
  }

  /** Does something while the bug is in. */
  async withBug<T>({ file, from, to }: Mutation, body: () => Promise<T>): Promise<T> {
    const path = join(this.#root, CORE, "src", file);
    const original = readFileSync(path, "utf8");
    writeFileSync(
      path,
      original.replace(from, () => to),
    );
    try {
      return await body();
    } finally {
      writeFileSync(path, original);
    }
  }

  /** Whether every entry of the package can be loaded: a bug that only breaks that is noticed by anything. */
  async loads(): Promise<Outcome> {
    const { exports }: Manifest = JSON.parse(readFileSync(`${CORE}/package.json`, "utf8"));
    const entries = Object.entries(exports).filter(([, target]) => isEntry(target));
    const imports = entries.map(([subpath]) => `import "meanwhile${subpath.slice(1)}";`).join("\n");
    const program = join(this.#root, CORE, "load.mjs");
    writeFileSync(program, imports);
    return await this.#node([program]);
  }

  /** Runs one test file, or what of it the pattern behind `#` names. */
  async test(test: string): Promise<Outcome> {
    const [file = "", pattern] = test.split("#");
    const setup = pathToFileURL(join(this.#root, SETUP)).href;
    const options = ["--test-reporter=tap", `--test-timeout=${TEST_LIMIT_MS}`];
    if (pattern !== undefined) options.push(`--test-name-pattern=${pattern}`);
    return await this.#node(["--import", setup, "--test", ...options, join(this.#root, CORE, "test", file)]);
  }

  async #node(args: readonly string[]): Promise<Outcome> {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, [`--conditions=${CONDITION}`, ...args], {
      cwd: this.#root,
      env: { ...env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own, to end those it started with it
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
        // One is enough: those that follow may hang.
        if (FAILED.test(output)) end(child);
      });
    }
    const hangs = await endOf(child);
    const failed = FAILED.exec(output)?.[1];
    if (failed !== undefined) return { passed: false, failed };
    if (hangs) return { passed: false, failed: `hangs for ${LIMIT_MS / 1_000} s` };
    return { passed: child.exitCode === 0, failed: output.trim().split("\n").slice(-8).join("\n") };
  }
}

function isEntry(target: unknown): boolean {
  return typeof target === "object" && target !== null && CONDITION in target;
}

/** Ends the process and all that it started. */
function end({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
}

/** Waits for the end; whether it had to be brought about. */
async function endOf(child: ChildProcess): Promise<boolean> {
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    end(child);
  }, LIMIT_MS);
  await new Promise((done) => child.once("close", done));
  clearTimeout(timer);
  return hangs;
}

/** Whether the bug can be put in as it is written. */
function applies({ bug, file, from, to }: Mutation): boolean {
  const text = readFileSync(join(CORE, "src", file), "utf8");
  const places = text.split(from).length - 1;
  if (places !== 1)
    report(`"${bug}" no longer applies: its text is in ${file} ${places} times; write it for today's code`);
  else if (from === to) report(`"${bug}" changes nothing`);
  else if (
    parseSync(
      file,
      text.replace(from, () => to),
    ).errors.length > 0
  )
    report(`"${bug}" is not TypeScript`);
  else return true;
  return false;
}

/** Tells the name of who noticed. */
async function hunt(copy: Copy, mutation: Mutation): Promise<void> {
  const begun = performance.now();
  await copy.withBug(mutation, async () => {
    const loaded = await copy.loads();
    if (!loaded.passed) return report(`"${mutation.bug}" cannot be loaded, which proves nothing:\n${loaded.failed}`);
    for (const file of mutation.tests) {
      const { passed, failed } = await copy.test(file);
      if (passed) continue;
      const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
      console.log(`${seconds.padStart(5)} s  ${mutation.bug}\n         caught by ${file}: ${failed.split("\n")[0]}`);
      caught += 1;
      return undefined;
    }
    return report(`Survived: "${mutation.bug}" (${mutation.file}): none of ${mutation.tests.join(", ")} fails`);
  });
}

/** Without a bug every test passes, or failing under one would say nothing. */
async function checkSound(copy: Copy, test: string): Promise<void> {
  const { passed, failed } = await copy.test(test);
  if (passed) return;
  isSound = false;
  report(`${test} fails without any bug: ${failed}`);
}

async function eachInACopy<T>(items: readonly T[], act: (copy: Copy, item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const drain = async (copy: Copy): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(copy, item);
  };
  await Promise.all(copies.map(drain));
}

const started = performance.now();
let caught = 0;
let isSound = true;
const words = process.argv.slice(2);
const { MUTATIONS }: Lists = await import(pathToFileURL(resolve(LISTS)).href);
const chosen = MUTATIONS.filter(({ bug }) => words.length === 0 || words.some((word) => bug.includes(word)));
const usable = chosen.filter(applies);
mkdirSync(COPIES, { recursive: true });
const copies = Array.from({ length: AT_ONCE }, (_, number) => new Copy(number));
await eachInACopy([...new Set(usable.flatMap(({ tests }) => tests))], checkSound);
if (isSound) await eachInACopy(usable, hunt);
console.log(`${caught} of ${chosen.length} bugs are caught`);
const survived = chosen.length - caught;
noteFigure("mutations", {
  count: caught,
  unit: "seeded bugs caught",
  ms: performance.now() - started,
  note: `${survived} not`,
});
if (caught < chosen.length || chosen.length === 0) process.exitCode = 1;
