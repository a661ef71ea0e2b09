// What takes minutes: the slow tests, the seeded bugs, the unit tests over and over; then a table of what was done.
// `node tools/check-slow.ts [tests] [mutations] [flakes]`, all without arguments. MEANWHILE_PROOF_SCALE makes it smaller.

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { environmentFor, tableOf } from "./figures.ts";
import { report } from "./source.ts";

const FIGURES = resolve(".cache/slow-figures.jsonl");
const SCALE = Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1);
const RUNS = Math.ceil(20 * SCALE);

const tool = (name: string): string => join(import.meta.dirname, name);

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  tests: [
    "--conditions=@meanwhile/source",
    `--import=${pathToFileURL(tool("test-setup.ts")).href}`,
    "--test",
    "--test-concurrency=2",
    "packages/*/test/slow/**/*.test.ts",
  ],
  mutations: [tool("check-mutations.ts")],
  flakes: [tool("check-flakes.ts"), String(RUNS)],
};

function check(name: string): string {
  const args = CHECKS[name];
  if (args === undefined) {
    report(`There is no check "${name}"; the checks are ${Object.keys(CHECKS).join(", ")}`);
    return "";
  }
  const started = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit", env: environmentFor(FIGURES) });
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);
  if (status !== 0) report(`${name} fail after ${seconds} s`);
  return `${name}: ${status === 0 ? "pass" : "FAIL"} in ${seconds} s`;
}

if (SCALE > 0) {
  rmSync(FIGURES, { force: true });
  mkdirSync(resolve(FIGURES, ".."), { recursive: true });
  writeFileSync(FIGURES, "");
  const asked = process.argv.slice(2);
  const ends = (asked.length === 0 ? Object.keys(CHECKS) : asked).map(check);
  console.log(`\n${tableOf(FIGURES)}\n\n${ends.join("\n")}`);
} else report(`MEANWHILE_PROOF_SCALE is ${SCALE}; set a number > 0`);
