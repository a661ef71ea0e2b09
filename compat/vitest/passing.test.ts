// What a user's tests look like under Vitest.

import { gather, Lock, now, Queue, sleep } from "meanwhile";
import { assertCheckpoints, checkQueue, exploreSchedules, runTest, torture } from "meanwhile/testing";
import { describe, expect, it } from "vitest";

describe("meanwhile/testing under Vitest", () => {
  it("runs on virtual time", async () => {
    const end = await runTest(async () => {
      await gather([() => sleep(60_000), () => sleep(3_600_000)]);
      return now();
    });
    expect(end).toBe(3_600_000);
  });

  it("fails for what a test leaves running", async () => {
    const lock = new Lock();
    await expect(
      runTest(async () => {
        await lock.acquire();
        await lock.acquire();
      }),
    ).rejects.toMatchObject({ code: "MW_ERR_DEADLOCK" });
  });

  it("explores schedules", async () => {
    const orders = await exploreSchedules(
      async () => {
        const queue = new Queue<string>({ maxSize: 1 });
        await gather([() => queue.put("a"), () => queue.put("b"), () => queue.get(), () => queue.get()]);
        return queue.size;
      },
      { checkDeterminism: true },
    );
    expect(new Set(orders)).toEqual(new Set([0]));
  });

  it("tortures", async () => {
    const { runs, points } = await torture({
      setup: () => new Lock(),
      run: async (lock) => {
        using held = await lock.acquire();
        await sleep(1);
        return held;
      },
      check: (lock) => expect(lock.locked).toBe(false),
    });
    expect(runs).toBe(points.length + 1);
  });

  it("checks primitives", async () => {
    const { rules } = await checkQueue((maxSize) => new Queue<number>({ maxSize }), { schedules: 3 });
    expect(rules).toContain("gives items in their order");
    await assertCheckpoints(() => new Lock().acquire());
  });
});
