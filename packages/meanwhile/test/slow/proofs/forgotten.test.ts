// Ten thousand forgotten coroutines, each reported once and with its line; the awaited ones among them are not.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runProgram } from "../../kernel/child.ts";
import { noteFigure, scaled } from "../../proofs/figures.ts";

const FIXTURE = new URL("../../proofs/fixtures/forgotten.ts", import.meta.url);
const COUNT = scaled(10_000);

describe("Forgotten coroutines", () => {
  it(`are all reported with the line that made them, and no others (${COUNT} collected, ${COUNT} held)`, async () => {
    const started = performance.now();
    const options = { nodeOptions: ["--expose-gc"], limitMs: 120_000 };
    const { lines, code, stderr } = await runProgram(FIXTURE, [`${COUNT}`], options);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(lines.join("")), { forget: COUNT, forgetButHold: COUNT });
    noteFigure("forgotten coroutines", { count: 2 * COUNT, unit: "reports", ms: performance.now() - started });
  });
});
