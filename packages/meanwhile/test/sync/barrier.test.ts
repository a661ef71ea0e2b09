import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Barrier, cancelScope, checkpoint, createTask, gather, isCancelled, sleep } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { unhurried } from "../util/unhurried.ts";

const BROKEN = { name: "BrokenBarrierError", code: "MW_ERR_BROKEN_BARRIER" };

describe("Barrier", () => {
  it("lets all go on when the last has come, each with its place", () =>
    runTest(async () => {
      const barrier = new Barrier(3);
      const first = createTask(() => barrier.wait());
      const second = createTask(() => barrier.wait());
      await sleep(100);
      assert.equal(first.done || second.done, false);
      assert.deepEqual(barrier.statistics(), { parties: 3, tasksWaiting: 2, broken: false });
      assert.equal(await barrier.wait(), 2);
      assert.deepEqual([await first, await second], [0, 1]);
      assert.equal(barrier.statistics().tasksWaiting, 0);
    }));

  it("lets a single party through", () =>
    runTest(async () => {
      const barrier = new Barrier(1);
      assert.deepEqual([await barrier.wait(), await barrier.wait()], [0, 0]);
    }));

  it("counts who comes next for the next round, also before those of the last one have resumed", () =>
    runTest(async () => {
      using _ = unhurried();
      const barrier = new Barrier(2);
      const first = createTask(() => barrier.wait());
      await waitUntilIdle();
      const last = barrier.wait();
      const early = barrier.wait();
      assert.equal(barrier.statistics().tasksWaiting, 1);
      assert.deepEqual(await gather([first, last]), [0, 1]);
      assert.equal(await barrier.wait(), 1);
      assert.equal(await early, 0);
    }));

  it("keeps tasks in step over many rounds", () =>
    runTest(async () => {
      const barrier = new Barrier(3);
      const rounds: number[] = [];
      await gather(
        [1, 2, 3].map((id) => async () => {
          for (let round = 0; round < 20; round++) {
            rounds.push(round);
            if ((round + id) % 3 === 0) await sleep(id);
            await barrier.wait();
          }
        }),
      );
      assert.deepEqual(
        rounds,
        rounds.toSorted((a, b) => a - b),
      );
      assert.equal(rounds.length, 60);
    }));

  it("is not broken by a waiter that is cancelled: it waits for another one, and places stay without a gap", () =>
    runTest(async () => {
      const barrier = new Barrier(3);
      const cancelled = createTask(() => barrier.wait());
      const second = createTask(() => barrier.wait());
      await waitUntilIdle();
      cancelled.cancel();
      assert.equal(barrier.statistics().tasksWaiting, 1);
      const third = createTask(() => barrier.wait());
      await waitUntilIdle();
      assert.equal(second.done, false);
      assert.equal(await barrier.wait(), 2);
      assert.deepEqual([await second, await third], [0, 1]);
      assert.equal(barrier.broken, false);
      await errorOf(cancelled);
    }));

  it("lets a waiter through that is cancelled in the tick the last one comes", () =>
    runTest(async () => {
      const barrier = new Barrier(2);
      let place = -1;
      const waiter = createTask(async () => {
        place = await barrier.wait();
        await checkpoint();
      });
      await waitUntilIdle();
      const last = barrier.wait();
      waiter.cancel();
      await errorOf(waiter);
      assert.equal(place, 0);
      assert.equal(await last, 1);
    }));

  it("is a checkpoint also for the last one, who then has not come", () =>
    runTest(async () => {
      const barrier = new Barrier(2);
      const waiter = createTask(() => barrier.wait());
      await waitUntilIdle();
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(barrier.wait(), (error) => isCancelled(error));
      });
      assert.equal(waiter.done, false);
      await barrier.wait();
      await waiter;
    }));

  it("ends waits, now and later, once it is broken", () =>
    runTest(async () => {
      const barrier = new Barrier(3);
      const waiters = [createTask(() => barrier.wait()), createTask(() => barrier.wait())];
      await waitUntilIdle();
      const failed = waiters.map((waiter) => errorOf(waiter));
      barrier.abort();
      assert.deepEqual(barrier.statistics(), { parties: 3, tasksWaiting: 0, broken: true });
      const errors = [...(await gather(failed)), await errorOf(barrier.wait())];
      for (const error of errors) {
        assert.equal(error.name, BROKEN.name);
        assert.equal(error.code, BROKEN.code);
        assert.match(error.message, /^Cannot pass the barrier: abort\(\) has broken it; call reset\(\)/);
      }
      assert.equal(new Set(errors).size, 3);
    }));

  it("is as new after a reset, which ends the waits", () =>
    runTest(async () => {
      const barrier = new Barrier(2);
      const waiter = createTask(() => barrier.wait());
      await waitUntilIdle();
      const failed = errorOf(waiter);
      barrier.reset();
      assert.match((await failed).message, /reset\(\) was called while this task waited/);
      barrier.abort();
      barrier.reset();
      assert.equal(barrier.broken, false);
      assert.deepEqual(await gather([() => barrier.wait(), () => barrier.wait()]), [0, 1]);
    }));

  it("says how to fix a wrong number of parties", () => {
    for (const parties of [0, -1, 1.5, NaN, Infinity, "2", undefined]) {
      assert.throws(() => new Barrier(parties as number), {
        name: "UsageError",
        code: "MW_ERR_INVALID_ARGUMENT",
        message: /^Cannot create Barrier: 'parties' is .+; pass an integer >= 1$/,
      });
    }
  });
});
