// 10 000 mutated frames for each endpoint: each ends in a message or a documented close code, and memory stays where it is.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { noteFigure } from "../../../../tools/figures.ts";
import { ENDPOINTS, fuzz, type Outcome } from "../conformance/fuzz.ts";

const FRAMES = Math.ceil(10_000 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1));
const WARM_UP = 1_000;
const MOST_GROWTH_MB = 64;

const residentMb = (): number => process.memoryUsage.rss() / 2 ** 20;

/** Codes of an application are one. */
function shown(outcome: Outcome): string {
  const counts = Map.groupBy(outcome, ([code]) => nameOf(code));
  return Array.from(counts, ([name, all]) => `${name} ${all.reduce((sum, [, count]) => sum + count, 0)}`).join(", ");
}

function nameOf(code: number): string {
  if (code === 0) return "messages";
  return code >= 3000 ? "3000 to 4999" : String(code);
}

describe(`${FRAMES} mutated frames`, () => {
  for (const [name, endpoint] of Object.entries(ENDPOINTS)) {
    it(`end in a message or a close code that is documented, and in no more memory: ${name}`, async () => {
      await fuzz(endpoint, WARM_UP, 1_000_000);
      const beforeMb = residentMb();
      const startedAt = performance.now();
      const outcome = await fuzz(endpoint, FRAMES);
      const grownMb = residentMb() - beforeMb;
      noteFigure(`WebSocket: mutated frames, ${name}`, {
        count: FRAMES,
        unit: "frames",
        ms: performance.now() - startedAt,
        note: `${grownMb.toFixed(0)} MB more; ${shown(outcome)}`,
      });
      assert.ok(grownMb < MOST_GROWTH_MB, `it takes ${grownMb} MB more`);
    });
  }
});
