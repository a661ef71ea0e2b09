import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";

import {
  allTasks,
  CancelledError,
  cancelScope,
  type ConcurrencyOptions,
  checkpoint,
  coroutine,
  createTask,
  currentTask,
  gather,
  gatherSettled,
  type Input,
  isCancelled,
  moveOnAfter,
  now,
  run,
  shield,
  sleep,
  sleepForever,
  timeout,
} from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { errorOf, givesWay } from "../util/outcomes.ts";
import { unhurried } from "../util/unhurried.ts";

const after =
  (ms: number, value: string): (() => Promise<string>) =>
  () =>
    sleep(ms).then(() => value);

const failAfter =
  (ms: number, error: Error): (() => Promise<never>) =>
  async () => {
    await sleep(ms);
    throw error;
  };

type Combine = (jobs: Iterable<Input<unknown>>, options?: ConcurrencyOptions) => Promise<readonly unknown[]>;

// What both have in common.
const BOTH: Readonly<Record<string, Combine>> = { gather, gatherSettled };

for (const [call, combine] of Object.entries(BOTH)) {
  describe(call, () => {
    it("checks for cancellation before it starts a job, and counts what it was given as handed over", () =>
      runTest(async () => {
        const lazy = coroutine(async () => assert.fail("started"));
        const rejected = Promise.reject(new Error("handled by the combinator"));
        await cancelScope(async (scope) => {
          scope.cancel();
          const error = await errorOf(combine([() => assert.fail("started"), lazy(), rejected]));
          assert.ok(isCancelled(error));
        });
      }));

    it("gives the event loop its turn when this one has lasted too long", async () => {
      assert.equal(await givesWay(() => combine([])), true);
    });

    it("gives an empty list for an empty list", async () => {
      assert.deepEqual(await combine([]), []);
      assert.deepEqual(await combine(new Set<() => void>(), { concurrency: 2 }), []);
    });

    it("refuses what is not a list of jobs, before it starts one", async () => {
      for (const bad of [undefined, 5, {}, () => {}]) {
        const error = await errorOf(combine(bad as never));
        assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
        assert.match(error.message, new RegExp(`^Cannot ${call} .+; pass an array or another iterable of jobs$`));
      }
      const job = (): never => assert.fail("started");
      for (const bad of [undefined, null, 5, "text", {}, []]) {
        const error = await errorOf(combine([job, bad as never, "second" as never]));
        assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
        assert.match(error.message, /^Cannot start .+ with gather/);
        assert.doesNotMatch(error.message, /second/);
      }
    });

    it("takes over everything in the list although one entry is bad", () =>
      runTest(async () => {
        const lazy = coroutine(async () => assert.fail("started"));
        const rejected = Promise.reject(new Error("handled"));
        assert.equal((await errorOf(combine([lazy(), 5 as never, lazy(), rejected]))).code, "MW_ERR_INVALID_ARGUMENT");
      }));

    it("refuses a concurrency that is no positive integer", async () => {
      for (const concurrency of [0, -1, 1.5, NaN, "2" as never]) {
        const error = await errorOf(combine([], { concurrency }));
        assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
        assert.match(error.message, /'concurrency' is .+; pass an integer >= 1, or Infinity$/);
      }
    });

    it("never runs more jobs at once than it may, and starts the next as one ends", () =>
      runTest(async () => {
        let running = 0;
        let most = 0;
        const starts: number[] = [];
        const jobs = [30, 10, 10, 10, 10].map((ms) => async () => {
          starts.push(now());
          most = Math.max(most, ++running);
          await sleep(ms);
          running -= 1;
        });
        await combine(jobs, { concurrency: 2 });
        assert.equal(most, 2);
        assert.deepEqual(starts, [0, 0, 10, 20, 30]);
      }));

    it("never runs more jobs at once than it may, also when they end at once", async () => {
      let running = 0;
      const jobs = Array.from({ length: 50 }, () => async () => {
        assert.ok(++running <= 3);
        await checkpoint();
        running -= 1;
      });
      await combine(jobs, { concurrency: 3 });
      assert.equal(running, 0);
    });

    it("reads an iterable only as jobs end if their number is limited", () =>
      runTest(async () => {
        let pulled = 0;
        function* jobs(): Generator<() => Promise<void>> {
          for (; pulled < 6; pulled++) yield () => sleep(10);
        }
        const all = createTask(() => combine(jobs(), { concurrency: 2 }));
        await waitUntilIdle();
        assert.equal(pulled, 1); // the second is out, the generator has not gone on
        await sleep(15);
        assert.equal(pulled, 3);
        await all;
        assert.equal(pulled, 6);
      }));

    it("runs jobs that it starts later in the caller's context, whatever the jobs before have entered", () =>
      runTest(async () => {
        const user = new AsyncLocalStorage<string>();
        const seen: unknown[] = [];
        const jobs = Array.from({ length: 4 }, (_, i) => async () => {
          seen.push(user.getStore());
          user.enterWith(`job ${i}`);
          await sleep(1);
        });
        await user.run("caller", () => combine(jobs, { concurrency: 1 }));
        assert.deepEqual(seen, ["caller", "caller", "caller", "caller"]);
      }));

    it("is cancelled by the given signal, and ends when the jobs have cleaned up", () =>
      runTest(async () => {
        const controller = new AbortController();
        let cleaned = false;
        const all = combine(
          [
            async () => {
              try {
                await sleepForever();
              } finally {
                await shield(() => sleep(5));
                cleaned = true;
              }
            },
            () => sleep(1).finally(() => controller.abort("enough")),
          ],
          { signal: controller.signal },
        );
        const error = await errorOf(all);
        assert.ok(error instanceof CancelledError);
        assert.equal(error.reason, "enough");
        assert.equal(isCancelled(error), false, "the caller is not cancelled");
        assert.equal(cleaned, true);
      }));

    it("starts nothing if the signal was aborted before", async () => {
      const error = await errorOf(combine([() => assert.fail("started")], { signal: AbortSignal.abort("before") }));
      assert.ok(error instanceof CancelledError);
      assert.equal((await errorOf(combine([], { signal: AbortSignal.abort() }))).code, "MW_ERR_CANCELLED");
    });

    it("refuses a signal that is none", async () => {
      assert.equal((await errorOf(combine([], { signal: {} as AbortSignal }))).code, "MW_ERR_INVALID_ARGUMENT");
    });

    it("is cancelled from outside only after every job has cleaned up", () =>
      runTest(async () => {
        const log: string[] = [];
        const job = (name: string, ms: number) => async () => {
          try {
            await sleepForever();
          } finally {
            await shield(() => sleep(ms));
            log.push(name);
          }
        };
        await moveOnAfter(10, async () => {
          const error = await errorOf(combine([job("fast", 1), job("slow", 20)]));
          assert.ok(isCancelled(error));
          assert.deepEqual(log, ["fast", "slow"]);
          throw error;
        });
        assert.equal(now(), 30);
      }));

    it("starts no further job once it is cancelled, and lets the generator of jobs clean up", () =>
      runTest(async () => {
        let started = 0;
        let returned = false;
        const job = async (): Promise<void> => {
          started += 1;
          await sleep(10).catch(() => {}); // swallows the cancellation
        };
        function* jobs(): Generator<typeof job> {
          try {
            for (;;) yield job;
          } finally {
            returned = true;
          }
        }
        assert.equal(await moveOnAfter(25, () => combine(jobs(), { concurrency: 1 }).then(() => "done")), undefined);
        assert.equal(started, 3);
        assert.equal(returned, true);
      }));

    it("waits for running promises without owning them: cancelled, it leaves at once and drops what comes", async () => {
      const late = Promise.withResolvers<string>();
      assert.equal(await moveOnAfter(1, () => combine([late.promise]).then(() => "done")), undefined);
      late.reject(new Error("nobody waits"));
    });

    it("leaves a task that it was given alone when it is cancelled", () =>
      runTest(async () => {
        const task = createTask(after(10, "done"));
        assert.equal(await moveOnAfter(1, () => combine([task]).then(() => "gathered")), undefined);
        assert.equal(await task, "done");
      }));

    it("leaves a foreign thenable at once when it is cancelled", async () => {
      // oxlint-disable-next-line unicorn/no-thenable
      const never = { then: () => {} } as unknown as PromiseLike<never>;
      assert.equal(await moveOnAfter(1, () => combine([never]).then(() => "done")), undefined);
    });

    it("works without a run", async () => {
      assert.equal((await combine([after(1, "a"), after(1, "b")], { concurrency: 1 })).length, 2);
    });

    it("names its tasks after the functions", () =>
      runTest(async () => {
        await combine([
          async function download() {
            assert.equal(currentTask().name, "download");
          },
        ]);
      }));
  });
}

