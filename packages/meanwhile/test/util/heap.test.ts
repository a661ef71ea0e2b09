import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { NumberHeap } from "../../src/util/heap.ts";
import { seededIntegers } from "./random.ts";

describe("NumberHeap", () => {
  it("has no smallest number when it is empty", () => {
    const heap = new NumberHeap();
    assert.equal(heap.peek(), undefined);
    assert.equal(heap.pop(), undefined);
    assert.equal(heap.size, 0);
  });

  it("gives the numbers back smallest first, equal ones as often as they came", () => {
    const heap = new NumberHeap();
    for (const item of [5, 1, 4, 1, 3, 5, 9, 2, 6]) heap.push(item);
    assert.equal(heap.size, 9);
    assert.deepEqual(
      Array.from({ length: 9 }, () => heap.pop()),
      [1, 1, 2, 3, 4, 5, 5, 6, 9],
    );
  });

  it("is empty after clear and can be used again", () => {
    const heap = new NumberHeap();
    heap.push(1);
    heap.push(2);
    heap.clear();
    assert.equal(heap.peek(), undefined);
    heap.push(3);
    assert.equal(heap.pop(), 3);
  });

  it("behaves like a sorted array under random pushes and pops", () => {
    const pick = seededIntegers(2);
    const heap = new NumberHeap();
    const model: number[] = [];
    for (let step = 0; step < 5_000; step++) {
      if (pick(100) < (step < 2_500 ? 60 : 40)) {
        const item = pick(200);
        heap.push(item);
        model.push(item);
        model.sort((a, b) => a - b);
      } else assert.equal(heap.pop(), model.shift());
      assert.equal(heap.size, model.length);
      assert.equal(heap.peek(), model[0]);
    }
  });
});
