import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  CapacityLimiter,
  checkpoint,
  createTask,
  currentTask,
  gather,
  isCancelled,
  Lock,
  type Permit,
  sleep,
  type Task,
} from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { seededIntegers } from "../util/random.ts";

const ALREADY_HELD = { name: "UsageError", code: "MW_ERR_ALREADY_HELD" };

/** A task that takes a token and gives it back when it is cancelled. */
function startHolder(limiter: CapacityLimiter, order: number[], id: number): Task<void> {
  return createTask(async () => {
    using permit = await limiter.acquire();
    void permit;
    order.push(id);
    await sleep(1_000);
  });
}

describe("CapacityLimiter", () => {
  it("lets as many borrowers in as it has tokens, in the order they asked", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(2);
      const order: number[] = [];
      const tasks = [1, 2, 3, 4].map((id) => startHolder(limiter, order, id));
      await waitUntilIdle();
      assert.deepEqual(order, [1, 2]);
      assert.deepEqual(limiter.statistics(), {
        borrowedTokens: 2,
        totalTokens: 2,
        borrowers: tasks.slice(0, 2),
        tasksWaiting: 2,
      });
      await gather(tasks);
      assert.deepEqual(order, [1, 2, 3, 4]);
      assert.deepEqual(limiter.statistics(), { borrowedTokens: 0, totalTokens: 2, borrowers: [], tasksWaiting: 0 });
    }));

  it("lends to the current task, or to whom it is told", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(Infinity);
      const borrower = {};
      using first = await limiter.acquire();
      using second = limiter.tryAcquire({ onBehalfOf: borrower });
      using third = await limiter.acquire({ onBehalfOf: "text" });
      void first;
      void third;
      assert.deepEqual(limiter.statistics().borrowers, [currentTask(), borrower, "text"]);
      assert.equal(limiter.borrowedTokens, 3);
      assert.equal(limiter.availableTokens, Infinity);
      second?.release();
      assert.deepEqual(limiter.statistics().borrowers, [currentTask(), "text"]);
    }));

  it("takes each call outside of tasks for another borrower", async () => {
    const limiter = new CapacityLimiter(3);
    using first = await limiter.acquire();
    using second = limiter.tryAcquire();
    void first;
    assert.equal(
      limiter.statistics().borrowers.map(String).join(),
      "Symbol(outside of tasks),Symbol(outside of tasks)",
    );
    second?.release();
    assert.equal(limiter.availableTokens, 2);
  });

  it("lends no second token to a borrower that holds one", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(3);
      using permit = await limiter.acquire();
      const message = /^Cannot borrow a second token for task \d+ "main": it holds one; give that back first, or say/;
      await assert.rejects(limiter.acquire(), { ...ALREADY_HELD, message });
      assert.throws(() => limiter.tryAcquire(), { ...ALREADY_HELD, message });
      using other = await limiter.acquire({ onBehalfOf: "other" });
      void other;
      assert.throws(() => limiter.tryAcquire({ onBehalfOf: "other" }), {
        ...ALREADY_HELD,
        message: /for "other": it holds one/,
      });
      permit.release();
      using again = await limiter.acquire();
      void again;
      assert.equal(limiter.borrowedTokens, 2);
    }));

  it("lends no second token to a borrower that waits for one, until it has left", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(1);
      const permit = await limiter.acquire();
      const waiter = createTask(() => limiter.acquire({ onBehalfOf: "waiter" }));
      await waitUntilIdle();
      const expected = { ...ALREADY_HELD, message: /for "waiter": it waits for one/ };
      await assert.rejects(limiter.acquire({ onBehalfOf: "waiter" }), expected);
      assert.throws(() => limiter.tryAcquire({ onBehalfOf: "waiter" }), expected);
      waiter.cancel();
      assert.equal(limiter.tryAcquire({ onBehalfOf: "waiter" }), undefined);
      await errorOf(waiter);
      permit.release();
      limiter.tryAcquire({ onBehalfOf: "waiter" })?.release();
    }));

  it("gives a released token to the longest waiter before it resumes: nobody can take it twice", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(1);
      const permit = await limiter.acquire();
      const waiter = createTask(() => limiter.acquire());
      await waitUntilIdle();
      permit.release();
      assert.deepEqual(limiter.statistics().borrowers, [waiter]);
      assert.throws(() => limiter.tryAcquire({ onBehalfOf: waiter }), { ...ALREADY_HELD, message: /it holds one/ });
      assert.equal(limiter.tryAcquire(), undefined);
      assert.equal(limiter.borrowedTokens, 1);
      (await waiter).release();
      assert.equal(limiter.borrowedTokens, 0);
      limiter.tryAcquire({ onBehalfOf: waiter })?.release();
    }));

  it("lets waiters in when it gets more tokens", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(0);
      const order: number[] = [];
      const tasks = [1, 2, 3, 4].map((id) => startHolder(limiter, order, id));
      await waitUntilIdle();
      assert.deepEqual(order, []);
      limiter.totalTokens = 3;
      assert.equal(limiter.borrowedTokens, 3);
      await waitUntilIdle();
      assert.deepEqual(order, [1, 2, 3]);
      limiter.totalTokens = Infinity;
      await gather(tasks);
    }));

  it("takes no token away when it gets fewer, and lets nobody in until enough came back", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(3);
      const permits = ["a", "b", "c"].map((onBehalfOf) => limiter.tryAcquire({ onBehalfOf }));
      const waiter = createTask(() => limiter.acquire());
      await waitUntilIdle();
      limiter.totalTokens = 1;
      assert.equal(limiter.borrowedTokens, 3);
      assert.equal(limiter.availableTokens, 0);
      permits[0]?.release();
      permits[1]?.release();
      assert.deepEqual(limiter.statistics(), {
        borrowedTokens: 1,
        totalTokens: 1,
        borrowers: ["c"],
        tasksWaiting: 1,
      });
      permits[2]?.release();
      (await waiter).release();
      assert.equal(limiter.availableTokens, 1);
    }));

  it("delivers a token to a waiter that is cancelled in the tick of the hand-off", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(1);
      const permit = await limiter.acquire();
      let got: Permit | undefined;
      const waiter = createTask(async () => {
        got = await limiter.acquire();
        await checkpoint();
      });
      await waitUntilIdle();
      permit.release();
      waiter.cancel();
      await errorOf(waiter);
      assert.equal(limiter.borrowedTokens, 1);
      got?.release();
      got?.release();
      assert.equal(limiter.borrowedTokens, 0);
    }));

  it("passes over a waiter that was cancelled before the hand-off", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(1);
      const permit = await limiter.acquire();
      const cancelled = createTask(() => limiter.acquire());
      const next = createTask(() => limiter.acquire());
      await waitUntilIdle();
      cancelled.cancel();
      assert.equal(limiter.statistics().tasksWaiting, 1);
      permit.release();
      (await next).release();
      await errorOf(cancelled);
    }));

  it("lends nothing in a cancelled scope", () =>
    runTest(async () => {
      const limiter = new CapacityLimiter(1);
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(limiter.acquire(), (error) => isCancelled(error));
      });
      assert.equal(limiter.borrowedTokens, 0);
      limiter.tryAcquire()?.release();
    }));

  it("names the borrowers that are tasks in the circle of a deadlock", async () => {
    const limiter = new CapacityLimiter(1);
    const lock = new Lock();
    const error = await errorOf(
      runTest(async function main() {
        using token = limiter.tryAcquire();
        void token;
        createTask(
          async function taker() {
            using permit = await lock.acquire();
            void permit;
            await limiter.acquire();
          },
          { name: "taker" },
        );
        await waitUntilIdle();
        await lock.acquire();
      }),
    );
    assert.match(
      error.message,
      /in a circle:\n {2}task (\d+) "main" waits for Lock\.acquire \(held by task (\d+) "taker"\)\n {2}task \2 "taker" waits for CapacityLimiter\.acquire \(1 of 1 tokens are borrowed\)\n/,
    );
    assert.equal(limiter.borrowedTokens, 0);
  });

  it("says how to fix a wrong number of tokens or borrower", () => {
    const limiter = new CapacityLimiter(1);
    for (const tokens of [-1, 1.5, NaN, "2", undefined]) {
      const code = "MW_ERR_INVALID_ARGUMENT";
      assert.throws(() => new CapacityLimiter(tokens as number), {
        code,
        message: /^Cannot create CapacityLimiter: 'totalTokens' is .+; pass an integer >= 0, or Infinity for no limit$/,
      });
      assert.throws(() => (limiter.totalTokens = tokens as number), {
        code,
        message: /^Cannot change CapacityLimiter: 'totalTokens' is .+; pass/,
      });
    }
    assert.equal(limiter.totalTokens, 1);
    assert.throws(() => limiter.tryAcquire({ onBehalfOf: null as never }), {
      code: "MW_ERR_INVALID_ARGUMENT",
      message: /^Cannot borrow a token: 'onBehalfOf' is null; pass who is to hold it/,
    });
  });

  it("neither loses nor doubles tokens under random cancellation and changes of its size", () =>
    runTest(async () => {
      const pick = seededIntegers(12);
      const limiter = new CapacityLimiter(3);
      let inside = 0;
      let entered = 0;
      const worker = async (): Promise<void> => {
        using permit = (pick(4) === 0 ? limiter.tryAcquire() : undefined) ?? (await limiter.acquire());
        void permit;
        assert.ok(++inside <= 4);
        entered += 1;
        try {
          for (let i = pick(3); i > 0; i--) await sleep(pick(3));
        } finally {
          inside -= 1;
          limiter.totalTokens = 1 + pick(4);
        }
      };
      await gather(
        Array.from(
          { length: 400 },
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
      assert.ok(entered > 100 && entered < 400, `${entered} of 400`);
      assert.equal(limiter.borrowedTokens, 0);
      assert.equal(limiter.statistics().tasksWaiting, 0);
    }));
});
