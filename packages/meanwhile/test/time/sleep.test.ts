// Sleeping: on the clock of the run, cheaply, and without keeping anything alive that nobody waits for.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  createTask,
  gather,
  isCancelled,
  moveOnAfter,
  now,
  race,
  run,
  sleep,
  sleepForever,
  sleepUntil,
} from "meanwhile";
import { addInstrument, type Clock, currentScopeNode, type TaskNode, waitsOf } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { caught } from "../kernel/caught.ts";

describe("sleep", () => {
  it("ends when its time has come on the clock of the run", async () => {
    await runTest(async () => {
      await sleep(1_500);
      assert.equal(now(), 1_500);
      await gather([() => sleep(10), () => sleep(20)]);
      assert.equal(now(), 1_520);
    });
  });

  it("wakes in the order of the times, and in the order of the calls for equal ones", async () => {
    await runTest(async () => {
      const order: string[] = [];
      const after = async (ms: number, name: string): Promise<void> => {
        await sleep(ms);
        order.push(name);
      };
      await gather([() => after(2, "c"), () => after(1, "a"), () => after(1, "b"), () => after(3, "d")]);
      assert.deepEqual(order, ["a", "b", "c", "d"]);
    });
  });

  it("sleeps for real outside of a run, never less than it was told", async () => {
    const started = performance.now();
    await sleep(5);
    const took = performance.now() - started;
    assert.ok(took >= 5 && took < 50 * 10);
  });

  it("of zero or less gives the event loop one turn", async () => {
    for (const ms of [0, -0, -5, -Infinity]) {
      const turn = { passed: false };
      setImmediate(() => (turn.passed = true));
      await sleep(ms);
      assert.equal(turn.passed, true);
    }
  });

  it("ends at once when it is cancelled, and throws on entry in a cancelled scope", async () => {
    await runTest(async () => {
      await moveOnAfter(10, () => sleep(1_000));
      assert.equal(now(), 10);
      await cancelScope(async (scope) => {
        scope.cancel();
        for (const ms of [-1, 0, 1, Infinity]) assert.ok(isCancelled(await caught(sleep(ms))));
      });
      assert.equal(now(), 10);
    });
  });

  it("takes a number of milliseconds", async () => {
    for (const bad of [Number.NaN, "10" as never, undefined as never]) {
      const error = (await caught(sleep(bad))) as Error & { code: string };
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
      assert.match(error.message, /^Cannot sleep: 'ms' is .*; pass milliseconds$/);
    }
  });

  it("longer than a timer of Node can be does not end at once", async () => {
    const winner = await race([() => sleep(2 ** 40).then(() => "long"), () => sleep(3).then(() => "short")]);
    assert.equal(winner, "short");
  });

  it("tells in dumps how long it still takes", async () => {
    await runTest(async () => {
      await using sleeper = createTask(() => sleep(1_000));
      await sleep(400);
      assert.deepEqual(
        waitsOf(sleeper as TaskNode).map((waiter) => waiter.target.describe(waiter)),
        ["sleep (600 ms left)"],
      );
      assert.deepEqual(
        waitsOf(sleeper as TaskNode).map((waiter) => waiter.target.describe()),
        ["sleep"],
      );
    });
  });
});

describe("sleepUntil", () => {
  it("ends at a point in time on the scale of now", async () => {
    await runTest(async () => {
      await sleep(100);
      await sleepUntil(250);
      assert.equal(now(), 250);
      await sleepUntil(10); // has passed
      assert.equal(now(), 250);
    });
  });

  it("takes a number", async () => {
    for (const bad of [Number.NaN, new Date() as never]) {
      const error = (await caught(sleepUntil(bad))) as Error & { code: string };
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
      assert.match(error.message, /^Cannot sleepUntil: 'deadline' is .*; pass a time on the scale of now\(\)$/);
    }
  });

  it("of Infinity, like a sleep of Infinity, ends only by cancellation", async () => {
    await runTest(async () => {
      await moveOnAfter(10, () => sleepUntil(Infinity));
      await moveOnAfter(10, () => sleep(Infinity));
      await moveOnAfter(10, () => sleepForever());
      assert.equal(now(), 30);
    });
  });
});

describe("sleepForever", () => {
  it("is named in dumps", async () => {
    await runTest(async () => {
      await using sleeper = createTask<void>(() => sleepForever());
      await waitUntilIdle();
      assert.deepEqual(
        waitsOf(sleeper as TaskNode).map((waiter) => waiter.target.describe(waiter)),
        ["sleepForever"],
      );
    });
  });

  it("keeps the process alive until it is cancelled, and is no deadlock", async () => {
    await run(() => moveOnAfter(3, () => sleepForever()));
  });
});

describe("The deadlines of all sleeps", () => {
  it("share one alarm of the clock, which is taken back when nobody sleeps any more", async () => {
    const alarms: number[] = [];
    const alarm = { isSet: false };
    const clock: Clock = {
      resolutionMs: 0,
      now: () => 0,
      setAlarm: (at) => {
        alarms.push(at);
        alarm.isSet = true;
      },
      clearAlarm: () => {
        alarm.isSet = false;
      },
    };
    await run(
      () =>
        cancelScope(async (scope) => {
          const sleeps = [30, 10, 20, 40].map((ms) => caught(sleep(ms)));
          assert.deepEqual(alarms, [30, 10]); // one more only for an earlier time
          assert.equal(alarm.isSet, true);
          scope.cancel();
          assert.equal(alarm.isSet, false);
          await Promise.all(sleeps);
        }),
      { clock },
    );
  });

  it("forget a cancelled sleep", async () => {
    await runTest(async () => {
      const { deadlines } = currentScopeNode().runner;
      await moveOnAfter(1, () => gather(Array.from({ length: 100 }, (_, i) => () => sleep(1_000 + i))));
      assert.equal(deadlines.earliest, undefined);
    });
  });

  it("resume nobody twice", async () => {
    await runTest(async () => {
      const resumed: string[] = [];
      using instrument = addInstrument({ resumed: ({ target }) => void resumed.push(target.describe()) });
      assert.ok(instrument);
      await moveOnAfter(5, () => sleep(5));
      await sleep(5);
      assert.deepEqual(resumed, ["sleep", "sleep"]);
    });
  });
});
