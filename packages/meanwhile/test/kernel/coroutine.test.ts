// Coroutines: lazy, run once, in the task of whoever awaits them first; the same result for everybody else.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  CancelledError,
  cancelScope,
  coroutine,
  createTask,
  currentTask,
  gather,
  isCancelled,
  moveOnAfter,
  run,
  shield,
  sleep,
  sleepForever,
  TaskCancelledError,
  taskGroup,
  timeout,
} from "meanwhile";
import { isCoroutine } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { caught, letMicrotasksRun } from "./caught.ts";

describe("A coroutine", () => {
  it("does not start before it is awaited", async () => {
    const log: string[] = [];
    const work = coroutine(async () => void log.push("ran"));
    const waiting = work();
    await letMicrotasksRun();
    assert.deepEqual(log, []);
    await waiting;
    assert.deepEqual(log, ["ran"]);
  });

  it("starts in the same turn when it is awaited", async () => {
    const log: string[] = [];
    const work = coroutine(async () => void log.push("ran"));
    const waiting = work().then(() => log.push("done"));
    assert.deepEqual(log, ["ran"]);
    await waiting;
  });

  it("runs once and gives everybody who awaits it the same result", async () => {
    let runs = 0;
    const work = coroutine(async () => ({ run: ++runs }));
    const waiting = work();
    const first = await waiting;
    const [second, third] = await Promise.all([waiting, waiting]);
    assert.equal(first, second);
    assert.equal(first, third);
    assert.equal(runs, 1);
  });

  it("gives everybody who awaits it the same error", async () => {
    const problem = new RangeError("no");
    const work = coroutine(async () => Promise.reject(problem));
    const waiting = work();
    assert.equal(await caught(waiting), problem);
    assert.equal(await caught(waiting), problem);
  });

  it("runs in the current task when it is awaited there", async () => {
    await runTest(async () => {
      const whoAmI = coroutine(async () => currentTask().id);
      assert.equal(await whoAmI(), currentTask().id);
    });
  });

  it("runs in the task that awaits it first, wherever it was created", async () => {
    await runTest(async () => {
      const whoAmI = coroutine(async () => {
        await sleep(1);
        return currentTask().name;
      });
      const waiting = whoAmI();
      async function first(): Promise<string> {
        return await waiting;
      }
      async function second(): Promise<string> {
        return await waiting;
      }
      assert.deepEqual(await gather([first, second]), ["first", "first"]);
    });
  });

  it("runs in a task of its own when a combinator or createTask gets it", async () => {
    await runTest(async () => {
      const whoAmI = coroutine(async function whoAmI() {
        return currentTask().id;
      });
      const [inGather] = await gather([whoAmI()]);
      const background = createTask(whoAmI());
      assert.notEqual(inGather, currentTask().id);
      assert.equal(await background, background.id);
      assert.equal(background.name, "whoAmI");
    });
  });

  it("starts inside the scope whose body returns it", async () => {
    await runTest(async () => {
      const forever = coroutine(() => sleepForever());
      assert.equal((await caught(timeout(5, () => forever()))) instanceof Error, true);
      assert.equal(await moveOnAfter(5, () => forever()), undefined);
    });
  });

  it("gets this and the arguments of the call", async () => {
    class Account {
      balance = 3;
      readonly add = coroutine(async function add(this: Account, amount: number, times: number = 1) {
        return this.balance + amount * times;
      });
    }
    const account = new Account();
    assert.equal(await account.add(2, 10), 23);
    assert.equal(await account.add.call(new Account(), 1), 4);
  });

  it("comes from a function that keeps name and length of the wrapped one", () => {
    const add = coroutine(async function addNumbers(one: number, two: number) {
      return one + two;
    });
    assert.equal(add.name, "addNumbers");
    assert.equal(add.length, 2);
  });

  it("has the name of its function, or says that it has none", async () => {
    const named = coroutine(async function fetchUser() {})();
    const unnamed = coroutine(async () => {})();
    assert.equal(named.name, "fetchUser");
    assert.equal(unnamed.name, "anonymous");
    await Promise.all([named, unnamed]);
  });

  it("is typed as a promise and is not an instance of one", async () => {
    const waiting: Promise<number> = coroutine(async () => 1)();
    assert.equal(waiting instanceof Promise, false);
    assert.equal(Object.prototype.toString.call(waiting), "[object Coroutine]");
    assert.equal(isCoroutine(waiting), true);
    assert.equal(isCoroutine(Promise.resolve(await waiting)), false);
  });

  it("takes the result of any thenable, and of a function that is not async", async () => {
    const thenable: PromiseLike<string> = Promise.resolve("later");
    assert.equal(await coroutine(() => thenable)(), "later");
    assert.equal(await coroutine(() => "now")(), "now");
    const inner = coroutine(async () => "inner");
    assert.equal(await coroutine(() => inner())(), "inner");
  });

  it("can be awaited by native combinators", async () => {
    const double = coroutine(async (value: number) => value * 2);
    assert.deepEqual(await Promise.all([double(1), double(2)]), [2, 4]);
    assert.equal(await Promise.any([Promise.reject(new Error()), double(4)]), 8);
    assert.equal(await Promise.resolve(double(5)), 10);
  });

  it("has catch and finally, which start it", async () => {
    const log: string[] = [];
    const fail = coroutine(async () => Promise.reject(new Error("no")));
    const succeed = coroutine(async () => "yes");
    assert.equal(await fail().catch((error: Error) => error.message), "no");
    assert.equal(await succeed().catch(() => "not called"), "yes");
    assert.equal(await succeed().finally(() => log.push("finally")), "yes");
    await caught(fail().finally(() => log.push("finally")));
    assert.deepEqual(log, ["finally", "finally"]);
  });

  it("rejects when its function throws at once", async () => {
    const broken = coroutine((): Promise<void> => {
      throw new RangeError("at once");
    });
    const waiting = broken();
    assert.equal(((await caught(waiting)) as Error).message, "at once");
  });

  it("refuses what is not a function, with what to pass instead", () => {
    const wrap = coroutine as (fn: unknown) => unknown;
    assert.throws(() => wrap(Promise.resolve()), {
      name: "UsageError",
      code: "MW_ERR_INVALID_ARGUMENT",
      message: /an object \(Promise\); pass an async function, not the result of calling it/,
    });
  });
});

