import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  checkpoint,
  createTask,
  gather,
  isCancelled,
  moveOnAfter,
  Queue,
  type QueueOptions,
  sleep,
} from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { seededIntegers } from "../util/random.ts";

const CLOSED = { name: "QueueClosedError", code: "MW_ERR_QUEUE_CLOSED" };

describe("Queue", () => {
  it("gives items back in the order they were put", () =>
    runTest(async () => {
      const queue = new Queue<number>({ maxSize: Infinity });
      for (const item of [1, 2, 3]) await queue.put(item);
      assert.equal(queue.size, 3);
      assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], [1, 2, 3]);
    }));

  it("hands items to waiting gets in the order they asked", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      const got = gather([() => queue.get(), () => queue.get(), () => queue.get()]);
      for (const item of ["a", "b", "c"]) await queue.put(item);
      assert.deepEqual(await got, ["a", "b", "c"]);
    }));

  it("lets puts wait for room and takes their items in the order they asked", () =>
    runTest(async () => {
      const queue = new Queue<number>({ maxSize: 2 });
      const puts = createTask(() => gather([1, 2, 3, 4, 5].map((item) => () => queue.put(item))));
      await waitUntilIdle();
      assert.deepEqual(queue.statistics(), {
        size: 2,
        maxSize: 2,
        unfinished: 2,
        closed: false,
        producers: 0,
        getsWaiting: 0,
        putsWaiting: 3,
      });
      const got: number[] = [];
      for (let i = 0; i < 5; i++) {
        got.push(await queue.get());
        assert.ok(queue.size <= 2);
      }
      assert.deepEqual(got, [1, 2, 3, 4, 5]);
      await puts;
    }));

  it("does not let a newcomer put or get ahead of those who wait", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      const get = createTask(() => queue.get());
      await waitUntilIdle();
      queue.tryPut("first");
      assert.throws(() => queue.tryGet(), { code: "MW_ERR_QUEUE_EMPTY" });
      queue.tryPut("second");
      const put = createTask(() => queue.put("third"));
      await waitUntilIdle();
      assert.equal(queue.tryGet(), "second");
      assert.throws(() => queue.tryPut("newcomer"), { code: "MW_ERR_QUEUE_FULL" });
      assert.equal(await get, "first");
      await put;
      assert.equal(queue.tryGet(), "third");
    }));

  it("delivers the item to a get that is cancelled in the tick of the put", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      let got: string | undefined;
      const get = createTask(async () => {
        got = await queue.get();
        await checkpoint();
      });
      await waitUntilIdle();
      queue.tryPut("item");
      get.cancel();
      await errorOf(get);
      assert.equal(got, "item");
      assert.equal(queue.size, 0);
    }));

  it("keeps the item when the waiting get was cancelled in the tick before the put", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      const get = createTask(() => queue.get());
      await waitUntilIdle();
      get.cancel();
      queue.tryPut("item");
      assert.equal(queue.tryGet(), "item");
      await errorOf(get);
    }));

  it("does not put the item of a put that was cancelled while it waited", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      queue.tryPut("kept");
      assert.equal(await moveOnAfter(1, () => queue.put("lost").then(() => "put")), undefined);
      assert.equal(queue.statistics().putsWaiting, 0);
      assert.equal(queue.statistics().unfinished, 1);
      assert.equal(queue.tryGet(), "kept");
      assert.throws(() => queue.tryGet(), { code: "MW_ERR_QUEUE_EMPTY" });
    }));

  it("has put the item of a put that is cancelled in the tick room was made", () =>
    runTest(async () => {
      const queue = new Queue<string>({ maxSize: 1 });
      queue.tryPut("first");
      let isPut = false;
      const put = createTask(async () => {
        await queue.put("second");
        isPut = true;
        await checkpoint();
      });
      await waitUntilIdle();
      assert.equal(queue.tryGet(), "first");
      put.cancel();
      await errorOf(put);
      assert.equal(isPut, true);
      assert.equal(queue.tryGet(), "second");
    }));

  it("is a checkpoint also where nothing has to be waited for, before any effect", () =>
    runTest(async () => {
      const queue = new Queue<number>({ maxSize: 2 });
      queue.tryPut(1);
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(queue.put(2), (error) => isCancelled(error));
        await assert.rejects(queue.get(), (error) => isCancelled(error));
        await assert.rejects(queue.join(), (error) => isCancelled(error));
      });
      assert.equal(queue.size, 1);
    }));

  it("keeps undefined as an item, in the queue and for waiting puts and gets", () =>
    runTest(async () => {
      const queue = new Queue<undefined>({ maxSize: 1 });
      const got = createTask(() => gather([() => queue.get(), () => queue.get(), () => queue.get()]));
      await gather([() => queue.put(undefined), () => queue.put(undefined), () => queue.put(undefined)]);
      assert.deepEqual(await got, [undefined, undefined, undefined]);
    }));

  it("throws from tryPut and tryGet what cannot be done now", () => {
    const queue = new Queue<number>({ maxSize: 1 });
    assert.throws(() => queue.tryGet(), { name: "QueueEmptyError", code: "MW_ERR_QUEUE_EMPTY" });
    queue.tryPut(1);
    assert.throws(() => queue.tryPut(2), { name: "QueueFullError", code: "MW_ERR_QUEUE_FULL" });
    queue.close();
    assert.throws(() => queue.tryPut(2), CLOSED);
    assert.equal(queue.tryGet(), 1);
    assert.throws(() => queue.tryGet(), CLOSED);
  });

  describe("close", () => {
    it("refuses puts and lets gets have what is left", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 3 });
        queue.tryPut(1);
        queue.tryPut(2);
        queue.close();
        queue.close();
        assert.equal(queue.closed, true);
        await assert.rejects(queue.put(3), CLOSED);
        assert.deepEqual([await queue.get(), await queue.get()], [1, 2]);
        await assert.rejects(queue.get(), CLOSED);
      }));

    it("ends waiting puts and gets, each with an error of its own, and puts nothing", () =>
      runTest(async () => {
        const full = new Queue<number>({ maxSize: 1 });
        full.tryPut(1);
        const empty = new Queue<number>({ maxSize: 1 });
        const errors: unknown[] = [];
        const note = (error: unknown): void => void errors.push(error);
        await gather([
          () => errorOf(full.put(2)).then(note),
          () => errorOf(full.put(3)).then(note),
          () => errorOf(empty.get()).then(note),
          () => errorOf(empty.get()).then(note),
          async () => {
            await waitUntilIdle();
            full.close();
            empty.close();
          },
        ]);
        assert.equal(new Set(errors).size, 4);
        for (const error of errors) assert.equal((error as { code?: string }).code, CLOSED.code);
        assert.equal(full.tryGet(), 1);
        assert.throws(() => full.tryGet(), CLOSED);
      }));

    it("leaves join waiting for what is unfinished", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 1 });
        queue.tryPut(1);
        queue.close();
        const joined = createTask(() => queue.join());
        await waitUntilIdle();
        assert.equal(joined.done, false);
        queue.tryGet();
        queue.taskDone();
        await joined;
      }));
  });

  describe("close with immediate", () => {
    it("drops what is queued, counts it as done, and ends every wait", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 2 });
        queue.tryPut(1);
        queue.tryPut(2);
        const put = createTask(() => errorOf(queue.put(3)));
        const joined = createTask(() => queue.join());
        await waitUntilIdle();
        queue.close({ immediate: true });
        assert.equal(queue.size, 0);
        assert.equal(queue.statistics().unfinished, 0);
        await joined;
        assert.match((await put).message, /^Cannot put: the queue is closed/);
        await assert.rejects(queue.get(), { ...CLOSED, message: /^Cannot get: the queue is closed and empty/ });
        assert.throws(() => queue.taskDone(), { code: "MW_ERR_NOTHING_UNFINISHED" });
      }));

    it("counts as done only what it drops: what a get has taken is still unfinished", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 3 });
        for (const item of [1, 2, 3]) queue.tryPut(item);
        await queue.get();
        const joined = createTask(() => queue.join());
        await waitUntilIdle();
        queue.close({ immediate: true });
        await waitUntilIdle();
        assert.equal(joined.done, false);
        assert.equal(queue.statistics().unfinished, 1);
        queue.taskDone();
        await joined;
      }));

    it("drops what a close before has left", () => {
      const queue = new Queue<number>({ maxSize: 3 });
      queue.tryPut(1);
      queue.close({ immediate: false });
      assert.equal(queue.size, 1);
      queue.close({ immediate: true });
      assert.throws(() => queue.tryGet(), CLOSED);
      assert.equal(queue.statistics().unfinished, 0);
    });
  });

  describe("join", () => {
    it("does not wait when nothing was put", () => runTest(() => new Queue({ maxSize: 1 }).join()));

    it("waits until every item was reported as done, also those handed straight to a get", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 1 });
        const worker = createTask(async () => {
          for await (const item of queue) {
            await sleep(item);
            queue.taskDone();
          }
        });
        for (const item of [1, 2, 3]) await queue.put(item);
        await queue.join();
        await waitUntilIdle(); // the worker asks for the next item
        assert.deepEqual(queue.statistics(), {
          size: 0,
          maxSize: 1,
          unfinished: 0,
          closed: false,
          producers: 0,
          getsWaiting: 1,
          putsWaiting: 0,
        });
        queue.close();
        await worker;
      }));

    it("refuses one report more than there were items", () => {
      const queue = new Queue<number>({ maxSize: 1 });
      queue.tryPut(1);
      queue.taskDone();
      assert.throws(() => queue.taskDone(), { name: "UsageError", code: "MW_ERR_NOTHING_UNFINISHED" });
    });

    it("shows what it waits for", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 1 });
        queue.tryPut(1);
        await moveOnAfter(1, () => queue.join());
        assert.equal(queue.statistics().unfinished, 1);
      }));
  });

  describe("iteration", () => {
    it("gets items until the queue is closed and empty", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 2 });
        const got: number[] = [];
        await gather([
          async () => {
            for await (const item of queue) got.push(item);
          },
          async () => {
            for (const item of [1, 2, 3, 4]) await queue.put(item);
            queue.close();
          },
        ]);
        assert.deepEqual(got, [1, 2, 3, 4]);
      }));

    it("ends every loop that waits when the queue is closed", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 1 });
        const loops = [1, 2].map(() =>
          createTask(async () => {
            for await (const item of queue) void item;
            return "ended";
          }),
        );
        await waitUntilIdle();
        assert.equal(queue.statistics().getsWaiting, 2);
        queue.close();
        assert.deepEqual(await gather(loops), ["ended", "ended"]);
        for await (const item of queue) assert.fail(`got ${item}`);
      }));

    it("gives items that are promises as they are, whether it had to wait or not", () =>
      runTest(async () => {
        const queue = new Queue<Promise<number>>({ maxSize: 1 });
        const [first, second] = [Promise.resolve(1), Promise.resolve(2)];
        queue.tryPut(first);
        const got: unknown[] = [];
        const loop = createTask(async () => {
          for await (const item of queue) got.push(item);
        });
        await waitUntilIdle();
        queue.tryPut(second);
        queue.close();
        await loop;
        assert.ok(got[0] === first && got[1] === second);
      }));

    it("delivers an item to a loop that is cancelled in the tick of the put", () =>
      runTest(async () => {
        const queue = new Queue<string>({ maxSize: 1 });
        const got: string[] = [];
        const loop = createTask(async () => {
          for await (const item of queue) got.push(item);
        });
        await waitUntilIdle();
        queue.tryPut("item");
        queue.tryPut("kept");
        loop.cancel();
        await errorOf(loop);
        assert.deepEqual(got, ["item"]);
        assert.equal(queue.tryGet(), "kept");
      }));

    it("leaves the rest in the queue when the loop is left", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 3 });
        for (const item of [1, 2, 3]) queue.tryPut(item);
        for await (const item of queue) if (item === 2) break;
        assert.equal(queue.closed, false);
        assert.equal(queue.tryGet(), 3);
      }));

    it("ends with the cancellation when it is cancelled", () =>
      runTest(async () => {
        const queue = new Queue<number>({ maxSize: 3 });
        const result = await moveOnAfter(1, async () => {
          for await (const item of queue) void item;
          return "ended";
        });
        assert.equal(result, undefined);
      }));
  });

  it("says how to fix a maxSize that is missing or no positive integer", () => {
    for (const options of [undefined, {}, { maxSize: 0 }, { maxSize: 1.5 }, { maxSize: NaN }, { maxSize: "2" }]) {
      assert.throws(() => new Queue(options as QueueOptions), {
        name: "UsageError",
        code: "MW_ERR_INVALID_ARGUMENT",
        message: /^Cannot create Queue: 'maxSize' is .+; pass an integer >= 1, or Infinity for no limit$/,
      });
    }
  });

  it("neither loses nor doubles items under random cancellation, and keeps each producer's order", () =>
    runTest(async () => {
      const pick = seededIntegers(7);
      const queue = new Queue<readonly [producer: number, item: number]>({ maxSize: 3 });
      const put: string[] = [];
      const got: string[] = [];
      // Each attempt is cancelled or not; what it says it did is what was done.
      const attempt = (body: () => Promise<void>): Promise<unknown> =>
        cancelScope((scope) =>
          gather([
            body,
            async () => {
              await sleep(pick(4));
              scope.cancel();
            },
          ]),
        );
      const producers = Array.from({ length: 4 }, (_, producer) => async () => {
        for (let item = 0; item < 150; item++) {
          await attempt(async () => {
            await queue.put([producer, item]);
            put.push(`${producer}:${item}`);
          });
          if (pick(3) === 0) await sleep(pick(3));
        }
      });
      let producing = true;
      const consumers = Array.from({ length: 3 }, () => async () => {
        for (;;) {
          if (!producing && queue.size === 0) return;
          await attempt(async () => {
            const [producer, item] = await queue.get();
            got.push(`${producer}:${item}`);
            assert.ok(queue.size <= 3);
          });
          if (pick(3) === 0) await sleep(pick(3));
        }
      });
      await gather([
        async () => {
          await gather(producers);
          producing = false;
        },
        ...consumers,
      ]);
      assert.ok(put.length > 100, `${put.length} were put`);
      assert.deepEqual(got.toSorted(), put.toSorted());
      assert.equal(queue.statistics().unfinished, put.length);
    }));
});
