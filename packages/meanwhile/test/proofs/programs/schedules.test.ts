// Nothing depends on an order that nobody promised: another seed, another order; no seed, the order of waiting.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { checkpoint, gather, sleep } from "meanwhile";
import { runTest } from "meanwhile/testing";

const TASKS = 5;
const STEPS = 4;

/** Five tasks that take turns, and in which order. */
async function takeTurns(): Promise<string> {
  let trace = "";
  const task = (name: number) => async () => {
    for (let step = 0; step < STEPS; step++) {
      trace += name;
      await sleep(0);
      await checkpoint();
    }
  };
  await gather(Array.from({ length: TASKS }, (_, name) => task(name)));
  return trace;
}

async function tracesUnder(seeds: ReadonlyArray<number | undefined>): Promise<Set<string>> {
  const traces = new Set<string>();
  for (const seed of seeds) traces.add(await runTest(takeTurns, { seed }));
  return traces;
}

describe("Tasks that take turns", () => {
  it("do so in ten ways under ten seeds", async () => {
    assert.equal((await tracesUnder([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).size, 10);
  });

  it("do so in one way under one seed", async () => {
    assert.equal((await tracesUnder(Array.from({ length: 10 }, () => 1))).size, 1);
  });

  it("do so in the order in which they began to wait without a seed", async () => {
    const inOrder = Array.from({ length: TASKS }, (_, name) => name)
      .join("")
      .repeat(STEPS);
    assert.deepEqual(await tracesUnder(Array.from({ length: 10 }, () => undefined)), new Set([inOrder]));
  });
});