describe("A coroutine awaited from another task than the one that runs it", () => {
  it("gives the value to all of them", async () => {
    await runTest(async () => {
      const work = coroutine(async () => {
        await sleep(10);
        return "value";
      });
      const waiting = work();
      const runner = createTask(waiting);
      await sleep(0);
      assert.equal(await waiting, "value");
      assert.equal(await runner, "value");
      assert.equal(await waiting, "value");
    });
  });

  it("gives the error to all of them", async () => {
    await runTest(async () => {
      const problem = new RangeError("no");
      const work = coroutine(async () => {
        await sleep(10);
        throw problem;
      });
      const waiting = work();
      assert.deepEqual(await Promise.all([gather([waiting]), waiting].map((one) => caught(one))), [problem, problem]);
    });
  });

  it("goes on when a task that only awaits it is cancelled, which leaves at once", async () => {
    await runTest(async () => {
      const log: string[] = [];
      const work = coroutine(async () => {
        await sleep(100);
        log.push("work ended");
        return "value";
      });
      const waiting = work();
      const runner = createTask(waiting);
      await sleep(0);
      await moveOnAfter(5, () => waiting);
      log.push("left");
      assert.equal(await runner, "value");
      assert.deepEqual(log, ["left", "work ended"]);
    });
  });

  it("lets a cancelled task that awaits it leave after its cleanup if both are in the cancelled scope", async () => {
    await runTest(async () => {
      const log: string[] = [];
      const work = coroutine(async () => {
        try {
          await sleepForever();
        } finally {
          await shield(() => sleep(50));
          log.push("work cleaned up");
        }
      });
      await taskGroup(async (group) => {
        const waiting = work();
        group.createTask(waiting);
        group.createTask(async () => {
          try {
            await waiting;
          } catch (error) {
            log.push(`left, cancelled: ${isCancelled(error)}`);
            throw error;
          }
        });
        await sleep(5);
        group.cancel();
      });
      assert.deepEqual(log, ["work cleaned up", "left, cancelled: true"]);
    });
  });

  it("gives each of the cancelled an error of its own", async () => {
    await runTest(async () => {
      const errors: unknown[] = [];
      const forever = coroutine(() => sleepForever());
      await taskGroup(async (group) => {
        const waiting = forever();
        async function wait(): Promise<void> {
          errors.push(await caught(waiting));
        }
        group.createTask(wait);
        group.createTask(wait);
        await sleep(5);
        group.cancel("enough");
      });
      assert.equal(
        errors.every((error) => error instanceof CancelledError && error.reason === "enough"),
        true,
      );
      assert.equal(new Set(errors).size, 2);
    });
  });

  it("fails with TaskCancelledError if the task that runs it was cancelled by somebody else", async () => {
    await runTest(async () => {
      const forever = coroutine(async function listen() {
        await sleepForever();
      });
      const waiting = forever();
      const runner = createTask(waiting);
      await sleep(0);
      const failure = caught(waiting);
      runner.cancel("no longer needed");
      const error = (await failure) as TaskCancelledError;
      assert.equal(error instanceof TaskCancelledError, true);
      assert.equal(error.code, "MW_ERR_TASK_CANCELLED");
      assert.equal(isCancelled(error), false);
      assert.match(error.message, /coroutine "listen".*no longer needed/);
      assert.equal((error.cause as CancelledError).reason, "no longer needed");
    });
  });

  it("fails with TaskCancelledError if the scope that ran it has ended it", async () => {
    await runTest(async () => {
      const forever = coroutine(() => sleepForever());
      const waiting = forever();
      assert.equal(await moveOnAfter(5, () => waiting), undefined);
      assert.equal((await caught(waiting)) instanceof TaskCancelledError, true);
    });
  });

  it("fails with TaskCancelledError behind a shield, where the code that awaits is not cancelled", async () => {
    await runTest(async () => {
      const forever = coroutine(() => sleepForever());
      let error: unknown;
      await cancelScope(async (scope) => {
        const waiting = forever();
        const running = caught(waiting);
        await shield(async () => {
          scope.cancel();
          error = await caught(waiting);
        });
        await running;
      });
      assert.equal(error instanceof TaskCancelledError, true);
    });
  });

  it("is a checkpoint: in a cancelled scope it throws at once", async () => {
    await runTest(async () => {
      const work = coroutine(async () => "value");
      const waiting = work();
      await createTask(waiting);
      await cancelScope(async (scope) => {
        scope.cancel();
        assert.equal(isCancelled(await caught(waiting)), true);
      });
    });
  });

  it("does not disturb a canceller after the block that began to await it has been left", async () => {
    await runTest(async () => {
      const work = coroutine(() => sleep(20));
      const waiting = work();
      const runner = createTask(waiting);
      await sleep(0);
      await cancelScope(async (outer) => {
        let left: Promise<unknown> | undefined;
        await cancelScope(async () => {
          left = caught(waiting.then());
        });
        outer.cancel();
        assert.equal(isCancelled(await left), true);
      });
      await runner;
    });
  });

  it("works outside of a run", async () => {
    const work = coroutine(async () => {
      await sleep(1);
      return "value";
    });
    const waiting = work();
    assert.deepEqual(await gather([() => waiting, () => waiting]), ["value", "value"]);
    assert.equal(await run(() => waiting), "value");
  });
});
