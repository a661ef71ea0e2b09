// Records in the order of the list.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";

import { OrderedEntries } from "../../src/fetch/ordered.ts";

function collecting(window: number, memory = 1_000): { entries: OrderedEntries; lines: string[] } {
  const lines: string[] = [];
  return { entries: new OrderedEntries({ window, memory, emit: ({ line }) => lines.push(line) }), lines };
}

const entry = (line: string): { line: string; note: undefined } => ({ line, note: undefined });

describe("OrderedEntries", () => {
  it("hands out what comes in any order in that of the list", () => {
    for (const order of [
      [1, 2, 3, 4],
      [4, 3, 2, 1],
      [2, 4, 1, 3],
    ]) {
      const { entries, lines } = collecting(10);
      for (const index of order) entries.put(index, entry(String(index)));
      assert.deepEqual(lines, ["1", "2", "3", "4"]);
    }
  });

  it("goes on over what has no entry", () => {
    const { entries, lines } = collecting(10);
    entries.put(3, entry("3"));
    entries.put(2, null);
    entries.put(1, null);
    assert.deepEqual(lines, ["3"]);
  });

  it("keeps on the disk what does not fit into memory", () => {
    const { entries, lines } = collecting(100, 10);
    using spilling = entries;
    const texts = Array.from({ length: 50 }, (_, index) => `${index} ü ${"x".repeat(index)}`);
    for (let round = 0; round < 2; round++) {
      const base = round * 50;
      for (let index = 50; index >= 1; index--) spilling.put(base + index, entry(texts[index - 1] ?? ""));
    }
    assert.deepEqual(lines, [...texts, ...texts]);
  });

  it("lets nothing begin that is too far ahead, until the first has come", async () => {
    await run(async () => {
      const { entries } = collecting(2);
      assert.equal(entries.whenOpen(1), null);
      assert.equal(entries.whenOpen(2), null);
      const third = entries.whenOpen(3);
      assert.ok(third !== null);
      entries.put(2, entry("2"));
      entries.put(1, entry("1"));
      await third;
      assert.equal(entries.whenOpen(4), null);
    });
  });

  it("hands out the rest at the end of a run that was stopped", () => {
    const { entries, lines } = collecting(10);
    for (const index of [5, 2, 4]) entries.put(index, entry(String(index)));
    entries.flush();
    assert.deepEqual(lines, ["2", "4", "5"]);
  });
});
