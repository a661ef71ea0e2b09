// MockClock: time passes only when everybody waits for it.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancellable, createTask, Event, gather, moveOnAfter, now, run, sleep, sleepUntil, timeout } from "meanwhile";
import { MockClock } from "meanwhile/testing";

import { unhurried } from "../util/unhurried.ts";

function onMockClock<T>(body: () => Promise<T>, clock: MockClock = new MockClock()): Promise<T> {
  return run(body, { clock });
}

describe("MockClock", () => {
  it("jumps to the earliest deadline when every task waits", async () => {
    const order: string[] = [];
    const end = await onMockClock(async () => {
      await gather(
        [3_000, 1_000, 2_000].map((ms) => async () => {
          await sleep(ms);
          order.push(`${ms} at ${now()}`);
        }),
      );
      return now();
    });
    assert.deepEqual(order, ["1000 at 1000", "2000 at 2000", "3000 at 3000"]);
    assert.equal(end, 3_000);
  });

  it("keeps deadlines exact to the fraction", async () => {
    const order = await onMockClock(async () => {
      const woken: number[] = [];
      await gather([0.7, 0.2, 0.5].map((ms) => () => sleep(ms).then(() => void woken.push(ms))));
      return woken;
    });
    assert.deepEqual(order, [0.2, 0.5, 0.7]);
  });

  it("starts at the given time", async () => {
    assert.equal(await onMockClock(async () => now(), new MockClock({ startMs: 500 })), 500);
  });

  it("does not jump while a task waits for something real", async () => {
    await onMockClock(async () => {
      const real = await timeout(3_600_000, () => new Promise((resolve) => setTimeout(resolve, 2, "real")));
      assert.equal(real, "real");
      assert.equal(now(), 0);
    });
  });

  it("does not jump while a task is under cancellable", async () => {
    await onMockClock(async () => {
      const value = await timeout(3_600_000, () =>
        cancellable(new Promise((resolve) => setTimeout(resolve, 2, "real"))),
      );
      assert.equal(value, "real");
      assert.equal(now(), 0);
    });
  });

  it("does not jump while a task gives the event loop its turn", async () => {
    await onMockClock(async () => {
      createTask(() => sleep(1_000));
      for (let turn = 0; turn < 5; turn++) await sleep(0);
      assert.equal(now(), 0);
    });
  });

  it("jumps also when the last task to go on then waits only for what others wait for", async () => {
    await run(
      async () => {
        const running = gather([() => sleep(5)]);
        const other = new Promise((resolve) => setImmediate(resolve));
        await cancellable(other);
        await Promise.all([running, other]);
        assert.equal(now(), 5);
      },
      { clock: new MockClock() },
    );
  });

  it("lets a timeout expire in virtual time", async () => {
    await onMockClock(async () => {
      await assert.rejects(
        timeout(86_400_000, () => new Event().wait()),
        { code: "MW_ERR_TIMEOUT" },
      );
      assert.equal(now(), 86_400_000);
    });
  });

  it("forgets the deadline of a wait that was cancelled", async () => {
    await onMockClock(async () => {
      await moveOnAfter(10, () => sleep(1_000_000));
      await sleep(5);
      assert.equal(now(), 15);
    });
  });

  it("serves several runs, and jumps only when all of them wait", async () => {
    using _ = unhurried();
    const clock = new MockClock();
    const order: string[] = [];
    const wait = (name: string, ms: number) => async (): Promise<void> => {
      await sleep(ms);
      order.push(`${name} at ${now()}`);
    };
    await Promise.all([onMockClock(wait("slow", 20), clock), onMockClock(wait("quick", 10), clock)]);
    assert.deepEqual(order, ["quick at 10", "slow at 20"]);
  });

  it("moves only by hand without autojump", async () => {
    const clock = new MockClock({ autojump: false });
    await onMockClock(async () => {
      const woken: number[] = [];
      await using ticker = createTask(async () => {
        for (;;) {
          await sleep(10);
          woken.push(now());
        }
      });
      await clock.advance(35);
      assert.deepEqual(woken, [10, 20, 30]);
      assert.equal(now(), 35);
      await clock.advance(0);
      assert.equal(now(), 35);
      assert.equal(ticker.done, false);
    }, clock);
  });

  it("wakes a sleepUntil in the past in the next turn", async () => {
    await onMockClock(async () => {
      await sleep(100);
      await sleepUntil(50);
      assert.equal(now(), 100);
    });
  });

  it("refuses a start that is not a time", () => {
    assert.throws(() => new MockClock({ startMs: Number.NaN }), { code: "MW_ERR_INVALID_ARGUMENT" });
  });

  it("refuses to go back", async () => {
    await assert.rejects(new MockClock().advance(-1), { code: "MW_ERR_INVALID_ARGUMENT" });
    await assert.rejects(new MockClock().advance(Infinity), { code: "MW_ERR_INVALID_ARGUMENT" });
  });
});
