import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, checkpoint, createTask, gather, isCancelled, Lock, type Permit, sleep } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { seededIntegers } from "../util/random.ts";

describe("Lock", () => {
  it("lets one task in at a time", () =>
    runTest(async () => {
      const lock = new Lock();
      let inside = 0;
      let entered = 0;
      await gather(
        Array.from({ length: 10 }, () => async () => {
          using permit = await lock.acquire();
          inside += 1;
          entered += 1;
          assert.equal(inside, 1);
          await sleep(1);
          inside -= 1;
          void permit;
        }),
      );
      assert.equal(entered, 10);
      assert.equal(lock.locked, false);
    }));

  it("is handed over in the order the tasks asked", () =>
    runTest(async () => {
      const lock = new Lock();
      const order: number[] = [];
      const first = await lock.acquire();
      await gather([
        ...[1, 2, 3].map((id) => async () => {
          using permit = await lock.acquire();
          order.push(id);
          void permit;
        }),
        async () => first.release(),
      ]);
      assert.deepEqual(order, [1, 2, 3]);
    }));

  it("cannot be overtaken by a newcomer between the release and the wake-up of the waiter", () =>
    runTest(async () => {
      const lock = new Lock();
      const first = await lock.acquire();
      const waiter = createTask(async () => {
        using permit = await lock.acquire();
        void permit;
        return "waiter";
      });
      await waitUntilIdle();
      first.release();
      assert.equal(lock.locked, true);
      assert.equal(lock.tryAcquire(), undefined);
      assert.equal(await waiter, "waiter");
      assert.equal(lock.locked, false);
    }));

  it("passes on to the next waiter when the longest one is cancelled", () =>
    runTest(async () => {
      const lock = new Lock();
      const first = await lock.acquire();
      const cancelled = createTask(() => lock.acquire());
      const next = createTask(async () => (await lock.acquire()).release());
      await waitUntilIdle();
      cancelled.cancel();
      assert.equal(lock.statistics().tasksWaiting, 1);
      first.release();
      await next;
      assert.equal(lock.locked, false);
      await errorOf(cancelled);
    }));

  it("belongs to a waiter that is cancelled in the tick of the hand-off: it is delivered, not lost", () =>
    runTest(async () => {
      const lock = new Lock();
      const first = await lock.acquire();
      let got: Permit | undefined;
      const waiter = createTask(async () => {
        got = await lock.acquire();
        await checkpoint();
      });
      await waitUntilIdle();
      first.release();
      waiter.cancel();
      await errorOf(waiter);
      assert.equal(lock.locked, true);
      assert.ok(got !== undefined);
      got.release();
      assert.equal(lock.locked, false);
    }));

  it("is not taken by a task that is cancelled in the tick before the hand-off", () =>
    runTest(async () => {
      const lock = new Lock();
      const first = await lock.acquire();
      const waiter = createTask(() => lock.acquire());
      await waitUntilIdle();
      waiter.cancel();
      first.release();
      assert.equal(lock.locked, false);
      await errorOf(waiter);
      assert.equal(lock.locked, false);
    }));

  it("is not taken in a cancelled scope, also if it is free", () =>
    runTest(async () => {
      const lock = new Lock();
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(lock.acquire(), (error) => isCancelled(error));
        assert.equal(lock.locked, false);
        const permit = lock.tryAcquire();
        assert.ok(permit !== undefined, "what does not wait is no checkpoint");
        permit.release();
      });
    }));

  it("is given back once, however often the permit is released", () =>
    runTest(async () => {
      const lock = new Lock();
      const permit = await lock.acquire();
      permit.release();
      const other = await lock.acquire();
      permit.release();
      permit[Symbol.dispose]();
      assert.equal(lock.locked, true);
      other.release();
    }));

  it("can be released by another task than the one that acquired it", () =>
    runTest(async () => {
      const lock = new Lock();
      const permit = await lock.acquire();
      await gather([async () => permit.release()]);
      assert.equal(lock.locked, false);
    }));

  it("tells who holds it and how many wait", () =>
    runTest(async () => {
      const lock = new Lock();
      assert.deepEqual(lock.statistics(), { locked: false, owner: undefined, tasksWaiting: 0 });
      const holder = createTask(async () => {
        using permit = await lock.acquire();
        void permit;
        await sleep(10);
      });
      const waiter = createTask(async () => (await lock.acquire()).release());
      await waitUntilIdle();
      assert.deepEqual(lock.statistics(), { locked: true, owner: holder, tasksWaiting: 1 });
      await gather([holder, waiter]);
      assert.deepEqual(lock.statistics(), { locked: false, owner: undefined, tasksWaiting: 0 });
    }));

  it("names the waiter as the owner from the hand-off on", () =>
    runTest(async () => {
      const lock = new Lock();
      const permit = await lock.acquire();
      const waiter = createTask(() => lock.acquire());
      await waitUntilIdle();
      permit.release();
      assert.equal(lock.statistics().owner, waiter);
      (await waiter).release();
    }));

  it("has no owner outside of tasks", async () => {
    const lock = new Lock();
    using permit = await lock.acquire();
    assert.deepEqual(lock.statistics(), { locked: true, owner: undefined, tasksWaiting: 0 });
    void permit;
  });

  it("shows a task that acquires it twice as a deadlock, with the circle", async () => {
    const lock = new Lock();
    await assert.rejects(
      runTest(async function twice() {
        using permit = await lock.acquire();
        void permit;
        await lock.acquire();
      }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "MW_ERR_DEADLOCK");
        assert.match(error.message, /wait in a circle:\n.*waits for Lock\.acquire \(held by task \d+/);
        return true;
      },
    );
    assert.equal(lock.locked, false);
  });

  it("neither loses nor doubles itself under random cancellation", () =>
    runTest(async () => {
      const pick = seededIntegers(5);
      const lock = new Lock();
      let inside = 0;
      let entered = 0;
      await gather(
        Array.from(
          { length: 500 },
          () => () =>
            cancelScope(async (scope) => {
              const steps = pick(6);
              await gather([
                async () => {
                  using permit = await lock.acquire();
                  assert.equal(++inside, 1);
                  entered += 1;
                  try {
                    for (let i = pick(3); i > 0; i--) await sleep(pick(3));
                  } finally {
                    inside -= 1;
                  }
                  void permit;
                },
                async () => {
                  for (let i = 0; i < steps; i++) await sleep(pick(200));
                  if (pick(2) === 0) scope.cancel();
                },
              ]);
            }),
        ),
      );
      assert.ok(entered > 100 && entered < 500, `${entered} of 500`);
      assert.deepEqual(lock.statistics(), { locked: false, owner: undefined, tasksWaiting: 0 });
    }));
});
