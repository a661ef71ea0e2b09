import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  createTask,
  gather,
  isCancelled,
  moveOnAfter,
  now,
  RateLimiter,
  type RateLimiterOptions,
  run,
  sleep,
} from "meanwhile";
import { type Clock, currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { seededIntegers } from "../util/random.ts";
import { unhurried } from "../util/unhurried.ts";

/** A clock that moves when it is told, and rings its alarm when it is told: as a busy process does, late. */
class LateClock implements Clock {
  readonly resolutionMs = 0;
  time = 0;
  ring: (() => void) | null = null;

  now(): number {
    return this.time;
  }

  setAlarm(_deadline: number, ring: () => void): void {
    this.ring = ring;
  }

  clearAlarm(): void {
    this.ring = null;
  }
}

/** When each of so many acquisitions, asked for at once, was made. */
function timesOf(limiter: RateLimiter, count: number): Promise<number[]> {
  return gather(
    Array.from({ length: count }, () => async () => {
      await limiter.acquire();
      return now();
    }),
  );
}

describe("RateLimiter", () => {
  it("lets through as many as the limit at once, the rest as soon as the window allows, in the order they asked", () =>
    runTest(async () => {
      const limiter = new RateLimiter({ limit: 3, intervalMs: 1_000 });
      assert.deepEqual(await timesOf(limiter, 8), [0, 0, 0, 1_000, 1_000, 1_000, 2_000, 2_000]);
    }));

  it("counts from when each was let through: the window slides", () =>
    runTest(async () => {
      const limiter = new RateLimiter({ limit: 2, intervalMs: 1_000 });
      await limiter.acquire();
      await sleep(600);
      await limiter.acquire();
      // A fixed window, or a bucket that refills, would let one or both of these through before 1 000 and 1 600.
      assert.deepEqual(await timesOf(limiter, 3), [1_000, 1_600, 2_000]);
    }));

  it("never lets more through in any window, and never fewer than it could while somebody waits", () =>
    runTest(async () => {
      const pick = seededIntegers(3);
      const [limit, intervalMs] = [4, 100];
      const limiter = new RateLimiter({ limit, intervalMs });
      const passed: number[] = [];
      const waits: Array<readonly [from: number, to: number]> = [];
      await gather(
        Array.from({ length: 6 }, () => async () => {
          for (let i = 0; i < 60; i++) {
            const from = now();
            let done = limiter.tryAcquire();
            if (!done && pick(4) > 0) {
              done = (await moveOnAfter(1 + pick(200), () => limiter.acquire().then(() => true))) ?? false;
              waits.push([from, now()]);
            }
            if (done) passed.push(now());
            await sleep(pick(60));
          }
        }),
      );
      assert.ok(passed.length > 60 && waits.length > 60, `${passed.length} passed, ${waits.length} waited`);
      for (let i = limit; i < passed.length; i++) {
        assert.ok((passed[i] ?? 0) - (passed[i - limit] ?? 0) >= intervalMs, passed.slice(i - limit, i + 1).join());
      }
      // While somebody waits, the last `limit` are all less than a window ago.
      for (const [from, to] of waits) {
        for (let at = from; at < to; at++) {
          const recent = passed.filter((time) => time <= at && time > at - intervalMs);
          assert.equal(recent.length, limit, `at ${at}`);
        }
      }
    }));

  it("drifts by nothing over a long time", () =>
    runTest(async () => {
      const limiter = new RateLimiter({ limit: 3, intervalMs: 0.3 });
      const times = await timesOf(limiter, 3_001);
      assert.ok(Math.abs((times.at(-1) ?? 0) - 300) < 1e-6, `ended at ${times.at(-1)}`);
    }));

  it("takes what can be had at once with tryAcquire", () =>
    runTest(async () => {
      const limiter = new RateLimiter({ limit: 2, intervalMs: 10 });
      assert.deepEqual(limiter.statistics(), { limit: 2, intervalMs: 10, available: 2, tasksWaiting: 0 });
      assert.deepEqual([limiter.tryAcquire(), limiter.tryAcquire(), limiter.tryAcquire()], [true, true, false]);
      assert.equal(limiter.statistics().available, 0);
      await sleep(9);
      assert.equal(limiter.tryAcquire(), false);
      await sleep(1);
      assert.equal(limiter.statistics().available, 2);
      assert.equal(limiter.tryAcquire(), true);
      assert.equal(limiter.statistics().available, 1);
    }));

  it("does not let a newcomer overtake those who wait", () =>
    runTest(async () => {
      const limiter = new RateLimiter({ limit: 1, intervalMs: 100 });
      await limiter.acquire();
      const waiter = createTask(async () => {
        await limiter.acquire();
        return now();
      });
      await sleep(50);
      assert.deepEqual(limiter.statistics(), { limit: 1, intervalMs: 100, available: 0, tasksWaiting: 1 });
      const newcomer = timesOf(limiter, 1);
      assert.equal(limiter.tryAcquire(), false);
      assert.deepEqual([await waiter, await newcomer], [100, [200]]);
    }));

  it("serves those who wait before a newcomer also when the alarm is late", async () => {
    const clock = new LateClock();
    await run(
      async () => {
        using _ = unhurried();
        const limiter = new RateLimiter({ limit: 1, intervalMs: 100 });
        await limiter.acquire();
        const order: string[] = [];
        const waiters = ["a", "b"].map((name) =>
          createTask(async () => {
            await limiter.acquire();
            order.push(name);
          }),
        );
        await sleep(0);
        clock.time = 130;
        assert.equal(limiter.statistics().available, 0);
        assert.equal(limiter.tryAcquire(), false);
        await waiters[0];
        assert.deepEqual(order, ["a"]);
        clock.time = 229;
        clock.ring?.();
        await sleep(0);
        assert.deepEqual(order, ["a"]);
        clock.time = 300;
        assert.equal(limiter.tryAcquire(), false);
        assert.equal(clock.ring, null, "nobody waits for the alarm any more");
        await waiters[1];
        clock.time = 400;
        assert.equal(limiter.tryAcquire(), true);
      },
      { clock },
    );
  });

  it("counts nothing for a waiter that is cancelled: the next one takes its place", () =>
    runTest(async () => {
      const limiter = new RateLimiter({ limit: 1, intervalMs: 100 });
      await limiter.acquire();
      const cancelled = createTask(() => limiter.acquire());
      const next = createTask(async () => {
        await limiter.acquire();
        return now();
      });
      await sleep(30);
      cancelled.cancel();
      assert.equal(limiter.statistics().tasksWaiting, 1);
      assert.equal(await next, 100);
      await errorOf(cancelled);
    }));

  it("has let a waiter through that is cancelled in the tick of its turn", async () => {
    const clock = new LateClock();
    await run(
      async () => {
        const limiter = new RateLimiter({ limit: 1, intervalMs: 100 });
        await limiter.acquire();
        let passed = false;
        const waiter = createTask(async () => {
          await limiter.acquire();
          passed = true;
          await sleep(1);
        });
        await sleep(0);
        clock.time = 100;
        clock.ring?.();
        waiter.cancel();
        await errorOf(waiter);
        assert.equal(passed, true);
        assert.equal(limiter.tryAcquire(), false);
      },
      { clock },
    );
  });

  it("has one deadline while somebody waits, and none when nobody does", () =>
    runTest(async () => {
      const { deadlines } = currentScopeNode().runner;
      const limiter = new RateLimiter({ limit: 1, intervalMs: 100 });
      await limiter.acquire();
      assert.equal(deadlines.earliest, undefined);
      const waiters = [1, 2, 3].map(() => createTask(() => limiter.acquire()));
      await waitUntilIdle();
      assert.equal(deadlines.earliest, 100);
      for (const waiter of waiters) waiter.cancel();
      assert.equal(deadlines.earliest, undefined);
      for (const waiter of waiters) await errorOf(waiter);
      await sleep(200);
      await timesOf(limiter, 2);
      assert.equal(deadlines.earliest, undefined);
    }));

  it("counts nothing in a cancelled scope", () =>
    runTest(async () => {
      const limiter = new RateLimiter({ limit: 1, intervalMs: 100 });
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(limiter.acquire(), (error) => isCancelled(error));
      });
      assert.equal(limiter.tryAcquire(), true);
    }));

  it("has a window for each clock", async () => {
    const limiter = new RateLimiter({ limit: 1, intervalMs: 1_000 });
    assert.equal(limiter.tryAcquire(), true);
    for (let test = 0; test < 2; test++) {
      await runTest(async () => {
        assert.deepEqual(await timesOf(limiter, 2), [0, 1_000]);
      });
    }
    assert.equal(limiter.tryAcquire(), false);
  });

  it("says in dumps when the next one may pass", () =>
    runTest(async () => {
      const limiter = new RateLimiter({ limit: 2, intervalMs: 100 });
      const all = createTask(() => timesOf(limiter, 3));
      await sleep(30);
      assert.match(
        renderTaskTree(currentScopeNode().runner.root),
        /waits for RateLimiter\.acquire \(2 in 100 ms; the next in 70 ms\)$/m,
      );
      await all;
    }));

  it("says how to fix a wrong limit or interval", () => {
    const code = "MW_ERR_INVALID_ARGUMENT";
    for (const limit of [0, -1, 1.5, NaN, Infinity, "2", undefined]) {
      assert.throws(() => new RateLimiter({ limit, intervalMs: 1 } as RateLimiterOptions), {
        code,
        message: /^Cannot create RateLimiter: 'limit' is .+; pass an integer >= 1$/,
      });
    }
    for (const intervalMs of [0, -1, NaN, Infinity, "2", undefined]) {
      assert.throws(() => new RateLimiter({ limit: 1, intervalMs } as RateLimiterOptions), {
        code,
        message: /^Cannot create RateLimiter: 'intervalMs' is .+; pass a number of milliseconds > 0$/,
      });
    }
    assert.throws(() => new RateLimiter(undefined as never), { code, message: /'limit' is undefined/ });
  });
});
