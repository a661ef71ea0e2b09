// Two million runs of random programs, and ten thousand done twice.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runProgram } from "../../../kernel/child.ts";
import { noteFigure, scaled } from "../../../proofs/figures.ts";
import type { Tally } from "../../../proofs/programs/check.ts";

const WORKER = new URL("../../../proofs/programs/worker.ts", import.meta.url);
const LIMIT_MS = 3_600_000;

const SCHEDULES = 10;
const PROGRAMS = scaled(200_000);
const TWICE = scaled(10_000);

/** Behind those that `npm test` runs. */
const FIRST = 1_000_000;

/** So many processes at once, each with its part. */
const WORKERS = 2;

async function work<T>(what: "once" | "twice", first: number, count: number): Promise<T> {
  const { lines, code, stderr } = await runProgram(WORKER, [what, `${first}`, `${count}`, `${SCHEDULES}`], {
    limitMs: LIMIT_MS,
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(lines.join("")) as T;
}

/** What all workers have done. */
function share<T>(what: "once" | "twice", count: number): Promise<T[]> {
  const each = Math.ceil(count / WORKERS);
  return Promise.all(Array.from({ length: WORKERS }, (_, i) => work<T>(what, FIRST + i * each, each)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe("A random program under random schedules", () => {
  it(`ends, cleans up, loses nothing and is told of every cancellation (${PROGRAMS} programs, ${SCHEDULES} schedules)`, async () => {
    const started = performance.now();
    const tallies = await share<Tally>("once", PROGRAMS);
    const runs = sum(tallies.map((tally) => tally.runs));
    assert.ok(runs >= PROGRAMS * SCHEDULES);
    const note = `${sum(tallies.map(({ deadlocks }) => deadlocks))} deadlocks, ${sum(tallies.map(({ errors }) => errors))} errors`;
    noteFigure("random programs", { count: runs, unit: "runs", ms: performance.now() - started, note });
  });

  it(`does the same again under the same seed (${TWICE} programs)`, async () => {
    const started = performance.now();
    const events = sum(await share<number>("twice", TWICE));
    assert.ok(events > TWICE * 20, `only ${events} events`);
    const note = `${events} events`;
    noteFigure("determinism", { count: TWICE, unit: "programs run twice", ms: performance.now() - started, note });
  });
});
