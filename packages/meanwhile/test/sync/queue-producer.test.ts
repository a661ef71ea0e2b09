import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, createTask, gather, isCancelled, LifoQueue, Queue, sleep } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";

const CLOSED = { name: "QueueClosedError", code: "MW_ERR_QUEUE_CLOSED" };
const PRODUCER_CLOSED = { ...CLOSED, message: /^Cannot put: this producer is closed; / };
const QUEUE_CLOSED = { ...CLOSED, message: /^Cannot put: the queue is closed; / };

describe("The producers of a Queue", () => {
  it("close it when the last of them is closed, and its readers end when they have read everything", () =>
    runTest(async () => {
      const queue = new Queue<number>({ maxSize: 1 });
      const producers = [1, 2, 3].map((id) => ({ id, producer: queue.producer() }));
      const got: number[] = [];
      await gather([
        ...producers.map(({ id, producer }) => async () => {
          using open = producer;
          for (let i = 0; i < id; i++) {
            await open.put(id);
            await sleep(id);
          }
        }),
        async () => {
          for await (const item of queue) got.push(item);
        },
      ]);
      assert.deepEqual(
        got.toSorted((a, b) => a - b),
        [1, 2, 2, 3, 3, 3],
      );
      assert.equal(queue.closed, true);
    }));

  it("keep it open while one is", () => {
    const queue = new Queue<number>({ maxSize: 2 });
    const first = queue.producer();
    const second = queue.producer();
    assert.equal(queue.statistics().producers, 2);
    first.tryPut(1);
    first.close();
    first.close();
    first[Symbol.dispose]();
    assert.deepEqual([first.closed, second.closed, queue.closed], [true, false, false]);
    assert.equal(queue.statistics().producers, 1);
    const third = queue.producer();
    second.close();
    assert.equal(queue.closed, false);
    third.close();
    assert.equal(queue.closed, true);
    assert.equal(queue.tryGet(), 1);
  });

  it("refuse to put once they are closed", () =>
    runTest(async () => {
      const queue = new Queue<number>({ maxSize: 2 });
      using other = queue.producer();
      const producer = queue.producer();
      producer.close();
      await assert.rejects(producer.put(1), PRODUCER_CLOSED);
      assert.throws(() => producer.tryPut(1), PRODUCER_CLOSED);
      assert.equal(queue.size, 0);
      void other;
    }));

  it("end their own waiting puts when they are closed, and no others", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      queue.tryPut("first");
      const closing = queue.producer();
      const staying = queue.producer();
      const puts = [
        createTask(() => staying.put("staying")),
        createTask(() => errorOf(closing.put("closing"))),
        createTask(() => queue.put("plain")),
        createTask(() => errorOf(closing.put("closing too"))),
      ] as const;
      await waitUntilIdle();
      closing.close();
      assert.equal(queue.statistics().putsWaiting, 2);
      assert.match((await puts[1])?.message ?? "", PRODUCER_CLOSED.message);
      assert.match((await puts[3])?.message ?? "", PRODUCER_CLOSED.message);
      assert.deepEqual([queue.tryGet(), queue.tryGet(), queue.tryGet()], ["first", "staying", "plain"]);
      await puts[0];
      await puts[2];
      assert.equal(queue.statistics().unfinished, 3);
      staying.close();
    }));

  it("end the waiting puts of the queue itself when the last is closed", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      queue.tryPut("first");
      const producer = queue.producer();
      const plain = createTask(() => errorOf(queue.put("plain")));
      await waitUntilIdle();
      producer.close();
      assert.match((await plain).message, QUEUE_CLOSED.message);
      assert.throws(() => queue.tryPut("late"), QUEUE_CLOSED);
    }));

  it("find the queue closed when close() was called", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      const producer = queue.producer();
      producer.tryPut("first");
      const waiting = createTask(() => errorOf(producer.put("second")));
      await waitUntilIdle();
      queue.close();
      assert.match((await waiting).message, QUEUE_CLOSED.message);
      await assert.rejects(producer.put("late"), QUEUE_CLOSED);
      assert.equal(producer.closed, false);
      producer.close();
      assert.equal(queue.statistics().producers, 0);
      assert.equal(queue.tryGet(), "first");
    }));

  it("cannot be made once the queue is closed", () => {
    const queue = new Queue<string>({ maxSize: 1 });
    queue.producer().close();
    assert.throws(() => queue.producer(), {
      ...CLOSED,
      message: /^Cannot make a producer: the queue is closed; make all producers before/,
    });
    assert.equal(queue.statistics().producers, 0);
  });

  it("wait for room, and throw when there is none to be had at once", () =>
    runTest(async () => {
      const queue = new Queue<number>({ maxSize: 1 });
      const producer = queue.producer();
      await producer.put(1);
      assert.throws(() => producer.tryPut(2), { code: "MW_ERR_QUEUE_FULL" });
      const put = createTask(() => producer.put(3));
      await waitUntilIdle();
      assert.equal(queue.tryGet(), 1);
      await put;
      assert.equal(queue.tryGet(), 3);
    }));

  it("put nothing in a cancelled scope", () =>
    runTest(async () => {
      const queue = new Queue<number>({ maxSize: 1 });
      const producer = queue.producer();
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(producer.put(1), (error) => isCancelled(error));
      });
      assert.equal(queue.size, 0);
    }));

  it("belong to queues of every order", () => {
    const queue = new LifoQueue<number>({ maxSize: 2 });
    using producer = queue.producer();
    producer.tryPut(1);
    producer.tryPut(2);
    producer.close();
    assert.deepEqual([queue.tryGet(), queue.tryGet()], [2, 1]);
  });
});
