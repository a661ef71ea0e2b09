// The watchdog over many blocks, and over a long time in which there is none.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { gather, run, sleep } from "meanwhile";
import { type Block, startDiagnostics } from "meanwhile/diagnostics";

import { listenTo } from "../../diagnostics/asking.ts";

const QUIET = { level: 0, socket: false, report: false, blockedAfterMs: 50 } as const;
const SCALE = Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1);
const BLOCKS = Math.max(5, Math.ceil(100 * SCALE));
const IDLE_MS = 600_000 * SCALE;

describe("the watchdog", () => {
  it(`names the line and the task of ${BLOCKS} of ${BLOCKS} blocks of 200 ms`, async () => {
    await using diagnostics = startDiagnostics(QUIET);
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    await run(async () => {
      for (let i = 0; i < BLOCKS; i++) {
        const culprit = culpritAt(i);
        const before = blocks.seen.length;
        await gather([culprit]);
        const told = await blocks.until((one) => blocks.seen.indexOf(one) >= before && !one.ongoing);
        assert.equal(told.task?.name, culprit.name);
        assert.match(told.stack[0]?.file ?? "", new RegExp(`${culprit.name}\\.js$`));
        assert.equal(told.stack[0]?.line, i + 1);
      }
    });
  });

  it(`says nothing for ${IDLE_MS / 1_000} s of a program that waits`, async () => {
    await using diagnostics = startDiagnostics(QUIET);
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    const end = performance.now() + IDLE_MS;
    await run(async () => {
      while (performance.now() < end) await sleep(10);
    });
    assert.deepEqual(blocks.seen, []);
  });
});

/** Each in a file of its own, on a line of its own: the same place would be told only once in ten seconds. */
function culpritAt(index: number): () => Promise<void> {
  const name = `culprit${index}`;
  const url = new URL(`${name}.js`, import.meta.url);
  const source = `${"\n".repeat(index)}async () => { const end = performance.now() + 200; while (performance.now() < end); }\n//# sourceURL=${fileURLToPath(url)}`;
  // Code is made here because the test wants a hundred places.
  // oxlint-disable-next-line no-eval
  const culprit: () => Promise<void> = (0, eval)(source);
  Object.defineProperty(culprit, "name", { value: name });
  return culprit;
}