describe("gather", () => {
  it("returns the results in the order of the jobs", () =>
    runTest(async () => {
      assert.deepEqual(await gather([after(30, "a"), after(10, "b"), after(20, "c")]), ["a", "b", "c"]);
      assert.equal(now(), 30);
    }));

  it("takes functions, sync and async, coroutines, promises, tasks and other thenables", () =>
    runTest(async () => {
      const twice = coroutine(async (n: number) => 2 * n);
      // oxlint-disable-next-line unicorn/no-thenable
      const thenable = { then: (take: (value: string) => void) => take("thenable") } as PromiseLike<string>;
      const results = await gather([
        () => "sync",
        async () => "async",
        twice(2),
        Promise.resolve("promise"),
        createTask(() => "task"),
        thenable,
        () => twice(3),
      ]);
      assert.deepEqual(results, ["sync", "async", 4, "promise", "task", "thenable", 6]);
    }));

  it("runs a coroutine that it is given twice once, and gives both its result", () =>
    runTest(async () => {
      let calls = 0;
      const job = coroutine(async () => {
        await sleep(1);
        return ++calls;
      })();
      assert.deepEqual(await gather([job, job]), [1, 1]);
    }));

  it("gives a task that it is given twice both times", () =>
    runTest(async () => {
      const task = createTask(after(1, "once"));
      assert.deepEqual(await gather([task, task]), ["once", "once"]);
    }));

  it("takes any iterable", async () => {
    assert.deepEqual(await gather(new Set([async () => 1, async () => 2])), [1, 2]);
    const jobs = new Map([["a", async () => 1]]);
    assert.deepEqual(await gather(jobs.values(), { concurrency: 1 }), [1]);
  });

  it("throws the first error itself, after the other jobs were cancelled and have cleaned up", () =>
    runTest(async () => {
      const failure = new Error("first");
      const log: string[] = [];
      const sibling = async (): Promise<void> => {
        try {
          await sleepForever();
        } catch (error) {
          log.push(isCancelled(error) ? "cancelled" : "?");
          throw error;
        } finally {
          await shield(() => sleep(20));
          log.push("cleaned up");
        }
      };
      const error = await errorOf(gather([sibling, failAfter(10, failure), sibling]));
      assert.equal(error, failure);
      assert.deepEqual(log, ["cancelled", "cancelled", "cleaned up", "cleaned up"]);
      assert.equal(now(), 30);
      assert.equal(allTasks().length, 1);
    }));

  it("cancels the rest when a job throws synchronously", () =>
    runTest(async () => {
      const failure = new Error("sync");
      let cancelled = false;
      const error = await errorOf(
        gather([
          () => sleepForever().finally(() => (cancelled = true)),
          () => {
            throw failure;
          },
        ]),
      );
      assert.equal(error, failure);
      assert.equal(cancelled, true);
    }));

  it("throws whatever is thrown, also undefined", () =>
    runTest(async () => {
      let thrown: unknown = "nothing";
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      await gather([() => Promise.reject(undefined)]).catch((error: unknown) => (thrown = error));
      assert.equal(thrown, undefined);
    }));

  it("reports later errors as a process warning, and the first one not", () =>
    runTest(
      async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const first = new Error("first");
        const error = await errorOf(
          gather([
            failAfter(1, first),
            () =>
              sleepForever().catch(() => {
                throw new Error("cleanup failed");
              }),
            () =>
              sleepForever().catch(() => {
                throw first; // the same once more is no news
              }),
          ]),
        );
        assert.equal(error, first);
        assert.match((await warnings.first()).message, /gather.*cleanup failed/);
        assert.equal(warnings.seen.length, 1);
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  it("reports very many later errors by one warning, which counts them and names the first", () =>
    runTest(
      async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const jobs = Array.from({ length: 1_000 }, (_, i) => async () => {
          await sleep(1);
          throw new Error(`job ${i}`);
        });
        assert.equal((await errorOf(gather(jobs))).message, "job 0");
        const { message } = await warnings.first();
        assert.match(
          message,
          /^Jobs of gather failed: .*: 999 errors \(from Error: job 1; Error: job 2; .*and 989 more\)$/,
        );
        assert.equal(warnings.seen.length, 1);
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  it("fails with TaskCancelledError when somebody else cancels a job: that is not the caller's cancellation", () =>
    runTest(async () => {
      let siblingCancelled = false;
      const error = await errorOf(
        gather([
          async function victim() {
            currentTask().cancel("just you");
            await checkpoint();
          },
          () => sleepForever().finally(() => (siblingCancelled = true)),
        ]),
      );
      assert.equal(error.name, "TaskCancelledError");
      assert.equal(error.code, "MW_ERR_TASK_CANCELLED");
      assert.match(error.message, /"victim".*just you/);
      assert.equal(isCancelled(error), false);
      assert.equal(siblingCancelled, true);
    }));

  it("goes on when a job cancels a scope of its own", () =>
    runTest(async () => {
      const results = await gather([
        () =>
          cancelScope(async (scope) => {
            scope.cancel();
            await sleep(10);
          }),
        after(5, "other"),
      ]);
      assert.deepEqual(results, [undefined, "other"]);
    }));

  it("ends with the outer cancellation when a job cancels the scope around", () =>
    runTest(async () => {
      const result = await cancelScope(async (scope) => {
        await gather([async () => scope.cancel(), () => sleepForever()]);
        return "not reached";
      });
      assert.equal(result, undefined);
    }));

  it("returns the results if every job gives one in spite of the cancellation", () =>
    runTest(async () => {
      const stubborn = (value: string) => () => sleepForever().catch(() => shield(() => sleep(1)).then(() => value));
      await moveOnAfter(1, async () => {
        assert.deepEqual(await gather([stubborn("a"), stubborn("b")]), ["a", "b"]);
        assert.deepEqual(now(), 2);
      });
      await moveOnAfter(1, async () => {
        const results = await gather([stubborn("a"), stubborn("b")], { concurrency: 2 });
        assert.deepEqual(results, ["a", "b"], "nothing was left out, also if the number is limited");
      });
    }));

  it("throws the error of a cleanup rather than the cancellation that led to it", () =>
    runTest(async () => {
      const failure = new Error("cleanup failed");
      const error = await errorOf(
        moveOnAfter(1, () =>
          gather([
            () =>
              sleepForever().catch(() => {
                throw failure;
              }),
          ]),
        ),
      );
      assert.equal(error, failure);
    }));

  it("turns a timeout around it into one TimeoutError, after the jobs have ended", () =>
    runTest(async () => {
      let ended = 0;
      const job = () => sleep(1_000).finally(() => (ended += 1));
      assert.equal((await errorOf(timeout(10, () => gather([job, job])))).code, "MW_ERR_TIMEOUT");
      assert.equal(ended, 2);
    }));

  it("attaches to a promise before its first checkpoint: a rejection that comes earlier is not unhandled", () =>
    runTest(
      async () => {
        using _ = unhurried();
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const failure = new Error("early");
        assert.equal(await errorOf(gather([Promise.reject(failure), Promise.reject(new Error("too"))])), failure);
        assert.match((await warnings.first()).message, /too/);
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  describe("with a lazy iterable", () => {
    it("returns the generator when a job fails", () =>
      runTest(async () => {
        const failure = new Error("job");
        let returned = false;
        function* jobs(): Generator<() => Promise<unknown>> {
          try {
            yield failAfter(1, failure);
            yield after(60_000, "never");
            assert.fail("pulled");
          } finally {
            returned = true;
          }
        }
        assert.equal(await errorOf(gather(jobs(), { concurrency: 2 })), failure);
        assert.equal(returned, true);
        assert.equal(now(), 1);
      }));

    it("fails with the error of the iterator, and cancels what runs", () =>
      runTest(async () => {
        const failure = new Error("iterator");
        let cancelled = false;
        function* jobs(): Generator<() => Promise<unknown>> {
          yield () => sleepForever().finally(() => (cancelled = true));
          throw failure;
        }
        assert.equal(await errorOf(gather(jobs(), { concurrency: 2 })), failure);
        assert.equal(cancelled, true);
      }));

    it("reports what the generator throws while it cleans up", () =>
      runTest(
        async () => {
          await using warnings = expectWarning("MW_WARN_SUPPRESSED");
          const failure = new Error("job");
          function* jobs(): Generator<() => Promise<unknown>> {
            try {
              for (;;) yield failAfter(1, failure);
            } finally {
              // oxlint-disable-next-line no-unsafe-finally
              throw new Error("generator cleanup");
            }
          }
          assert.equal(await errorOf(gather(jobs(), { concurrency: 1 })), failure);
          assert.match((await warnings.first()).message, /^The source of gather failed: .*generator cleanup$/);
        },
        { expectWarnings: ["MW_WARN_SUPPRESSED"] },
      ));

    it("fails at the entry that is not a job", async () => {
      const error = await errorOf(gather(new Set([() => 1, 5 as never]), { concurrency: 1 }));
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
    });

    it("accepts an iterator without return()", async () => {
      const endless = {
        [Symbol.iterator]: () => ({ next: () => ({ done: false as const, value: () => sleepForever() }) }),
      };
      assert.equal(await moveOnAfter(1, () => gather(endless, { concurrency: 2 })), undefined);
    });
  });

  it("leaves no coroutine reported that it was given and did not start", async () => {
    const job = coroutine(async (fails: boolean) => {
      await sleep(1);
      if (fails) throw new Error("first");
    });
    const error = await errorOf(run(() => gather([job(true), job(false), job(false)], { concurrency: 1 })));
    assert.equal(error.message, "first");
  });
});

describe("gather of coroutines that it never starts", () => {
  it("counts them as handed over: refused for its options, or left out after a failure", async () => {
    const lazy = coroutine(async () => 1);
    const failing = async (): Promise<never> => {
      throw new Error("on purpose");
    };
    await runTest(async () => {
      await assert.rejects(gather([lazy(), lazy()], { concurrency: 0 }), { code: "MW_ERR_INVALID_ARGUMENT" });
      await assert.rejects(gather(new Set([failing, lazy(), lazy()]), { concurrency: 1 }), { message: "on purpose" });
    });
  });
});

describe("gather of a long list of jobs that never wait", () => {
  it("lets timers run between the jobs", async () => {
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const ends = performance.now() + 10_000;
    const isEnough = (): boolean => ticks >= 2 || performance.now() > ends;
    function* jobs(): Iterable<() => Promise<number>> {
      while (!isEnough()) yield async () => 1;
    }
    await gather(jobs(), { concurrency: 10 });
    clearInterval(timer);
    assert.ok(ticks >= 2, `${ticks} ticks`);
  });

  it("starts no more jobs when it is cancelled while it gives way", async () => {
    let started = 0;
    function* jobs(): Iterable<() => Promise<void>> {
      for (;;) {
        started += 1;
        yield async () => {};
      }
    }
    const value = await moveOnAfter(8, () => gather(jobs(), { concurrency: 10 }));
    assert.equal(value, undefined);
    const before = started;
    await sleep(2);
    assert.equal(started, before);
  });
});

describe("gatherSettled", () => {
  it("tells how each job ended, in their order; a failure cancels nothing", () =>
    runTest(async () => {
      const failure = new Error("failed");
      assert.deepEqual(await gatherSettled([after(20, "a"), failAfter(10, failure), Promise.resolve("c")]), [
        { status: "fulfilled", value: "a" },
        { status: "rejected", reason: failure },
        { status: "fulfilled", value: "c" },
      ]);
    }));

  it("tells of a job that somebody else cancelled as TaskCancelledError", () =>
    runTest(async () => {
      const [first, second] = await gatherSettled([
        async () => {
          currentTask().cancel();
          await checkpoint();
        },
        after(1, "second"),
      ]);
      assert.equal(first.status === "rejected" && (first.reason as Error).name, "TaskCancelledError");
      assert.deepEqual(second, { status: "fulfilled", value: "second" });
    }));

  it("adds the error of an iterator that throws as one more failure", async () => {
    function* jobs(): Generator<() => number> {
      yield () => 1;
      throw new Error("iterator");
    }
    const results = await gatherSettled(jobs(), { concurrency: 1 });
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  });

  it("reports the errors of cleanups when it throws the cancellation", () =>
    runTest(
      async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const result = await moveOnAfter(1, () =>
          gatherSettled([
            failAfter(0, new Error("before")),
            () =>
              sleepForever().catch(() => {
                throw new Error("cleanup failed");
              }),
            () => sleepForever(),
          ]),
        );
        assert.equal(result, undefined);
        assert.match((await warnings.first()).message, /cleanup failed/);
        assert.equal(warnings.seen.length, 1);
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  it("returns how all ended if each did in spite of the cancellation", () =>
    runTest(async () => {
      await moveOnAfter(1, async () => {
        const results = await gatherSettled([() => sleepForever().catch(() => "in spite")]);
        assert.deepEqual(results, [{ status: "fulfilled", value: "in spite" }]);
      });
    }));
});
