// A hundred thousand sleeps: they all end, and leave nothing behind.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { cancelScope, currentSignal, gather, moveOnAfter, now, run, sleep, sleepUntil } from "meanwhile";
import { currentScopeNode } from "meanwhile/lowlevel";

async function heapAfterCollection(): Promise<number> {
  setFlagsFromString("--expose-gc");
  await new Promise((resolve) => setTimeout(resolve, 1));
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

describe("A hundred thousand sleeps", () => {
  it("all end, and none of them early", async () => {
    await run(async () => {
      let woken = 0;
      await gather(
        Array.from({ length: 100_000 }, (_, index) => async () => {
          const deadline = now() + (index % 100);
          await sleepUntil(deadline);
          assert.ok(now() >= deadline);
          woken += 1;
        }),
      );
      assert.equal(woken, 100_000);
      assert.equal(currentScopeNode().runner.deadlines.earliest, undefined);
    });
  });

  it("one after the other, each cancelled, leave nothing behind", async () => {
    await run(async () => {
      const round = async (): Promise<number> => {
        for (let i = 0; i < 10_000; i++) {
          await cancelScope(() => void currentSignal());
          await cancelScope(async (scope) => {
            const wait = sleep(1_000_000 + i);
            currentSignal();
            scope.cancel();
            await wait;
          });
        }
        assert.equal(currentScopeNode().runner.deadlines.earliest, undefined);
        assert.equal(currentScopeNode().members().length, 0);
        return heapAfterCollection();
      };
      const before = await round();
      for (let i = 0; i < 3; i++) await round();
      // 40 000 of anything kept would be several megabytes.
      assert.ok((await round()) - before < 2e6);
    });
  });

  it("each in a timeout that is not needed, leave no times behind", async () => {
    await run(async () => {
      for (let i = 0; i < 10_000; i++) await moveOnAfter(1_000_000 + i, () => undefined);
      assert.equal(currentScopeNode().runner.deadlines.earliest, undefined);
    });
  });
});
