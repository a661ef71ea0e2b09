// assertCheckpoints, assertNoCheckpoints: is a call a checkpoint?

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  gather,
  isCancelled,
  Lock,
  Queue,
  sleep,
  taskGroup,
} from "meanwhile";
import { throwIfCancelled } from "meanwhile/lowlevel";
import { assertCheckpoints, assertNoCheckpoints, runTest } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";

const NO_CHECKPOINT = { code: "MW_ERR_NO_CHECKPOINT" };
const UNEXPECTED = { code: "MW_ERR_UNEXPECTED_CHECKPOINT" };

describe("assertCheckpoints", () => {
  it("gives the value of a job that passes a checkpoint", async () => {
    await runTest(async () => {
      assert.equal(await assertCheckpoints(() => sleep(1).then(() => "slept")), "slept");
      assert.equal(await assertCheckpoints(coroutine(async () => checkpoint().then(() => 1))()), 1);
    });
  });

  it("counts a call that need not wait, and a look at the cancellation", async () => {
    await runTest(async () => {
      using held = await assertCheckpoints(() => new Lock().acquire());
      assert.ok(held);
      await assertCheckpoints(() => throwIfCancelled());
      await assertCheckpoints(() => gather([]));
    });
  });

  it("fails a job without one, naming it", async () => {
    await runTest(async () => {
      const quick = async (): Promise<void> => {};
      await assert.rejects(assertCheckpoints(quick), { ...NO_CHECKPOINT, message: /"quick"/ });
      await assert.rejects(
        assertCheckpoints(() => 1),
        { ...NO_CHECKPOINT, message: /the job: it passed no checkpoint/ },
      );
    });
  });

  it("gives the error of a job that fails after a checkpoint; one that fails before is the cause", async () => {
    await runTest(async () => {
      const failure = new Error("on purpose");
      const fail = (): Promise<never> => Promise.reject(failure);
      assert.equal(await errorOf(assertCheckpoints(() => checkpoint().then(fail))), failure);
      await assert.rejects(assertCheckpoints(fail), { ...NO_CHECKPOINT, cause: failure });
      await assert.rejects(
        assertCheckpoints(() => assert.fail("at once")),
        NO_CHECKPOINT,
      );
    });
  });

  it("does not count what other tasks do, nor what else the task does", async () => {
    await runTest(async () => {
      const endless = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) await sleep(0);
      };
      const other = createTask(endless);
      const beside = endless();
      const nothingOfOurs = async (): Promise<void> => {
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      };
      await assert.rejects(assertCheckpoints(nothingOfOurs), NO_CHECKPOINT);
      await assertCheckpoints(() => other.then(() => {}));
      await beside;
    });
  });

  it("works outside of runs", async () => {
    await assertCheckpoints(() => sleep(1));
    await assert.rejects(
      assertCheckpoints(async () => {}),
      NO_CHECKPOINT,
    );
  });

  it("lets a cancellation through", async () => {
    await runTest(async () => {
      let seen: unknown;
      await cancelScope(async (scope) => {
        scope.cancel();
        seen = await errorOf(assertCheckpoints(() => sleep(1)));
        assert.ok(isCancelled(seen));
      });
      assert.ok(seen);
    });
  });
});

describe("assertNoCheckpoints", () => {
  it("gives the value or the error of a job that passes none", async () => {
    await runTest(async () => {
      assert.equal(await assertNoCheckpoints(async () => 1), 1);
      assert.ok(await assertNoCheckpoints(() => new Lock().tryAcquire()));
      await assert.rejects(
        assertNoCheckpoints(() => new Queue({ maxSize: 1 }).tryGet()),
        { code: "MW_ERR_QUEUE_EMPTY" },
      );
    });
  });

  it("does not count what the tasks of the job do", async () => {
    await runTest(() =>
      assertNoCheckpoints(() =>
        taskGroup((group) => {
          group.createTask(() => sleep(1));
        }),
      ),
    );
  });

  it("fails a job with checkpoints, and says where the first one is", async () => {
    await runTest(async () => {
      const twice = async (): Promise<void> => {
        await checkpoint();
        await checkpoint();
      };
      await assert.rejects(assertNoCheckpoints(twice), {
        ...UNEXPECTED,
        // One that gives way is passed again.
        message: /"twice": it passed [2-9] checkpoints, the first: .*assert-checkpoints\.test/,
      });
      const failure = new Error("on purpose");
      const failing = (): Promise<never> => checkpoint().then(() => Promise.reject(failure));
      await assert.rejects(assertNoCheckpoints(failing), { ...UNEXPECTED, cause: failure });
    });
  });
});
