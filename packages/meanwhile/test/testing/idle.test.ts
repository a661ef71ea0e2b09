// waitUntilIdle: the moment at which nothing happens by itself any more.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancellable, createTask, Event, moveOnAfter, now, sleep } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

describe("waitUntilIdle", () => {
  it("waits until every other task is suspended", async () => {
    await runTest(async () => {
      const event = new Event();
      await using first = createTask(() => event.wait());
      await using second = createTask(async () => {
        for (let turn = 0; turn < 30; turn++) await sleep(0);
        await event.wait();
      });
      await waitUntilIdle();
      assert.equal(event.statistics().tasksWaiting, 2);
      assert.deepEqual([first.done, second.done], [false, false]);
    });
  });

  it("does not let a mock clock jump meanwhile", async () => {
    await runTest(async () => {
      await using sleeper = createTask(() => sleep(1_000));
      await waitUntilIdle();
      assert.equal(now(), 0);
      assert.equal(sleeper.done, false);
    });
  });

  it("waits for foreign promises to settle", async () => {
    await runTest(async () => {
      let settled = false;
      await using waiting = createTask(async () => {
        await cancellable(new Promise((resolve) => setTimeout(resolve, 5)));
        settled = true;
        await new Event().wait();
      });
      await waitUntilIdle();
      assert.equal(settled, true);
      assert.equal(waiting.done, false);
    });
  });

  it("can be cancelled", async () => {
    await runTest(async () => {
      await using busy = createTask(() => new Promise((resolve) => setTimeout(resolve, 5)));
      const event = new Event();
      await using canceller = createTask(async () => {
        await cancellable(new Promise((resolve) => setTimeout(resolve, 1)));
        event.set();
      });
      const result = await moveOnAfter(Infinity, async (scope) => {
        event.wait().then(() => scope.cancel(), assert.ifError);
        await waitUntilIdle();
        return "idle";
      });
      assert.equal(result, undefined);
      await busy;
      await canceller;
    });
  });
});
