import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { BoundedSemaphore, createTask, Semaphore } from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

const NOT_HELD = {
  name: "UsageError",
  code: "MW_ERR_NOT_HELD",
  message: /^Cannot release one more permit: all 2 are free; give each one back once, /,
};

describe("BoundedSemaphore", () => {
  it("is a Semaphore", () => {
    assert.ok(new BoundedSemaphore(1) instanceof Semaphore);
  });

  it("takes back what was acquired, either way", async () => {
    const semaphore = new BoundedSemaphore(2);
    const permit = await semaphore.acquire();
    await semaphore.acquire();
    semaphore.release();
    permit.release();
    assert.equal(semaphore.freePermits, 2);
  });

  it("refuses a release too many, and stays as it was", () => {
    const semaphore = new BoundedSemaphore(2);
    assert.throws(() => semaphore.release(), NOT_HELD);
    semaphore.tryAcquire();
    semaphore.release();
    assert.throws(() => semaphore.release(), NOT_HELD);
    assert.deepEqual(semaphore.statistics(), { permits: 2, freePermits: 2, tasksWaiting: 0 });
  });

  it("refuses a permit that was given back the other way already", () => {
    const semaphore = new BoundedSemaphore(2);
    const permit = semaphore.tryAcquire();
    semaphore.release();
    assert.throws(() => permit?.release(), NOT_HELD);
    permit?.release();
    assert.equal(semaphore.freePermits, 2);
  });

  it("gives a released permit to the longest waiter", () =>
    runTest(async () => {
      const semaphore = new BoundedSemaphore(1);
      await semaphore.acquire();
      const waiter = createTask(() => semaphore.acquire());
      await waitUntilIdle();
      semaphore.release();
      assert.equal(semaphore.freePermits, 0);
      (await waiter).release();
      assert.equal(semaphore.freePermits, 1);
    }));

  it("says how to fix a permit count that is not a positive integer", () => {
    for (const permits of [0, -1, 1.5, NaN, Infinity, "2", undefined]) {
      assert.throws(() => new BoundedSemaphore(permits as number), {
        name: "UsageError",
        code: "MW_ERR_INVALID_ARGUMENT",
        message: /^Cannot create BoundedSemaphore: 'permits' is .+; pass an integer >= 1$/,
      });
    }
  });
});
