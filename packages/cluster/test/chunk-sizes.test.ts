// How many items of a map go in one job.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Sizes } from "../src/chunk-sizes.ts";

const MIB = 2 ** 20;

/** How many jobs so many items are, if as many are under way as may be. */
function jobsFor(items: number, window: number, msOf: (count: number, job: number) => number): number {
  const sizes = new Sizes(MIB, window, undefined);
  const open: number[] = [];
  let jobs = 0;
  for (let left = items; left > 0 || open.length > 0;) {
    while (left > 0 && open.length < sizes.concurrency) {
      const count = Math.min(left, sizes.next);
      open.push(count);
      left -= count;
      jobs += 1;
    }
    const count = open.shift() as number;
    sizes.learn(count, msOf(count, jobs), 10 * count);
  }
  return jobs;
}

describe("the chunks of a map", () => {
  it("grow with what has ended, not only with the longest that has", () => {
    const quick = (count: number): number => 0.5 + count * 0.01;
    assert.ok(jobsFor(8_000, Infinity, quick) < 1_500);
    assert.ok(jobsFor(8_000, 1_024, quick) < 580);
  });

  it("stay long when some of them come late", () => {
    const sizes = new Sizes(MIB, Infinity, undefined);
    for (let job = 0; job < 50; job++) sizes.learn(sizes.next, 0.1 * sizes.next, 100);
    const size = sizes.next;
    assert.ok(size > 100, `${size}`);
    sizes.learn(size, 10_000, 100);
    assert.ok(sizes.next >= size / 2, `${sizes.next}`);
  });

  it("get short when the items take long, or say nothing that makes sense", () => {
    const sizes = new Sizes(MIB, Infinity, undefined);
    for (let job = 0; job < 50; job++) sizes.learn(sizes.next, 0.1 * sizes.next, 100);
    for (let job = 0; job < 20; job++) sizes.learn(sizes.next, 100 * sizes.next, 100);
    assert.equal(sizes.next, 1);
    for (const ms of ["x", NaN, null]) sizes.learn(1, ms as number, 100);
    assert.equal(sizes.next, 1);
  });

  it("are no longer than a part of the window, so that many workers have something", () => {
    const sizes = new Sizes(MIB, 1_024, undefined);
    for (let job = 0; job < 50; job++) sizes.learn(sizes.next, 0.001, 100);
    assert.deepEqual([sizes.next, sizes.concurrency], [16, 64]);
  });
});
