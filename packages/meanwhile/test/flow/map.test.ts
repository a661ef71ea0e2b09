import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";

import {
  allTasks,
  CancelledError,
  cancelScope,
  checkpoint,
  createTask,
  currentTask,
  gather,
  isCancelled,
  map,
  type MapOptions,
  moveOnAfter,
  now,
  shield,
  sleep,
  sleepForever,
  timeout,
} from "meanwhile";
import { currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";
import { exploreSchedules, runTest, waitUntilIdle } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { errorOf, givesWay } from "../util/outcomes.ts";
import { seededIntegers } from "../util/random.ts";
import { numbers, slowNumbers } from "./sources.ts";

const SUPPRESSED = { expectWarnings: ["MW_WARN_SUPPRESSED"] };

const double = async (item: number): Promise<number> => {
  await sleep(item);
  return 2 * item;
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

/** A job that fails while it is cancelled. */
const failingCleanup = (): Promise<never> =>
  sleepForever().catch(() => {
    throw new Error("cleanup failed");
  });

describe("map under any schedule", () => {
  it("has no wait of its own left when it ends", async () => {
    await exploreSchedules(
      async () => {
        for await (const item of map([1], (one) => Promise.resolve(one), { concurrency: 2 })) assert.equal(item, 1);
      },
      { schedules: 200 },
    );
  });
});

describe("map", () => {
  it("gives the results in the order of the items", () =>
    runTest(async () => {
      assert.deepEqual(await take(map([30, 10, 20], double, { concurrency: 3 })), [60, 20, 40]);
      assert.equal(now(), 30);
    }));

  it("gives the results as they are ready with ordered: false", () =>
    runTest(async () => {
      assert.deepEqual(await take(map([30, 10, 20], double, { concurrency: 3, ordered: false })), [20, 40, 60]);
    }));

  it("calls the function with the item and its number", () =>
    runTest(async () => {
      const results = map(new Set(["a", "b"]), (item, index) => `${index}${item}`, { concurrency: 1 });
      assert.deepEqual(await take(results), ["0a", "1b"]);
    }));

  it("takes async iterables, and the results of another map", () =>
    runTest(async () => {
      const inner = map(slowNumbers(4, 10).source, double, { concurrency: 2 });
      assert.deepEqual(await take(map(inner, (item) => item + 1, { concurrency: 2 })), [3, 5, 7, 9]);
      assert.deepEqual(await take(map([], double, { concurrency: 2 })), []);
    }));

  it("reads the source anew in each loop", () =>
    runTest(async () => {
      const results = map([1, 2], double, { concurrency: 2 });
      assert.deepEqual(await take(results), [2, 4]);
      assert.deepEqual(await take(results), [2, 4]);
    }));

  it("starts nothing before the first result is asked for", () =>
    runTest(async () => {
      const observed = numbers(3);
      const iterator = open(map(observed.source, () => assert.fail("called"), { concurrency: 3 }));
      await sleep(10);
      assert.equal(observed.pulled, 0);
      assert.deepEqual(await iterator.return(), { done: true, value: undefined });
      assert.deepEqual(await iterator.next(), { done: true, value: undefined });
      assert.equal(observed.pulled, 0);
    }));

  for (const ordered of [true, false]) {
    it(`pulls no more items than it has places: a slow reader slows it down (ordered: ${ordered})`, () =>
      runTest(async () => {
        const observed = numbers(100);
        let running = 0;
        const job = async (item: number): Promise<number> => {
          assert.ok(++running <= 3);
          await sleep(1);
          running -= 1;
          return item;
        };
        let taken = 0;
        for await (const item of map(observed.source, job, { concurrency: 3, ordered })) {
          taken += 1;
          assert.ok(item > 0);
          await sleep(10);
          assert.equal(observed.pulled, taken + 3 > 100 ? 100 : taken + 3);
          if (taken === 10) break;
        }
        assert.equal(observed.returned, true);
      }));
  }

  it("gives every item once, in order or not, whatever the jobs, the source and the reader do", () =>
    runTest(async () => {
      const pick = seededIntegers(8);
      for (let round = 0; round < 40; round++) {
        const count = pick(30);
        const items = Array.from({ length: count }, (_, i) => i);
        async function* slow(): AsyncGenerator<number> {
          for (const item of items) {
            if (pick(2) === 0) await sleep(pick(3));
            yield item;
          }
        }
        const ordered = pick(2) === 0;
        const results = map(
          pick(2) === 0 ? items : slow(),
          async (item) => {
            for (let i = pick(3); i > 0; i--) await sleep(pick(4));
            return item;
          },
          { concurrency: 1 + pick(5), ordered },
        );
        const got: number[] = [];
        for await (const item of results) {
          got.push(item);
          if (pick(4) === 0) await sleep(pick(5));
        }
        assert.deepEqual(ordered ? got : got.toSorted((a, b) => a - b), items);
      }
    }));

  it("serves calls of next() that wait together in their order, and ends the rest", () =>
    runTest(async () => {
      const iterator = open(map([3, 1], double, { concurrency: 2 }));
      const next = (): Promise<IteratorResult<number, undefined>> => iterator.next();
      assert.deepEqual(await gather([next, next, next, next]), [
        { done: false, value: 6 },
        { done: false, value: 2 },
        { done: true, value: undefined },
        { done: true, value: undefined },
      ]);
    }));

  describe("when a job fails", () => {
    it("throws that error once everything has cleaned up, and is done then", () =>
      runTest(async () => {
        const observed = numbers(100);
        let cleaned = 0;
        const failure = new Error("item 2");
        const iterator = open(
          map(
            observed.source,
            async (item) => {
              if (item === 2) {
                await sleep(10);
                throw failure;
              }
              try {
                await sleepForever();
              } finally {
                await shield(() => sleep(5));
                cleaned += 1;
              }
            },
            { concurrency: 3 },
          ),
        );
        assert.equal(await errorOf(iterator.next()), failure);
        assert.equal(cleaned, 2);
        assert.equal(now(), 15);
        assert.deepEqual([observed.pulled, observed.returned], [3, true]);
        assert.deepEqual(await iterator.next(), { done: true, value: undefined });
        assert.deepEqual(await iterator.return(), { done: true, value: undefined });
        assert.equal(allTasks().length, 1);
      }));

    it("drops results that nobody has taken, and tells the failure to the next who asks", () =>
      runTest(async () => {
        const failure = new Error("item 2");
        const iterator = open(
          map(
            [1, 2, 3],
            async (item) => {
              if (item === 2) {
                await sleep(5);
                throw failure;
              }
              return item;
            },
            { concurrency: 3 },
          ),
        );
        assert.deepEqual(await iterator.next(), { done: false, value: 1 });
        await sleep(10);
        assert.equal(await errorOf(iterator.next()), failure);
        assert.deepEqual(await iterator.next(), { done: true, value: undefined });
      }));

    it("drops a result that comes while the others clean up", () =>
      runTest(async () => {
        const results = map(
          [1, 2],
          async (item) => {
            if (item === 2) throw new Error("item 2");
            return sleepForever().catch(() => item);
          },
          { concurrency: 2 },
        );
        assert.equal((await errorOf(take(results))).message, "item 2");
      }));

    it("drops the result of an item that the source gives only then", () =>
      runTest(async () => {
        for (const ordered of [true, false]) {
          async function* source(): AsyncGenerator<number> {
            yield 1;
            await sleepForever().catch(() => {});
            yield 2;
          }
          const seen: number[] = [];
          const job = async (item: number): Promise<number> => {
            seen.push(item);
            if (item === 1) throw new Error("item 1");
            return item;
          };
          const iterator = open(map(source(), job, { concurrency: 2, ordered }));
          assert.equal((await errorOf(iterator.next())).message, "item 1");
          assert.deepEqual(seen, [1, 2]);
          assert.deepEqual(await iterator.next(), { done: true, value: undefined });
        }
      }));

    it("tells it to one of those who wait; the others are done", () =>
      runTest(async () => {
        const iterator = open(map([1], () => Promise.reject(new Error("item 1")), { concurrency: 1 }));
        const [first, second] = await Promise.allSettled([iterator.next(), iterator.next()]);
        assert.equal(first.status, "rejected");
        assert.deepEqual(second, { status: "fulfilled", value: { done: true, value: undefined } });
      }));

    it("reports later errors as process warnings, the first one not again", () =>
      runTest(async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const failure = new Error("first");
        const job = async (item: number): Promise<never> => {
          if (item === 2) return failingCleanup();
          if (item === 3) {
            await sleepForever().catch(() => {
              throw failure;
            });
          }
          throw failure;
        };
        assert.equal(await errorOf(take(map([2, 3, 1], job, { concurrency: 3 }))), failure);
        assert.match((await warnings.first()).message, /map.*cleanup failed/);
        assert.equal(warnings.seen.length, 1);
      }, SUPPRESSED));
  });

  it("throws the error of a source that throws", () =>
    runTest(async () => {
      const failure = new Error("source");
      for (const { source } of [numbers(2, failure), slowNumbers(2, 1, failure)]) {
        assert.equal(await errorOf(take(map(source, () => sleepForever(), { concurrency: 5 }))), failure);
      }
    }));

  it("throws TaskCancelledError when somebody else cancels a job", () =>
    runTest(async () => {
      const job = async (): Promise<void> => {
        currentTask().cancel();
        await checkpoint();
      };
      const error = await errorOf(take(map([1], job, { concurrency: 1 })));
      assert.equal(error.name, "TaskCancelledError");
      assert.equal(isCancelled(error), false);
    }));

  describe("when the loop is left", () => {
    it("cancels what runs and waits for its cleanup, and for that of the source", () =>
      runTest(async () => {
        const observed = slowNumbers(100, 1);
        let cleaned = 0;
        const job = async (item: number): Promise<number> => {
          if (item === 1) return item;
          try {
            return await sleepForever();
          } finally {
            await shield(() => sleep(5));
            cleaned += 1;
          }
        };
        for await (const item of map(observed.source, job, { concurrency: 3 })) {
          assert.equal(item, 1);
          await sleep(10);
          break;
        }
        assert.equal(cleaned, 3);
        assert.equal(observed.returned, true);
        assert.equal(allTasks().length, 1);
      }));

    it("starts the job of an item that the source still gives, and drops its result", () =>
      runTest(async () => {
        for (const ordered of [true, false]) {
          async function* source(): AsyncGenerator<number> {
            yield 1;
            await sleepForever().catch(() => {});
            yield 2;
          }
          const seen: number[] = [];
          const job = (item: number): number => seen.push(item);
          const iterator = open(map(source(), job, { concurrency: 2, ordered }));
          assert.deepEqual(await iterator.next(), { done: false, value: 1 });
          assert.deepEqual(await iterator.return(), { done: true, value: undefined });
          assert.deepEqual(seen, [1, 2]);
          assert.deepEqual(await iterator.next(), { done: true, value: undefined });
        }
      }));

    it("throws what the body of the loop throws, and reports errors of cleanups", () =>
      runTest(async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const error = await errorOf(
          (async () => {
            for await (const item of map([1, 2], (n) => (n === 1 ? n : failingCleanup()), { concurrency: 2 })) {
              throw new Error(`body ${item}`);
            }
          })(),
        );
        assert.equal(error.message, "body 1");
        assert.match((await warnings.first()).message, /cleanup failed/);
      }, SUPPRESSED));

    it("reports the errors of jobs by one warning, and that of the source by one of its own", () =>
      runTest(async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const next = async () => ({ done: false as const, value: 1 });
        const returns = async (): Promise<never> => {
          throw new Error("not closed");
        };
        const source = { [Symbol.asyncIterator]: () => ({ next, return: returns }) };
        const job = async (_: number, index: number): Promise<number> => (index === 0 ? index : failingCleanup());
        const iterator = open(map(source, job, { concurrency: 3 }));
        await iterator.next();
        await sleep(1);
        await iterator.return();
        await warnings.first();
        assert.deepEqual(
          warnings.seen.map(({ message }) => message.replace(/another error is thrown, beside it there was /, "")),
          [
            "Jobs of map failed: AggregateError: 3 errors (from Error: cleanup failed; Error: cleanup failed; Error: cleanup failed)",
            "The source of map failed: Error: not closed",
          ],
        );
      }, SUPPRESSED));

    it("reports a failure that nobody was told", () =>
      runTest(async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const iterator = open(
          map([1, 2], (n) => (n === 1 ? n : Promise.reject(new Error("untold"))), { concurrency: 2 }),
        );
        await iterator.next();
        await sleep(1);
        await iterator.return();
        assert.match((await warnings.first()).message, /untold/);
        assert.deepEqual(await iterator.next(), { done: true, value: undefined });
      }, SUPPRESSED));

    it("drops what comes in spite of it, and ends a call of next() that waits", () =>
      runTest(async () => {
        const iterator = open(map([1], () => sleepForever().catch(() => "late"), { concurrency: 1 }));
        const [next] = await gather([() => iterator.next(), () => iterator.return(), () => iterator.return()]);
        assert.deepEqual(next, { done: true, value: undefined });
      }));

    it("cleans up also in a cancelled scope", () =>
      runTest(async () => {
        let cleaned = false;
        const job = () =>
          sleepForever().catch(async (error: unknown) => {
            await shield(() => sleep(5));
            cleaned = true;
            throw error;
          });
        const iterator = open(map([1], job, { concurrency: 1 }));
        assert.equal(
          await moveOnAfter(1, () => shield(() => iterator.next(), { timeoutMs: 5 }).catch(() => "late")),
          "late",
        );
        await cancelScope(async (scope) => {
          scope.cancel();
          assert.deepEqual(await iterator.return(), { done: true, value: undefined });
        });
        assert.equal(cleaned, true);
      }));
  });

  describe("when it is cancelled", () => {
    it("throws after everything has cleaned up, from the call that waits", () =>
      runTest(async () => {
        let cleaned = 0;
        const job = async (): Promise<void> => {
          try {
            await sleepForever();
          } finally {
            await shield(() => sleep(5));
            cleaned += 1;
          }
        };
        const error = await errorOf(timeout(10, () => take(map([1, 2, 3], job, { concurrency: 2 }))));
        assert.equal(error.code, "MW_ERR_TIMEOUT");
        assert.equal(cleaned, 2);
        assert.equal(now(), 15);
      }));

    it("throws after everything has cleaned up, from the next call", () =>
      runTest(async () => {
        const entered: number[] = [];
        let cleaned = 0;
        const job = async (item: number): Promise<number> => {
          if (item === 1) return item;
          entered.push(item);
          try {
            return await sleepForever();
          } finally {
            await shield(() => sleep(5));
            cleaned += 1;
          }
        };
        await cancelScope(async (scope) => {
          for await (const item of map([1, 2, 3], job, { concurrency: 3 })) {
            assert.equal(item, 1);
            // By now the others have been started, unless the turn of the event loop was over.
            while (entered.length < 2) await sleep(0);
            scope.cancel();
          }
          assert.fail("not reached");
        });
        assert.equal(cleaned, 2);
      }));

    it("throws the error of a cleanup rather than the cancellation, from either call", () =>
      runTest(async () => {
        const waiting = await errorOf(moveOnAfter(1, () => take(map([1], failingCleanup, { concurrency: 1 }))));
        assert.equal(waiting.message, "cleanup failed");
        const later = await errorOf(
          cancelScope(async (scope) => {
            const job = (n: number) => (n === 1 ? n : failingCleanup());
            for await (const item of map([1, 2], job, { concurrency: 2 })) scope.cancel(item);
          }),
        );
        assert.equal(later.message, "cleanup failed");
      }));

    it("delivers a result that comes in spite of it to the call that waits for it", () =>
      runTest(async () => {
        await moveOnAfter(1, async () => {
          const iterator = open(map([1], () => sleepForever().catch(() => "late"), { concurrency: 1 }));
          assert.deepEqual(await iterator.next(), { done: false, value: "late" });
          assert.ok(isCancelled(await errorOf(iterator.next())));
        });
      }));

    it("asks a source for no more, also when results wait to be taken and nothing runs", () =>
      runTest(async () => {
        for (const ordered of [true, false]) {
          const observed = numbers(100);
          await cancelScope(async (scope) => {
            const iterator = open(map(observed.source, (item) => item, { concurrency: 2, ordered }));
            assert.deepEqual(await iterator.next(), { done: false, value: 1 });
            await sleep(1);
            scope.cancel();
            assert.ok(isCancelled(await errorOf(iterator.next())));
            assert.ok(isCancelled(await errorOf(iterator.next())));
          });
          assert.deepEqual([observed.pulled, observed.returned], [3, true]);
        }
      }));

    it("waits for the jobs if one of them cancels the loop while it is being started", () =>
      runTest(async () => {
        let cleaned = 0;
        await cancelScope(async (scope) => {
          const job = async (item: number): Promise<void> => {
            if (item === 2) scope.cancel();
            try {
              await sleepForever();
            } finally {
              await shield(() => sleep(5));
              cleaned += 1;
            }
          };
          await take(map([1, 2, 3], job, { concurrency: 3 }));
        });
        assert.equal(cleaned, 2);
      }));

    it("loses no result when only one call of next() is cancelled", () =>
      runTest(async () => {
        const iterator = open(map([10, 20], double, { concurrency: 2 }));
        await iterator.next();
        assert.equal(await moveOnAfter(1, () => iterator.next()), undefined);
        await cancelScope(async (scope) => {
          scope.cancel();
          assert.ok(isCancelled(await errorOf(iterator.next())));
        });
        assert.deepEqual(await iterator.next(), { done: false, value: 40 });
        assert.deepEqual(await iterator.next(), { done: true, value: undefined });
      }));

    it("ends with the reason of the given signal", () =>
      runTest(async () => {
        const controller = new AbortController();
        const abort = () => sleep(1).finally(() => controller.abort("enough"));
        const results = map([1], () => abort().then(sleepForever), { concurrency: 1, signal: controller.signal });
        const error = await errorOf(take(results));
        assert.ok(error instanceof CancelledError);
        assert.equal(error.reason, "enough");
        assert.equal(isCancelled(error), false);
      }));

    it("tells somebody who is not cancelled that the loop was, with TaskCancelledError", () =>
      runTest(async () => {
        const iterators: AsyncIterator<void>[] = [];
        const starter = createTask(async () => {
          const iterator = open(map([1], () => sleepForever(), { concurrency: 1 }));
          iterators.push(iterator);
          await iterator.next();
        });
        await waitUntilIdle();
        const reader = createTask(() => errorOf(iterators[0]?.next() ?? Promise.resolve()));
        await waitUntilIdle();
        starter.cancel();
        const error = await reader;
        assert.equal(error.name, "TaskCancelledError");
        assert.match(error.message, /^Cannot await map: it was cancelled/);
        await errorOf(starter);
      }));
  });

  describe("when the scope of its first call ends", () => {
    it("is cancelled, and says so to a later reader: no result is dropped silently", () =>
      runTest(async () => {
        let cancelled = 0;
        const job = (item: number): Promise<number> | number =>
          item === 1 ? item : sleepForever().finally(() => (cancelled += 1));
        const iterator = open(map([1, 2, 3], job, { concurrency: 3 }));
        await timeout(10, async () => {
          assert.deepEqual(await iterator.next(), { done: false, value: 1 });
          await sleep(1); // on a busy computer the others start a turn later
        });
        await sleep(1);
        assert.equal(cancelled, 2);
        const error = await errorOf(iterator.next());
        assert.equal(error.name, "TaskCancelledError");
        assert.match(error.message, /the scope of the loop over the results has ended/);
        assert.equal(allTasks().length, 1);
      }));

    it("keeps what is ready already", () =>
      runTest(async () => {
        const iterator = open(map([1, 2], (item) => item, { concurrency: 3 }));
        await timeout(10, async () => {
          await iterator.next();
          await sleep(1);
        });
        assert.deepEqual(await iterator.next(), { done: false, value: 2 });
        assert.deepEqual(await iterator.next(), { done: true, value: undefined });
      }));

    it("reports a failure that nobody was told, and errors of cleanups", () =>
      runTest(async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const untold = open(
          map([1, 2], (n) => (n === 1 ? n : Promise.reject(new Error("untold"))), { concurrency: 2 }),
        );
        await cancelScope(async () => {
          await untold.next();
          await sleep(1);
        });
        const cleanup = open(map([1, 2], (n) => (n === 1 ? n : failingCleanup()), { concurrency: 2 }));
        await cancelScope(() => cleanup.next());
        await sleep(1);
        assert.deepEqual(
          warnings.seen.map(({ message }) => /untold|cleanup failed/.exec(message)?.[0]),
          ["untold", "cleanup failed"],
        );
      }, SUPPRESSED));
  });

  it("runs the calls in the context of the first call of next()", () =>
    runTest(async () => {
      const user = new AsyncLocalStorage<string>();
      const seen = new Set<unknown>();
      const results = map(
        [1, 2, 3, 4],
        async () => {
          seen.add(user.getStore());
          await user.run("inner", () => sleep(1));
        },
        { concurrency: 2 },
      );
      await user.run("caller", () => take(results));
      assert.deepEqual([...seen], ["caller"]);
    }));

  it("works without a run", async () => {
    assert.deepEqual(await take(map([1, 2, 3], double, { concurrency: 2 }), 2), [2, 4]);
  });

  it("gives the event loop its turn when this one has lasted too long", async () => {
    assert.equal(await givesWay(() => take(map([], double, { concurrency: 1 }))), true);
  });

  it("shows in a dump of the tasks what it waits for", () =>
    runTest(async () => {
      const reader = createTask(() => take(map([50], double, { concurrency: 1 })), { name: "reader" });
      await waitUntilIdle();
      const dump = renderTaskTree(currentScopeNode().runner.root);
      assert.match(dump, /"reader" waits for the next result of map$/m);
      assert.match(dump, /"double" waits for sleep \(50 ms left\)$/m);
      assert.deepEqual(await reader, [100]);
    }));

  it("cannot starve timers with a long list, however many it may start at once", async () => {
    let pulled = 0;
    function* endless(): Generator<number> {
      for (;;) yield ++pulled;
    }
    const results = map(endless(), (item) => item, { concurrency: Infinity });
    assert.equal(await moveOnAfter(8, () => take(results)), undefined);
    const before = pulled;
    await sleep(2);
    assert.equal(pulled, before);
  });

  it("runs every call, and a source that is no list, in the context of the first call of next()", () =>
    runTest(async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen = new Set<unknown>();
      function* source(): Generator<number> {
        try {
          for (let item = 0; ; item++) {
            seen.add(storage.getStore());
            yield item;
          }
        } finally {
          seen.add(storage.getStore());
        }
      }
      const iterator = open(map(source(), () => seen.add(storage.getStore()), { concurrency: 1 }));
      await storage.run("first", () => iterator.next());
      await storage.run("second", () => iterator.next());
      await storage.run("third", () => iterator.return());
      assert.deepEqual([...seen], ["first"]);
    }));

  it("refuses bad arguments at once, a bad signal at the first call of next()", async () => {
    const fn = (): never => assert.fail("called");
    for (const options of [{}, undefined, { concurrency: 0 }] as MapOptions[]) {
      assert.throws(() => map([1], fn, options), {
        code: "MW_ERR_INVALID_ARGUMENT",
        message: /^Cannot map: 'concurrency'/,
      });
    }
    assert.throws(() => map(5 as never, fn, { concurrency: 1 }), {
      message: /^Cannot map 5; pass an iterable of items$/,
    });
    assert.throws(() => map([1], 5 as never, { concurrency: 1 }), { message: /^Cannot map with 5; pass a function/ });
    const error = await errorOf(take(map([1], fn, { concurrency: 1, signal: {} as AbortSignal })));
    assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
  });
});
