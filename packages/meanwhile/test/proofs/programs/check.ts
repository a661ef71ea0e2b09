// Runs one program under one schedule, and makes a failure that people can read of what went wrong.

import assert from "node:assert/strict";

import { runTest } from "meanwhile/testing";

import { generate } from "./generate.ts";
import { Ledger } from "./ledger.ts";
import { Machine } from "./machine.ts";
import { smaller } from "./shrink.ts";
import { type Program, textOf } from "./statements.ts";
import type { Things } from "./things.ts";

/** Real milliseconds after which a program that does not end is a failure. */
const TIME_LIMIT_MS = 5_000;

/** Hears the warnings about errors that could not be thrown. */
export class Warnings implements Disposable {
  /** Whose run it is. */
  ledger: Ledger | null = null;
  readonly #hear = (warning: Error): void =>
    this.ledger?.toldByWarning(`${warning.message}${"detail" in warning ? String(warning.detail) : ""}`);

  constructor() {
    process.on("warning", this.#hear);
  }

  [Symbol.dispose](): void {
    process.off("warning", this.#hear);
  }
}

/** How one run of a program went. */
export interface Report {
  readonly violations: readonly string[];
  /** What happened, if it was recorded. */
  readonly log: readonly string[];
  /** How it ended. */
  readonly ending: "value" | "deadlock" | "error";
}

/** How a program is run. */
export interface RunOptions {
  /** Whether what happens is recorded. Default: false. */
  readonly isRecording?: boolean;
  /** Changes what the program uses, to see whether that shows. */
  readonly spoil?: ((things: Things) => void) | undefined;
}

/** Runs a program under the schedule of a seed. */
export async function runProgram(
  program: Program,
  seed: number,
  warnings: Warnings,
  { isRecording = false, spoil }: RunOptions = {},
): Promise<Report> {
  const ledger = new Ledger(isRecording);
  const machine = new Machine(ledger);
  spoil?.(machine.things);
  warnings.ledger = ledger;
  const { log } = ledger;
  let outcome: { readonly error: unknown } | null = null;
  try {
    await runTest(() => machine.main(program), {
      seed,
      onEvent: log === null ? undefined : (event) => void log.push(String(event)),
      timeoutMs: TIME_LIMIT_MS,
      expectWarnings: ["MW_WARN_SUPPRESSED"],
    });
  } catch (error) {
    outcome = { error };
  }
  machine.close(outcome, program);
  warnings.ledger = null;
  const code = (outcome?.error as { code?: unknown } | undefined)?.code;
  const failure = code === "MW_ERR_DEADLOCK" ? "deadlock" : "error";
  return { violations: ledger.violations, log: log ?? [], ending: outcome === null ? "value" : failure };
}

/** How much of the log a failure shows. */
const LINES_SHOWN = 60;

/** A program that failed. */
interface Failed {
  /** Its seed. */
  readonly program: number;
  /** The schedules it is tried under. */
  readonly schedules: readonly number[];
  /** What was violated. */
  readonly violations: readonly string[];
}

/** Fails with a small program that shows what went wrong under one of the schedules. */
async function explain(failed: Failed, warnings: Warnings, options: RunOptions): Promise<never> {
  const failingSeed = async (candidate: Program): Promise<number | undefined> => {
    for (const seed of failed.schedules) {
      const { violations } = await runProgram(candidate, seed, warnings, options);
      if (violations.length > 0) return seed;
    }
    return undefined;
  };
  const program = generate(failed.program);
  const small = await smaller(program, async (candidate) => (await failingSeed(candidate)) !== undefined);
  const seed = await failingSeed(small);
  const part = seed === undefined ? [] : await describeFailure(small, seed, warnings, options);
  return assert.fail(
    [
      `program ${failed.program} does not keep what is promised under one of the seeds ${failed.schedules.join(", ")}:`,
      textOf(program),
      ...failed.violations.map((violation) => `- ${violation}`),
      `set MEANWHILE_PROGRAM=${failed.program} to run this program alone`,
      ...part,
    ].join("\n"),
  );
}

async function describeFailure(
  part: Program,
  seed: number,
  warnings: Warnings,
  options: RunOptions,
): Promise<string[]> {
  const { violations, log } = await runProgram(part, seed, warnings, { ...options, isRecording: true });
  return [
    `neither does this part of it, under seed ${seed}:`,
    textOf(part),
    ...violations.map((violation) => `- ${violation}`),
    "what happened, in the end:",
    ...log.slice(-LINES_SHOWN).map((line) => `  ${line}`),
  ];
}

/** What was run. */
export interface Tally {
  programs: number;
  runs: number;
  deadlocks: number;
  errors: number;
}

/** Runs a range of programs, each under many schedules; fails at the first that does not keep what is promised. */
export async function checkPrograms(
  first: number,
  count: number,
  schedules: number,
  options: RunOptions = {},
): Promise<Tally> {
  using warnings = new Warnings();
  const only = process.env["MEANWHILE_PROGRAM"];
  const tally: Tally = { programs: 0, runs: 0, deadlocks: 0, errors: 0 };
  for (const programSeed of only === undefined ? range(first, count) : [Number(only)]) {
    const program = generate(programSeed);
    const seeds = range(programSeed * schedules, schedules);
    tally.programs += 1;
    for (const seed of seeds) {
      const { violations, ending } = await runProgram(program, seed, warnings, options);
      if (violations.length > 0)
        await explain({ program: programSeed, schedules: seeds, violations }, warnings, options);
      tally.runs += 1;
      if (ending === "deadlock") tally.deadlocks += 1;
      if (ending === "error") tally.errors += 1;
    }
  }
  return tally;
}

/** The integers from `first`. */
export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Runs programs twice under the same seed, each another one, and fails at the first with which not the same happens. */
export async function checkDeterminism(first: number, count: number): Promise<number> {
  using warnings = new Warnings();
  let events = 0;
  for (const seed of range(first, count)) {
    const program = generate(seed);
    const { log } = await runProgram(program, seed, warnings, { isRecording: true });
    const again = await runProgram(program, seed, warnings, { isRecording: true });
    const at = log.findIndex((line, i) => line !== again.log[i]);
    if (at !== -1 || again.log.length !== log.length) {
      const lines = [textOf(program), ...log.slice(0, at), `once:  ${log.at(at)}`, `again: ${again.log.at(at)}`];
      assert.fail(`program ${seed} runs in two ways under seed ${seed}:\n${lines.join("\n")}`);
    }
    events += log.length;
  }
  return events;
}
