// SIGINT at any moment of a busy program: everything cleans up once, and the process is gone at once.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Ended, runProgram } from "../kernel/child.ts";
import { seededIntegers } from "../util/random.ts";
import { noteFigure } from "./figures.ts";

const FIXTURE = new URL("fixtures/shutdown.ts", import.meta.url);
/** What the fixture gives its tasks to clean up. */
const GRACE_MS = 500;
/** How much longer it may take, of which nearly all is the end of the process. */
const MOST_MS = 200;
/** A busy machine may be that much slower: it is the figure that is held against {@link MOST_MS}. */
const MARGIN = 10;
/** The moments are drawn from so long after the start of the program. */
const WINDOW_MS = 40;
const LIMIT_MS = 30_000;

async function send(kind: "once" | "stubborn", moment: number, windowMs: number): Promise<Ended> {
  const signals: Array<[string, "SIGINT"]> = [["started", "SIGINT"]];
  if (kind === "stubborn") signals.push(["cleaning up", "SIGINT"]);
  const delayMs = seededIntegers(moment)(windowMs);
  return await runProgram(FIXTURE, [kind, `${moment}`], { signals, delayMs, limitMs: LIMIT_MS });
}

function summary(ended: Ended): { entered: number; once: number; exitCallbacks: number } {
  return JSON.parse(ended.lines.at(-1) ?? "null") as ReturnType<typeof summary>;
}

function checkCleanEnd(ended: Ended): void {
  const { code, lines, stderr } = ended;
  assert.equal(stderr, "", "nothing is to be warned of");
  const { entered, once, exitCallbacks } = summary(ended);
  assert.ok(entered > 0, "at least the block in the background");
  assert.equal(once, entered, "each block that was entered cleans up once");
  assert.equal(exitCallbacks, 1);
  assert.deepEqual(lines.slice(0, -1), ["started", "CancelledError SIGINT"]);
  assert.equal(code, 130);
  assert.ok(ended.endedAfterMs <= GRACE_MS + MARGIN * MOST_MS, `it took ${ended.endedAfterMs} ms`);
}

function checkSuddenEnd(ended: Ended): void {
  assert.deepEqual(ended.lines.slice(0, -1), ["started", "cleaning up"]);
  assert.equal(ended.code, 130);
  assert.equal(summary(ended).exitCallbacks, 0, "nothing more is waited for");
  assert.ok(ended.endedAfterMs <= MARGIN * MOST_MS, `it took ${ended.endedAfterMs} ms`);
}

async function sendAtMoments(
  kind: "once" | "stubborn",
  count: number,
  check: (ended: Ended) => void,
  windowMs: number,
): Promise<void> {
  const started = performance.now();
  let [longest, blocks] = [0, 0];
  for (let moment = 0; moment < count; moment++) {
    const ended = await send(kind, moment, windowMs);
    try {
      check(ended);
    } catch (error) {
      throw new Error(`at moment ${moment}: ${ended.lines.join(" | ")} ${ended.stderr}`, { cause: error });
    }
    longest = Math.max(longest, ended.endedAfterMs);
    blocks += summary(ended).entered;
  }
  const note = `${blocks} blocks entered, gone in ${Math.round(longest)} ms at most`;
  const unit = kind === "once" ? "moments of SIGINT" : "moments of a second SIGINT";
  noteFigure("shutdown", { count, unit, ms: performance.now() - started, note });
}

/** Registers the tests: that many moments for the first signal, and that many for a second one. */
export function proveShutdown(moments: number, secondMoments: number, windowMs: number = WINDOW_MS): void {
  describe("SIGINT at any moment of a busy program", { concurrency: 2 }, () => {
    it(`runs each finally block once, and ends it with 130 (${moments} moments)`, () =>
      sendAtMoments("once", moments, checkCleanEnd, windowMs));

    it(`ends it at once, as the second one (${secondMoments} moments)`, () =>
      sendAtMoments("stubborn", secondMoments, checkSuddenEnd, windowMs));
  });
}
