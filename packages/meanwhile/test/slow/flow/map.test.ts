// A million items.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { checkpoint, forEach, map } from "meanwhile";

const ITEMS = 1_000_000;
// What a million retained items would exceed many times over.
const FLAT_BYTES = 8_000_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function* items(): Generator<{ readonly id: number }> {
  for (let id = 0; id < ITEMS; id++) yield { id };
}

describe("forEach", () => {
  it("goes through a million items in flat memory", async () => {
    const before = heapUsed();
    let growth = Infinity;
    const visit = async ({ id }: { readonly id: number }): Promise<void> => {
      await checkpoint();
      if (id === ITEMS - 1) growth = heapUsed() - before;
    };
    await forEach(items(), visit, { concurrency: 100 });
    assert.ok(growth < FLAT_BYTES, `the heap grew by ${growth} bytes`);
  });
});

describe("map", () => {
  it("goes through a million items in flat memory", async () => {
    const before = heapUsed();
    let growth = Infinity;
    for await (const id of map(items(), (item) => item.id, { concurrency: 100 })) {
      if (id === ITEMS - 1) growth = heapUsed() - before;
    }
    assert.ok(growth < FLAT_BYTES, `the heap grew by ${growth} bytes`);
  });
});
