import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { createTask, gather, PriorityQueue, type PriorityQueueOptions, Queue } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { seededIntegers } from "../util/random.ts";

const REFUSED = { name: "UsageError", code: "MW_ERR_INVALID_ARGUMENT" };

interface Job {
  readonly due: number;
  readonly name: string;
}

function drain<T>(queue: Queue<T>): T[] {
  return Array.from({ length: queue.size }, () => queue.tryGet());
}

/** A queue for any items, that compares them itself. */
function anyQueue(maxSize: number): PriorityQueue<unknown> {
  return new PriorityQueue<unknown>({ maxSize } as PriorityQueueOptions<unknown>);
}

describe("PriorityQueue", () => {
  it("gives the smallest item first", () =>
    runTest(async () => {
      const queue = new PriorityQueue<number>({ maxSize: Infinity });
      for (const item of [5, -Infinity, 3, 8, 1, 9.5, -0, 2, Infinity]) await queue.put(item);
      assert.deepEqual(drain(queue), [-Infinity, -0, 1, 2, 3, 5, 8, 9.5, Infinity]);
    }));

  it("is a Queue", () => {
    assert.ok(new PriorityQueue<number>({ maxSize: 1 }) instanceof Queue);
  });

  it("compares strings, bigints and dates by itself", () => {
    for (const sorted of [
      ["", "a", "aa", "b"],
      [-5n, 0n, 3n, 10n ** 30n],
      [new Date(0), new Date(5), new Date(1_000)],
    ]) {
      const queue = anyQueue(9);
      for (const item of sorted.toReversed()) queue.tryPut(item);
      assert.deepEqual(drain(queue), sorted);
    }
  });

  it("compares anything with the function it is given, which is what it goes by", () => {
    const queue = new PriorityQueue<number>({ maxSize: 9, compare: (a, b) => b - a });
    for (const item of [2, 9, 4]) queue.tryPut(item);
    assert.deepEqual(drain(queue), [9, 4, 2]);
  });

  it("takes items of another type once it is empty", () => {
    const queue = anyQueue(2);
    queue.tryPut(1);
    assert.throws(() => queue.tryPut("a"), REFUSED);
    queue.tryGet();
    queue.tryPut("a");
    assert.throws(() => queue.tryPut(1), REFUSED);
    assert.deepEqual(drain(queue), ["a"]);
  });

  it("gives equal items in the order they were put", () => {
    const pick = seededIntegers(21);
    const queue = new PriorityQueue<Job>({ maxSize: Infinity, compare: (a, b) => a.due - b.due });
    const jobs = Array.from({ length: 300 }, (_, index) => ({ due: pick(5), name: `${index}` }));
    for (const job of jobs) queue.tryPut(job);
    // The sort of arrays is stable.
    assert.deepEqual(
      drain(queue),
      jobs.toSorted((a, b) => a.due - b.due),
    );
  });

  it("is sorted at every moment of a random use", () => {
    const pick = seededIntegers(22);
    const queue = new PriorityQueue<number>({ maxSize: Infinity });
    let model: number[] = [];
    for (let step = 0; step < 3_000; step++) {
      if (pick(5) < 3) {
        const item = pick(100);
        queue.tryPut(item);
        model.push(item);
      } else if (model.length > 0) {
        model = model.toSorted((a, b) => a - b);
        assert.equal(queue.tryGet(), model.shift());
      }
      assert.equal(queue.size, model.length);
    }
  });

  it("hands an item straight to a get that waits, and puts that wait come in as there is room", () =>
    runTest(async () => {
      const queue = new PriorityQueue<number>({ maxSize: 2 });
      const get = createTask(() => queue.get());
      await waitUntilIdle();
      queue.tryPut(9);
      assert.equal(await get, 9);
      const puts = createTask(() => gather([5, 7, 1, 6].map((item) => () => queue.put(item))));
      await waitUntilIdle();
      // 1 and 6 wait outside, in the order they asked.
      assert.deepEqual(
        Array.from({ length: 4 }, () => queue.tryGet()),
        [5, 1, 6, 7],
      );
      await puts;
    }));

  it("refuses what is in no order, before it waits, and keeps the rest", () =>
    runTest(async () => {
      const message =
        /^Cannot put .+: it is not in order with others by itself; put numbers, strings, bigints or dates, or /;
      for (const item of [NaN, undefined, null, true, {}, [1], Symbol("s"), () => 1, new Date(NaN)]) {
        const queue = anyQueue(1);
        assert.throws(() => queue.tryPut(item), { ...REFUSED, message });
        await assert.rejects(queue.put(item), { ...REFUSED, message });
        queue.tryPut(1);
        await assert.rejects(queue.put(item), { ...REFUSED, message });
        assert.equal(queue.tryGet(), 1);
        assert.equal(queue.statistics().unfinished, 1);
      }
    }));

  it("refuses items of another type than the first", () => {
    const queue = anyQueue(9);
    queue.tryPut(1);
    for (const item of ["2", 2n, new Date(2)]) {
      assert.throws(() => queue.tryPut(item), {
        ...REFUSED,
        message: /^Cannot put .+: the items of this PriorityQueue are of the type number; put items of one type, or/,
      });
    }
    queue.tryPut(0);
    assert.deepEqual(drain(queue), [0, 1]);
  });

  it("refuses the item of which compare returns no number, also where nothing has to be compared yet", () =>
    runTest(async () => {
      const late = new PriorityQueue<Partial<Job>>({
        maxSize: 9,
        compare: (a, b) => (a.due as number) - (b.due as number),
      });
      const message = /^Cannot put the item: 'compare' returned NaN; return a number, negative if the first/;
      assert.throws(() => late.tryPut({ name: "no date" }), { ...REFUSED, message });
      assert.equal(late.size, 0);
      const smaller = new PriorityQueue<number>({ maxSize: 9, compare: ((a: number, b: number) => a < b) as never });
      await assert.rejects(smaller.put(1), { ...REFUSED, message: /'compare' returned false/ });
      const partial = new PriorityQueue<number>({ maxSize: 9, compare: (one, other) => (one === other ? 0 : NaN) });
      partial.tryPut(1);
      await assert.rejects(partial.put(2), { ...REFUSED, message: /'compare' returned NaN/ });
      assert.deepEqual(drain(partial), [1]);
    }));

  it("loses nothing when compare throws: neither what is queued nor what waits", () =>
    runTest(async () => {
      let poisoned = -1;
      const queue = new PriorityQueue<number>({
        maxSize: 6,
        compare: (a, b) => {
          if (a !== b && (a === poisoned || b === poisoned)) throw new Error("cannot compare");
          return a - b;
        },
      });
      for (const item of [4, 2, 6, 1, 3]) queue.tryPut(item);
      poisoned = 5;
      assert.throws(() => queue.tryPut(5), /cannot compare/);
      assert.equal(queue.statistics().unfinished, 5);
      queue.tryPut(0);
      const bad = createTask(() => errorOf(queue.put(5)));
      const good = createTask(() => queue.put(7));
      await waitUntilIdle();
      assert.equal(queue.statistics().putsWaiting, 2);
      assert.equal(queue.tryGet(), 0);
      assert.equal((await bad).message, "cannot compare");
      await good;
      poisoned = 6;
      assert.throws(() => queue.tryGet(), /cannot compare/);
      await assert.rejects(queue.get(), /cannot compare/);
      poisoned = -1;
      assert.deepEqual(drain(queue), [1, 2, 3, 4, 6, 7]);
      assert.equal(queue.statistics().unfinished, 7);
    }));

  it("says how to fix wrong options", () => {
    assert.throws(() => new PriorityQueue<number>({ maxSize: 0 }), {
      ...REFUSED,
      message: /^Cannot create PriorityQueue: 'maxSize' is 0; pass an integer >= 1, or Infinity for no limit$/,
    });
    assert.throws(() => new PriorityQueue<number>({ maxSize: 1, compare: "due" as never }), {
      ...REFUSED,
      message: /^Cannot create PriorityQueue: 'compare' is "due"; pass a function that returns a number$/,
    });
    assert.throws(() => new PriorityQueue<number>(undefined as never), {
      ...REFUSED,
      message: /'maxSize' is undefined/,
    });
  });
});
