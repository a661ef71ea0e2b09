import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, checkpoint, createTask, gather, isCancelled, type Permit, Semaphore, sleep } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { seededIntegers } from "../util/random.ts";

describe("Semaphore", () => {
  it("lets as many tasks in as it has permits", () =>
    runTest(async () => {
      const semaphore = new Semaphore(3);
      let inside = 0;
      let most = 0;
      await gather(
        Array.from({ length: 10 }, () => async () => {
          using permit = await semaphore.acquire();
          void permit;
          most = Math.max(most, ++inside);
          await sleep(1);
          inside -= 1;
        }),
      );
      assert.equal(most, 3);
      assert.deepEqual(semaphore.statistics(), { permits: 3, freePermits: 3, tasksWaiting: 0 });
    }));

  it("serves waiters in the order they asked", () =>
    runTest(async () => {
      const semaphore = new Semaphore(1);
      const order: number[] = [];
      const first = await semaphore.acquire();
      await gather([
        ...[1, 2, 3].map((id) => async () => {
          using permit = await semaphore.acquire();
          void permit;
          order.push(id);
        }),
        async () => first.release(),
      ]);
      assert.deepEqual(order, [1, 2, 3]);
    }));

  it("gives a released permit to the longest waiter: a newcomer cannot overtake it", () =>
    runTest(async () => {
      const semaphore = new Semaphore(1);
      const permit = await semaphore.acquire();
      const waiter = createTask(() => semaphore.acquire());
      await waitUntilIdle();
      permit.release();
      assert.equal(semaphore.tryAcquire(), undefined);
      assert.deepEqual(semaphore.statistics(), { permits: 1, freePermits: 0, tasksWaiting: 0 });
      (await waiter).release();
    }));

  it("delivers a permit to a waiter that is cancelled in the tick of the hand-off", () =>
    runTest(async () => {
      const semaphore = new Semaphore(1);
      const permit = await semaphore.acquire();
      let got: Permit | undefined;
      const waiter = createTask(async () => {
        got = await semaphore.acquire();
        await checkpoint();
      });
      await waitUntilIdle();
      permit.release();
      waiter.cancel();
      await errorOf(waiter);
      assert.equal(semaphore.statistics().freePermits, 0);
      got?.release();
      assert.equal(semaphore.statistics().freePermits, 1);
    }));

  it("keeps the permit of a waiter that was cancelled before the hand-off", () =>
    runTest(async () => {
      const semaphore = new Semaphore(1);
      const permit = await semaphore.acquire();
      const cancelled = createTask(() => semaphore.acquire());
      const next = createTask(() => semaphore.acquire());
      await waitUntilIdle();
      assert.equal(semaphore.statistics().tasksWaiting, 2);
      cancelled.cancel();
      assert.equal(semaphore.statistics().tasksWaiting, 1);
      permit.release();
      (await next).release();
      await errorOf(cancelled);
      assert.deepEqual(semaphore.statistics(), { permits: 1, freePermits: 1, tasksWaiting: 0 });
    }));

  it("takes no permit in a cancelled scope, also if one is free", () =>
    runTest(async () => {
      const semaphore = new Semaphore(2);
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(semaphore.acquire(), (error) => isCancelled(error));
        assert.equal(semaphore.statistics().freePermits, 2);
      });
    }));

  it("gives out permits without waiting while there are some", () => {
    const semaphore = new Semaphore(2);
    const permits = [semaphore.tryAcquire(), semaphore.tryAcquire()];
    assert.equal(semaphore.tryAcquire(), undefined);
    for (const permit of permits) permit?.release();
    for (const permit of permits) permit?.release();
    assert.equal(semaphore.statistics().freePermits, 2);
  });

  it("adds a permit with release(), also one that was never acquired: a signal from another task", () =>
    runTest(async () => {
      const ready = new Semaphore(0);
      const order: number[] = [];
      const waiters = [1, 2].map((id) =>
        createTask(async () => {
          await ready.acquire();
          order.push(id);
        }),
      );
      await waitUntilIdle();
      ready.release();
      assert.equal(ready.tryAcquire(), undefined);
      await waitUntilIdle();
      assert.deepEqual(order, [1]);
      ready.release();
      ready.release();
      ready.release();
      await gather(waiters);
      assert.deepEqual(ready.statistics(), { permits: 0, freePermits: 2, tasksWaiting: 0 });
    }));

  it("counts a permit that is given back both ways as two", async () => {
    const semaphore = new Semaphore(1);
    const permit = await semaphore.acquire();
    semaphore.release();
    permit.release();
    assert.equal(semaphore.freePermits, 2);
    permit.release();
    assert.equal(semaphore.freePermits, 2);
  });

  it("says how to fix a permit count that is no count", () => {
    for (const permits of [-1, 1.5, NaN, Infinity, "2", undefined]) {
      assert.throws(() => new Semaphore(permits as number), {
        name: "UsageError",
        code: "MW_ERR_INVALID_ARGUMENT",
        message: /^Cannot create Semaphore: 'permits' is .+; pass an integer >= 0$/,
      });
    }
  });

  it("tells a task that waits what it waits for", () =>
    runTest(async () => {
      const semaphore = new Semaphore(2);
      const permits = [await semaphore.acquire(), await semaphore.acquire()];
      const waiter = createTask(() => semaphore.acquire());
      await waitUntilIdle();
      assert.equal(semaphore.statistics().tasksWaiting, 1);
      for (const permit of permits) permit.release();
      (await waiter).release();
    }));

  it("neither loses nor doubles permits under random cancellation", () =>
    runTest(async () => {
      const pick = seededIntegers(6);
      const semaphore = new Semaphore(3);
      let inside = 0;
      let entered = 0;
      const worker = async (): Promise<void> => {
        using permit = (pick(4) === 0 ? semaphore.tryAcquire() : undefined) ?? (await semaphore.acquire());
        void permit;
        assert.ok(++inside <= 3);
        entered += 1;
        try {
          for (let i = pick(3); i > 0; i--) await sleep(pick(3));
        } finally {
          inside -= 1;
        }
      };
      await gather(
        Array.from(
          { length: 500 },
          () => () =>
            cancelScope((scope) =>
              gather([
                worker,
                async () => {
                  await sleep(pick(300));
                  if (pick(2) === 0) scope.cancel();
                },
              ]),
            ),
        ),
      );
      assert.ok(entered > 100 && entered < 500, `${entered} of 500`);
      assert.deepEqual(semaphore.statistics(), { permits: 3, freePermits: 3, tasksWaiting: 0 });
    }));
});
