import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, createTask, Event, gather, isCancelled, moveOnAfter } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

describe("Event", () => {
  it("lets nobody wait while it is set", () =>
    runTest(async () => {
      const event = new Event();
      assert.equal(event.isSet, false);
      event.set();
      event.set();
      assert.equal(event.isSet, true);
      await event.wait();
    }));

  it("wakes everybody who waits, in the order they came", () =>
    runTest(async () => {
      const event = new Event();
      const order: number[] = [];
      await gather([
        ...[1, 2, 3].map((id) => () => event.wait().then(() => void order.push(id))),
        async () => {
          await waitUntilIdle();
          assert.deepEqual(event.statistics(), { tasksWaiting: 3 });
          event.set();
          assert.deepEqual(event.statistics(), { tasksWaiting: 0 });
        },
      ]);
      assert.deepEqual(order, [1, 2, 3]);
    }));

  it("wakes those who waited also if it is cleared in the same tick", () =>
    runTest(async () => {
      const event = new Event();
      const waiting = createTask(() => event.wait());
      await waitUntilIdle();
      event.set();
      event.clear();
      await waiting;
      assert.equal(event.isSet, false);
      assert.equal(await moveOnAfter(1, () => event.wait().then(() => "set")), undefined);
    }));

  it("forgets a waiter that is cancelled", () =>
    runTest(async () => {
      const event = new Event();
      await moveOnAfter(1, () => event.wait());
      assert.deepEqual(event.statistics(), { tasksWaiting: 0 });
      event.set();
      await event.wait();
    }));

  it("is a checkpoint also while it is set", () =>
    runTest(async () => {
      const event = new Event();
      event.set();
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(event.wait(), (error) => isCancelled(error));
      });
    }));
});
