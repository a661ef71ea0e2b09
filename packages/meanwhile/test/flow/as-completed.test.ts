import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";

import {
  allTasks,
  asCompleted,
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  currentTask,
  gather,
  isCancelled,
  moveOnAfter,
  now,
  run,
  shield,
  sleep,
  sleepForever,
  timeout,
} from "meanwhile";
import { currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { errorOf, givesWay } from "../util/outcomes.ts";

const SUPPRESSED = { expectWarnings: ["MW_WARN_SUPPRESSED"] };
const DONE = { done: true, value: undefined };

const after = (ms: number) => async (): Promise<number> => {
  await sleep(ms);
  return ms;
};

const failAfter = (ms: number, error: Error) => async (): Promise<never> => {
  await sleep(ms);
  throw error;
};

/** Takes results until there are no more, or `count` of them. */
async function take<T>(results: AsyncIterable<T>, count = Infinity): Promise<T[]> {
  const taken: T[] = [];
  for await (const result of results) {
    taken.push(result);
    if (taken.length === count) break;
  }
  return taken;
}

/** One loop over the results, step by step. */
function open<T>(results: AsyncIterable<T>): Required<AsyncIterator<T, undefined>> {
  return results[Symbol.asyncIterator]() as Required<AsyncIterator<T, undefined>>;
}

/** A job that cleans up for `ms` when it is cancelled, and counts how often that was. */
function careful(ms: number): { job: () => Promise<never>; cleaned: number } {
  const observed = {
    cleaned: 0,
    job: async (): Promise<never> => {
      try {
        return await sleepForever();
      } finally {
        await shield(() => sleep(ms));
        observed.cleaned += 1;
      }
    },
  };
  return observed;
}

describe("asCompleted", () => {
  it("gives the results in the order in which the jobs finish", () =>
    runTest(async () => {
      assert.deepEqual(await take(asCompleted([after(30), after(10), after(20)])), [10, 20, 30]);
      assert.equal(now(), 30);
    }));

  it("gives a result as soon as it is there", () =>
    runTest(async () => {
      const times: number[] = [];
      for await (const ms of asCompleted([after(30), after(10)])) times.push(ms, now());
      assert.deepEqual(times, [10, 10, 30, 30]);
    }));

  it("takes functions, coroutines, tasks and promises, in any iterable", () =>
    runTest(async () => {
      const lazy = coroutine(async () => "coroutine");
      const inputs = [() => "function", lazy(), createTask(() => "task"), Promise.resolve("promise")];
      const results = ["coroutine", "function", "promise", "task"];
      assert.deepEqual((await take(asCompleted(inputs))).toSorted(), results);
      assert.deepEqual((await take(asCompleted(new Set([...inputs.slice(2), ...inputs.slice(0, 1)])))).length, 3);
    }));

  it("is done at once for no jobs", () =>
    runTest(async () => {
      assert.deepEqual(await take(asCompleted([])), []);
    }));

  it("starts nothing before the first result is asked for", () =>
    runTest(async () => {
      const iterator = open(asCompleted([() => assert.fail("started")]));
      await sleep(10);
      assert.deepEqual(await iterator.return(), DONE);
      assert.deepEqual(await iterator.next(), DONE);
    }));

  it("takes over what it is given although nobody ever asks for a result", () =>
    // The run reports coroutines that were forgotten; a rejection that nobody handles fails the test.
    run(async () => {
      const lazy = coroutine(async () => 1);
      asCompleted([lazy(), Promise.reject(new Error("early")), lazy()]);
      await sleep(1);
    }));

  it("runs at most `concurrency` jobs at a time, and starts one when a result was taken", () =>
    runTest(async () => {
      const started: number[] = [];
      const job = (ms: number) => async (): Promise<number> => {
        started.push(ms);
        await sleep(ms);
        return ms;
      };
      const iterator = open(asCompleted([30, 10, 20, 1].map(job), { concurrency: 2 }));
      assert.deepEqual(await iterator.next(), { done: false, value: 10 });
      assert.deepEqual(started, [30, 10, 20]);
      await sleep(100);
      assert.deepEqual(started, [30, 10, 20], "those that wait to be taken keep their places");
      assert.deepEqual(
        await take({ [Symbol.asyncIterator]: () => iterator }),
        [20, 30, 1].toSorted((a, b) => b - a),
      );
    }));

  it("reads a lazy iterable as places become free, and returns it when the loop is left", () =>
    runTest(async () => {
      let made = 0;
      let returned = false;
      function* jobs(): Generator<() => Promise<number>> {
        try {
          for (;;) yield after(++made);
        } finally {
          returned = true;
        }
      }
      assert.deepEqual(await take(asCompleted(jobs(), { concurrency: 2 }), 3), [1, 2, 3]);
      assert.equal(made, 5, "two at first, and one for each that was taken");
      assert.equal(returned, true);
    }));

  it("starts functions anew in each loop; a coroutine and a promise give their result again", () =>
    runTest(async () => {
      let calls = 0;
      const lazy = coroutine(async () => `coroutine ${++calls}`);
      const results = asCompleted([() => `function ${++calls}`, lazy(), Promise.resolve("promise")]);
      assert.deepEqual((await take(results)).toSorted(), ["coroutine 2", "function 1", "promise"]);
      assert.deepEqual((await take(results)).toSorted(), ["coroutine 2", "function 3", "promise"]);
    }));

  it("runs the jobs in the caller's context, each in a task of its own", () =>
    runTest(async () => {
      const storage = new AsyncLocalStorage<string>();
      const names = await storage.run("caller", () =>
        take(
          asCompleted([
            async function named() {
              await sleep(1);
              return [storage.getStore(), currentTask().name];
            },
          ]),
        ),
      );
      assert.deepEqual(names, [["caller", "named"]]);
    }));

  it("says in a dump of the tasks what the reader waits for", () =>
    runTest(async () => {
      const dump = async (): Promise<string> => {
        await waitUntilIdle();
        return renderTaskTree(currentScopeNode().runner.root);
      };
      const [tree] = await take(asCompleted([dump]));
      assert.match(tree ?? "", /task \d+ "main" waits for the next result of asCompleted$/m);
    }));

  describe("when a job fails", () => {
    it("throws that error once the others have cleaned up, and is done then", () =>
      runTest(async () => {
        const failure = new Error("first");
        const other = careful(5);
        const iterator = open(asCompleted([other.job, failAfter(10, failure), other.job, after(1)]));
        assert.deepEqual(await iterator.next(), { done: false, value: 1 });
        assert.equal(await errorOf(iterator.next()), failure);
        assert.equal(other.cleaned, 2);
        assert.equal(now(), 15);
        assert.deepEqual(await iterator.next(), DONE);
        assert.equal(allTasks().length, 1);
      }));

    it("throws the error of an iterable that fails, and cancels what runs", () =>
      runTest(async () => {
        const failure = new Error("iterable");
        const running = careful(1);
        function* jobs(): Generator<() => Promise<never>> {
          yield running.job;
          throw failure;
        }
        assert.equal(await errorOf(take(asCompleted(jobs(), { concurrency: 2 }))), failure);
        assert.equal(running.cleaned, 1);
      }));

    it("reports later errors as process warnings", () =>
      runTest(async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const failing = (): Promise<never> =>
          sleepForever().catch(() => {
            throw new Error("cleanup failed");
          });
        const failure = new Error("first");
        assert.equal(await errorOf(take(asCompleted([failing, failAfter(1, failure)]))), failure);
        assert.match((await warnings.first()).message, /^A job of asCompleted failed: .*cleanup failed/);
      }, SUPPRESSED));

    it("throws TaskCancelledError when somebody else cancelled a job", () =>
      runTest(async () => {
        const victim = async (): Promise<void> => {
          currentTask().cancel("just you");
          await checkpoint();
        };
        const error = await errorOf(take(asCompleted([victim])));
        assert.equal(error.code, "MW_ERR_TASK_CANCELLED");
        assert.equal(isCancelled(error), false);
      }));
  });

  describe("when the loop is left", () => {
    it("cancels what runs, waits for its cleanup and starts nothing more", () =>
      runTest(async () => {
        const other = careful(5);
        const jobs = [after(1), other.job, other.job, other.job, () => assert.fail("started")];
        assert.deepEqual(await take(asCompleted(jobs, { concurrency: 3 }), 1), [1]);
        assert.equal(other.cleaned, 3);
        assert.equal(now(), 6);
        assert.equal(allTasks().length, 1);
      }));

    it("reports errors of cleanups, and a failure that nobody was told", () =>
      runTest(async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const iterator = open(asCompleted([after(1), failAfter(2, new Error("untold"))]));
        await iterator.next();
        await sleep(5);
        assert.deepEqual(await iterator.return(), DONE);
        assert.match((await warnings.first()).message, /untold/);
      }, SUPPRESSED));
  });

  describe("when it is cancelled", () => {
    it("throws after all jobs have cleaned up", () =>
      runTest(async () => {
        const jobs = careful(5);
        const error = await errorOf(timeout(10, () => take(asCompleted([jobs.job, jobs.job]))));
        assert.equal(error.code, "MW_ERR_TIMEOUT");
        assert.equal(jobs.cleaned, 2);
        assert.equal(now(), 15);
      }));

    it("leaves out the jobs that had no place yet", () =>
      runTest(async () => {
        const running = careful(1);
        const jobs = [running.job, () => assert.fail("started")];
        assert.equal(await moveOnAfter(10, () => take(asCompleted(jobs, { concurrency: 1 }))), undefined);
        assert.equal(running.cleaned, 1);
      }));

    it("leaves them out although results wait to be taken, and nothing runs", () =>
      runTest(async () => {
        await cancelScope(async (scope) => {
          const iterator = open(asCompleted([() => 1, () => 2, () => assert.fail("started")], { concurrency: 2 }));
          // The first next() is cancelled alone: afterwards both places are taken.
          await cancelScope(async (inner) => {
            inner.cancel();
            await errorOf(iterator.next());
          });
          scope.cancel();
          assert.ok(isCancelled(await errorOf(iterator.next())));
          assert.ok(isCancelled(await errorOf(iterator.next())));
        });
      }));

    it("loses no result when only one call of next() is cancelled", () =>
      runTest(async () => {
        const iterator = open(asCompleted([after(20), after(10)]));
        await iterator.next();
        assert.equal(await moveOnAfter(1, () => iterator.next()), undefined);
        assert.deepEqual(await iterator.next(), { done: false, value: 20 });
        assert.deepEqual(await iterator.next(), DONE);
      }));

    it("ends with the reason of the given signal, and starts nothing if that was aborted before", () =>
      runTest(async () => {
        const controller = new AbortController();
        const abort = (): Promise<void> => sleep(1).then(() => controller.abort("enough"));
        const { signal } = controller;
        const error = (await errorOf(take(asCompleted([abort, sleepForever], { signal })))) as Error & {
          code?: string;
          reason?: unknown;
        };
        assert.equal(error.code, "MW_ERR_CANCELLED");
        assert.equal(error.reason, "enough");
        const before = await errorOf(take(asCompleted([() => assert.fail("started")], { signal })));
        assert.equal(before.code, "MW_ERR_CANCELLED");
      }));
  });

  it("is cancelled when the scope of its first call ends, and says so to a later reader", () =>
    runTest(async () => {
      const running = careful(1);
      const iterator = open(asCompleted([after(1), running.job]));
      assert.deepEqual(await timeout(10, () => iterator.next()), { done: false, value: 1 });
      await sleep(5);
      assert.equal(running.cleaned, 1);
      const error = await errorOf(iterator.next());
      assert.equal(error.name, "TaskCancelledError");
      assert.match(error.message, /^Cannot await asCompleted: .*scope of the loop over the results has ended/);
    }));

  it("gives the event loop its turn when this one has lasted too long", async () => {
    assert.equal(await givesWay(() => open(asCompleted([() => 1])).next()), true);
  });

  it("can be read by several at once: each result goes to one of them", () =>
    runTest(async () => {
      const iterator = open(asCompleted([after(2), after(1), after(3)]));
      const read = (): Promise<number[]> => take({ [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) });
      assert.deepEqual(await gather([read, read]), [[1, 3], [2]]);
    }));

  it("refuses what is no job, and bad options, at once", () => {
    assert.throws(() => asCompleted(5 as never), { code: "MW_ERR_INVALID_ARGUMENT", message: /^Cannot asCompleted 5/ });
    assert.throws(() => asCompleted([5 as never]), { code: "MW_ERR_INVALID_ARGUMENT", message: /with asCompleted/ });
    assert.throws(() => asCompleted([], { concurrency: 0 }), { message: /'concurrency' is 0; pass an integer >= 1/ });
    assert.throws(() => asCompleted([], 5 as never), { message: /^Cannot use 5 as the options of asCompleted/ });
  });
});
