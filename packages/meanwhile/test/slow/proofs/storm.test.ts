// Fifty real seconds of a storm of cancellations over everything that can be waited for.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runProgram } from "../../kernel/child.ts";
import { noteFigure, scaled } from "../../proofs/figures.ts";

const FIXTURE = new URL("../../proofs/fixtures/storm.ts", import.meta.url);
const STORM_MS = scaled(50_000);

interface Outcome {
  readonly crowds: number;
  readonly rounds: number;
  readonly cancelled: number;
}

describe("Workers get on in a storm of cancellations", () => {
  it("each of them in every half second of real time, with all primitives at once", async () => {
    const started = performance.now();
    const { lines, code, stderr } = await runProgram(FIXTURE, [`${STORM_MS}`, "1"], { limitMs: 2 * STORM_MS + 60_000 });
    assert.equal(code, 0, stderr);
    const { crowds, rounds, cancelled } = JSON.parse(lines.join("")) as Outcome;
    assert.ok(cancelled > STORM_MS / 10, `only ${cancelled} were cancelled`);
    const ms = performance.now() - started;
    noteFigure("storm of cancellations", { count: cancelled, unit: "cancelled workers", ms, note: `${crowds} crowds` });
    noteFigure("storm of cancellations", { count: rounds, unit: "rounds of those who stayed", ms: 0 });
  });
});
