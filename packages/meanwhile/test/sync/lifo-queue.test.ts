import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { createTask, gather, LifoQueue, Queue, type QueueOptions } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

describe("LifoQueue", () => {
  it("gives the newest item first", () =>
    runTest(async () => {
      const queue = new LifoQueue<number | undefined>({ maxSize: Infinity });
      for (const item of [1, undefined, 3]) await queue.put(item);
      assert.equal(queue.size, 3);
      assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], [3, undefined, 1]);
    }));

  it("is a Queue", () => {
    assert.ok(new LifoQueue({ maxSize: 1 }) instanceof Queue);
  });

  it("lets puts wait for room, and takes their items in the order they asked", () =>
    runTest(async () => {
      const queue = new LifoQueue<number>({ maxSize: 1 });
      const puts = createTask(() => gather([1, 2, 3].map((item) => () => queue.put(item))));
      await waitUntilIdle();
      assert.deepEqual([queue.tryGet(), queue.tryGet(), queue.tryGet()], [1, 2, 3]);
      await puts;
    }));

  it("can be closed, iterated, joined and dropped like any queue", () =>
    runTest(async () => {
      const queue = new LifoQueue<number>({ maxSize: 5 });
      for (const item of [1, 2, 3]) queue.tryPut(item);
      queue.close();
      for await (const item of queue) {
        assert.equal(item, 3);
        queue.taskDone();
        break;
      }
      queue.close({ immediate: true });
      await queue.join();
      assert.equal(queue.size, 0);
    }));

  it("has its own name in errors and dumps", () => {
    assert.throws(() => new LifoQueue({} as QueueOptions), {
      code: "MW_ERR_INVALID_ARGUMENT",
      message: /^Cannot create LifoQueue: 'maxSize' is undefined; pass an integer >= 1, or Infinity for no limit$/,
    });
  });
});
