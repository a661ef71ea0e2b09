import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  currentTask,
  isCancelled,
  moveOnAfter,
  now,
  run,
  shield,
  sleep,
  sleepForever,
  type Task,
  taskGroup,
  wait,
  type WaitOptions,
} from "meanwhile";
import { currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";
import { MockClock, runTest, waitUntilIdle } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { errorOf, givesWay } from "../util/outcomes.ts";

const after = (ms: number): Task<number> => createTask(() => sleep(ms).then(() => ms));

const failAfter = (ms: number, error: Error): Task<never> =>
  createTask(async () => {
    await sleep(ms);
    throw error;
  });

/** Ends tasks that a test leaves. */
async function end(...tasks: Task<unknown>[]): Promise<void> {
  for (const task of tasks) task.cancel();
  await Promise.allSettled(tasks);
}

describe("wait", () => {
  it("waits for all by default, and gives the very tasks, in the order they were given", () =>
    runTest(async () => {
      const tasks = [after(30), after(10), after(20)];
      const { done, pending } = await wait(tasks);
      assert.equal(done.length, 3);
      done.forEach((task, i) => assert.equal(task, tasks[i]));
      assert.deepEqual(pending, []);
      assert.equal(now(), 30);
    }));

  it("ends with the first, and leaves the others alone", () =>
    runTest(async () => {
      const tasks = [after(30), after(10), after(20)];
      const { done, pending } = await wait(tasks, { until: "first" });
      assert.deepEqual([done, pending], [[tasks[1]], [tasks[0], tasks[2]]]);
      assert.equal(now(), 10);
      assert.deepEqual(await Promise.all(tasks), [30, 10, 20]);
    }));

  it("counts a task that was cancelled, or has failed, as one that has ended", () =>
    runTest(async () => {
      const cancelled = createTask(() => sleepForever());
      const failed = failAfter(5, new Error("on purpose"));
      const rest = after(1_000);
      cancelled.cancel();
      assert.deepEqual((await wait([cancelled, rest], { until: "first" })).done, [cancelled]);
      assert.deepEqual((await wait([failed, rest], { until: "first" })).done, [failed]);
      assert.deepEqual((await wait([failed, cancelled])).pending, []);
      assert.equal(now(), 5);
      await end(rest);
    }));

  it("ends with the first failure for firstError; a cancelled task has not failed", () =>
    runTest(async () => {
      const cancelled = createTask(() => sleepForever());
      cancelled.cancel();
      const tasks = [after(1), cancelled, failAfter(10, new Error("on purpose")), after(1_000)];
      const { done, pending } = await wait(tasks, { until: "firstError" });
      assert.deepEqual([done, pending], [tasks.slice(0, 3), tasks.slice(3)]);
      assert.equal(now(), 10);
      await end(...pending);
    }));

  it("waits for all for firstError if none fails", () =>
    runTest(async () => {
      const { pending } = await wait([after(1), after(20)], { until: "firstError" });
      assert.deepEqual(pending, []);
      assert.equal(now(), 20);
    }));

  it("returns at once what is so already", () =>
    runTest(async () => {
      const failed = failAfter(1, new Error("on purpose"));
      const ended = after(1);
      await wait([failed, ended]);
      const rest = after(1_000);
      assert.deepEqual((await wait([ended, failed])).done, [ended, failed]);
      assert.deepEqual((await wait([rest, ended], { until: "first" })).pending, [rest]);
      assert.deepEqual((await wait([rest, failed], { until: "firstError" })).pending, [rest]);
      assert.equal(now(), 1);
      await end(rest);
    }));

  it("ends when its time is over, which is no error, and cancels nothing", () =>
    runTest(async () => {
      for (const until of ["all", "first", "firstError"] as const) {
        const tasks = [after(50), after(50)];
        const { done, pending } = await wait(tasks, { until, timeoutMs: 10 });
        assert.deepEqual([done, pending], [[], tasks]);
        assert.deepEqual(await Promise.all(tasks), [50, 50]);
      }
    }));

  it("looks without waiting for a time of 0, and gives what has ended until then", () =>
    runTest(async () => {
      const tasks = [after(1), after(1_000)];
      await sleep(5);
      const { done, pending } = await wait(tasks, { timeoutMs: 0 });
      assert.deepEqual([done, pending], [[tasks[0]], [tasks[1]]]);
      assert.equal(now(), 5);
      await end(...tasks);
    }));

  it("counts a task that is given twice once, and takes any iterable", () =>
    runTest(async () => {
      const [a, b] = [after(1), after(2)];
      assert.deepEqual((await wait([b, a, b])).done, [b, a]);
      assert.deepEqual((await wait(new Set([a, b]))).done, [a, b]);
      assert.deepEqual((await wait(new Map([["a", a]]).values())).done, [a]);
    }));

  it("waits for tasks of a group, whose failures stay the group's", () =>
    runTest(async () => {
      const failure = new Error("on purpose");
      const error = await errorOf(
        taskGroup(async (group) => {
          const task = group.createTask(() => Promise.reject(failure));
          await shield(async () => {
            assert.deepEqual((await wait([task])).done, [task]);
          });
        }),
      );
      assert.deepEqual((error as AggregateError).errors, [failure]);
    }));

  describe("while it waits for background tasks", () => {
    it("counts as awaiting them: a failure is in done, and does not end the run", () =>
      runTest(async () => {
        const failure = new Error("on purpose");
        const failed = failAfter(1, failure);
        const { done } = await wait([failed, after(10)]);
        assert.equal(done[0], failed);
        assert.equal(await errorOf(failed), failure);
      }));

    it("no longer awaits those it has left: their failure ends the run", async () => {
      for (const options of [{ until: "first" }, { timeoutMs: 5 }] satisfies WaitOptions[]) {
        const failure = new Error("left alone");
        const left = run(
          async () => {
            await wait([failAfter(10, failure), createTask(() => sleep(2))], options);
            await sleepForever();
          },
          { clock: new MockClock() },
        );
        assert.equal(await errorOf(left), failure);
      }
    });
  });

  describe("when it is cancelled", () => {
    it("cancels no task", () =>
      runTest(async () => {
        const tasks = [after(20), after(30)];
        assert.equal(await moveOnAfter(10, () => wait(tasks)), undefined);
        assert.equal(now(), 10);
        assert.deepEqual(await Promise.all(tasks), [20, 30]);
      }));

    it("waits for the cleanup of tasks that were cancelled with it", () =>
      runTest(async () => {
        const log: string[] = [];
        const ended = await moveOnAfter(10, () =>
          taskGroup(async (group) => {
            const task = group.createTask(async () => {
              try {
                await sleepForever();
              } finally {
                await shield(() => sleep(5));
                log.push("task");
              }
            });
            await wait([task, group.createTask(() => sleepForever())]).finally(() => log.push("wait"));
            log.push("not reached");
          }),
        );
        assert.equal(ended, undefined);
        assert.deepEqual(log, ["task", "wait"]);
      }));

    it("returns its result if the tasks were first", () =>
      runTest(async () => {
        const task = createTask(() => sleep(1));
        await sleep(0); // the next checkpoint gives no turn, so the wait begins at once
        let result: unknown;
        await cancelScope(async (scope) => {
          const waited = wait([task]);
          // Told of the end right after the wait was, which returns some microtasks later.
          await task.then(() => scope.cancel());
          result = await waited;
          assert.ok(isCancelled(await errorOf(checkpoint())));
        });
        assert.deepEqual(result, { done: [task], pending: [] });
      }));

    it("throws before it waits, also for tasks that have ended", () =>
      runTest(async () => {
        const task = after(1);
        await task;
        await cancelScope(async (scope) => {
          scope.cancel();
          assert.ok(isCancelled(await errorOf(wait([task]))));
        });
      }));
  });

  it("says in a dump of the tasks what it waits for", () =>
    runTest(async () => {
      const named = createTask(() => sleep(5), { name: "named" });
      const dump = createTask(async () => {
        await waitUntilIdle();
        return renderTaskTree(currentScopeNode().runner.root);
      });
      const { done } = await wait([named, dump]);
      assert.deepEqual(done, [named, dump]);
      assert.match(await dump, /task \d+ "main" waits for task "named" and task "task \d+"$/m);
    }));

  it("gives the event loop its turn when this one has lasted too long", () =>
    run(async () => {
      const task = createTask(() => 1);
      await task;
      assert.equal(await givesWay(() => wait([task])), true);
    }));

  describe("refuses", () => {
    it("what is no task, and says how to make one; a promise is handled, a coroutine not forgotten", () =>
      runTest(async () => {
        const lazy = coroutine(async function load() {});
        const bad: ReadonlyArray<readonly [unknown, RegExp]> = [
          [lazy(), /^Cannot wait for the coroutine "load": .*make one with createTask\(\) first$/],
          [() => 1, /^Cannot wait for an anonymous function: /],
          [Promise.reject(new Error("not unhandled")), /^Cannot wait for a promise: /],
          [undefined, /^Cannot wait for undefined: /],
        ];
        const task = after(1);
        for (const [one, message] of bad) {
          const error = await errorOf(
            wait([task, one as never, lazy() as never, Promise.reject(new Error()) as never]),
          );
          assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
          assert.match(error.message, message);
        }
        await task;
      }));

    it("what is no list", () =>
      runTest(async () => {
        const task = after(1);
        for (const [list, message] of [
          [task, /^Cannot wait for the task ".+"; pass an array of tasks$/],
          [undefined, /^Cannot wait for undefined; /],
          ["tasks", /^Cannot wait for "tasks"; /],
          [Promise.reject(new Error("not unhandled")), /^Cannot wait for a promise; /],
        ] as const) {
          const error = await errorOf(wait(list as never));
          assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
          assert.match(error.message, message);
        }
        await task;
      }));

    it("an empty list", () =>
      runTest(async () => {
        const error = await errorOf(wait([]));
        assert.equal(error.code, "MW_ERR_EMPTY");
        assert.match(error.message, /given to wait is empty; pass at least one$/);
      }));

    it("the task that waits", () =>
      runTest(async () => {
        const task = after(1);
        const error = await errorOf(wait([task, currentTask()], { until: "first" }));
        assert.equal(error.code, "MW_ERR_AWAIT_SELF");
        assert.match(error.message, /^Cannot wait for task "main": .*leave it out of the list$/);
        await task;
      }));

    it("bad options", () =>
      runTest(async () => {
        const task = after(1);
        const bad: ReadonlyArray<readonly [WaitOptions, RegExp]> = [
          [{ until: "any" as never }, /'until' is "any"; pass one of "all", "first" and "firstError"$/],
          [{ timeoutMs: "5" as never }, /'timeoutMs' is "5"; pass milliseconds$/],
          [{ timeoutMs: NaN }, /'timeoutMs' is NaN/],
          [5 as never, /^Cannot use 5 as the options of wait; pass an object, like \{ until: "first" \}$/],
        ];
        for (const [options, message] of bad) {
          const error = await errorOf(wait([task], options));
          assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
          assert.match(error.message, message);
        }
        await task;
      }));
  });
});

describe("A wait that is cancelled", () => {
  it("reports the failures that ended meanwhile: nobody is told of them, and they counted as awaited", () =>
    runTest(
      async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const failing = createTask(async () => {
          await sleep(5);
          throw new Error("not lost");
        });
        await using slow = createTask(() => sleep(1_000));
        await moveOnAfter(20, () => wait([failing, slow]));
        assert.match((await warnings.first()).message, /not lost/);
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));
});
