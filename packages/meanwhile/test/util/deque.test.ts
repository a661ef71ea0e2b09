import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Deque } from "../../src/util/deque.ts";
import { seededIntegers } from "./random.ts";

describe("Deque", () => {
  it("gives items back in the order they came", () => {
    const deque = new Deque<number>();
    for (let i = 0; i < 100; i++) deque.push(i);
    assert.deepEqual(
      Array.from({ length: 100 }, () => deque.shift()),
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.equal(deque.size, 0);
  });

  it("keeps undefined as an item", () => {
    const deque = new Deque<number | undefined>();
    deque.push(undefined);
    deque.push(1);
    assert.equal(deque.size, 2);
    assert.equal(deque.shift(), undefined);
    assert.equal(deque.shift(), 1);
  });

  it("behaves like an array under random pushes and shifts", () => {
    const pick = seededIntegers(1);
    const deque = new Deque<number>();
    const model: number[] = [];
    for (let step = 0; step < 5_000; step++) {
      // Long phases of growing and shrinking, so that the ring is resized in every position of its head.
      const growing = Math.floor(step / 500) % 2 === 0;
      if (pick(10) < (growing ? 7 : 3)) {
        deque.push(step);
        model.push(step);
      } else if (model.length > 0) assert.equal(deque.shift(), model.shift());
      assert.equal(deque.size, model.length);
    }
    while (model.length > 0) assert.equal(deque.shift(), model.shift());
  });
});
