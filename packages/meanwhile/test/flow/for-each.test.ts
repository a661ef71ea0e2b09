import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter, on } from "node:events";
import { Readable } from "node:stream";
import { describe, it } from "node:test";

import {
  allTasks,
  CancelledError,
  cancelScope,
  checkpoint,
  coroutine,
  currentTask,
  forEach,
  type ForEachOptions,
  isCancelled,
  moveOnAfter,
  now,
  Queue,
  shield,
  sleep,
  sleepForever,
  timeout,
} from "meanwhile";
import { currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { errorOf, givesWay } from "../util/outcomes.ts";
import { unhurried } from "../util/unhurried.ts";
import { numbers, slowNumbers } from "./sources.ts";

describe("forEach", () => {
  it("calls the function for every item, with its number", () =>
    runTest(async () => {
      const calls: unknown[] = [];
      await forEach(["a", "b", "c"], async (...args) => void calls.push(args), { concurrency: 2 });
      assert.deepEqual(calls, [
        ["a", 0],
        ["b", 1],
        ["c", 2],
      ]);
    }));

  it("takes any iterable and async iterable, and text", () =>
    runTest(async () => {
      const seen: unknown[] = [];
      const see = (item: unknown): void => void seen.push(item);
      await forEach(new Set([1, 2]), see, { concurrency: 1 });
      await forEach(new Map([["k", "v"]]), see, { concurrency: 1 });
      await forEach(slowNumbers(2, 10).source, see, { concurrency: 1 });
      await forEach("ab", see, { concurrency: 1 });
      await forEach([], see, { concurrency: 1 });
      assert.deepEqual(seen, [1, 2, ["k", "v"], 1, 2, "a", "b"]);
    }));

  it("starts a coroutine that the function returns inside its task", () =>
    runTest(async () => {
      const names: string[] = [];
      const note = async (item: number): Promise<void> => {
        await sleep(item);
        names.push(currentTask().name.replace(/\d+/, "N"));
      };
      await forEach([1, 2], coroutine(note), { concurrency: 2 });
      await forEach([1], (item) => coroutine(note)(item), { concurrency: 1 });
      assert.deepEqual(names, ["note", "note", "task N"]);
    }));

  it("never has more items in work than it may, and pulls only as places become free", () =>
    runTest(async () => {
      const { source } = numbers(7);
      let running = 0;
      let most = 0;
      const starts: number[] = [];
      await forEach(
        source,
        async (item) => {
          starts.push(now());
          most = Math.max(most, ++running);
          await sleep(item === 1 ? 30 : 10);
          running -= 1;
        },
        { concurrency: 2 },
      );
      assert.equal(most, 2);
      assert.deepEqual(starts, [0, 0, 10, 20, 30, 30, 40]);
    }));

  it("pulls no item before there is a place for it", () =>
    runTest(async () => {
      const observed = numbers(100);
      await moveOnAfter(15, () => forEach(observed.source, () => sleep(10), { concurrency: 3 }));
      assert.equal(observed.pulled, 6);
      assert.equal(observed.returned, true);
    }));

  it("asks an async source for one item at a time", () =>
    runTest(async () => {
      let asking = 0;
      let count = 0;
      const source: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: async () => {
            assert.equal(++asking, 1);
            await sleep(1);
            asking -= 1;
            return count === 5 ? { done: true, value: undefined } : { done: false, value: ++count };
          },
        }),
      };
      await forEach(source, () => sleep(20), { concurrency: 3 });
      assert.equal(count, 5);
    }));

  it("takes everything at once with concurrency: Infinity", () =>
    runTest(async () => {
      await forEach(numbers(100).source, () => sleep(10), { concurrency: Infinity });
      assert.equal(now(), 10);
    }));

  it("throws the first error itself, after everything has cleaned up and the source was returned", () =>
    runTest(async () => {
      const failure = new Error("item 2");
      const observed = numbers(100);
      const log: string[] = [];
      const error = await errorOf(
        forEach(
          observed.source,
          async (item) => {
            if (item === 2) {
              await sleep(1);
              throw failure;
            }
            try {
              await sleepForever();
            } finally {
              await shield(() => sleep(5));
              log.push(`cleaned up ${item}`);
            }
          },
          { concurrency: 3 },
        ),
      );
      assert.equal(error, failure);
      assert.deepEqual(log, ["cleaned up 1", "cleaned up 3"]);
      assert.equal(observed.pulled, 3);
      assert.equal(observed.returned, true);
      assert.equal(allTasks().length, 1);
    }));

  it("ends with the error of a function that throws synchronously", () =>
    runTest(async () => {
      const observed = numbers(1_000);
      const failure = new Error("sync");
      const throws = (): never => {
        throw failure;
      };
      assert.equal(await errorOf(forEach(observed.source, throws, { concurrency: 1 })), failure);
      assert.equal(observed.pulled, 1);
      assert.equal(observed.returned, true);
    }));

  it("reports later errors as process warnings, the first one not again", () =>
    runTest(
      async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const failure = new Error("first");
        const error = await errorOf(
          forEach(
            [1, 2, 3],
            async (item) => {
              await sleep(item).catch(() => {
                throw item === 2 ? failure : new Error("cleanup failed");
              });
              throw failure;
            },
            { concurrency: 3 },
          ),
        );
        assert.equal(error, failure);
        assert.match((await warnings.first()).message, /forEach.*cleanup failed/);
        assert.equal(warnings.seen.length, 1);
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  it("reports later errors by one warning for the jobs, and one for the source", () =>
    runTest(
      async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const next = async () => ({ done: false as const, value: 1 });
        const returns = async (): Promise<never> => {
          throw new Error("not closed");
        };
        const source = { [Symbol.asyncIterator]: () => ({ next, return: returns }) };
        const visit = async (_: number, index: number): Promise<void> => {
          await sleep(1);
          throw new Error(`item ${index}`);
        };
        assert.equal((await errorOf(forEach(source, visit, { concurrency: 3 }))).message, "item 0");
        await warnings.first();
        assert.deepEqual(
          warnings.seen.map(({ message }) => message.replace(/another error is thrown, beside it there was /, "")),
          [
            "Jobs of forEach failed: AggregateError: 2 errors (from Error: item 1; Error: item 2)",
            "The source of forEach failed: Error: not closed",
          ],
        );
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  for (const [kind, make] of Object.entries({
    iterable: (failure: Error) => numbers(2, failure),
    "async iterable": (failure: Error) => slowNumbers(2, 1, failure),
  })) {
    it(`ends with the error of an ${kind} that throws, and cancels what is in work`, () =>
      runTest(async () => {
        const failure = new Error("source");
        let cancelled = 0;
        const error = await errorOf(
          forEach<number>(make(failure).source, () => sleepForever().finally(() => (cancelled += 1)), {
            concurrency: 5,
          }),
        );
        assert.equal(error, failure);
        assert.equal(cancelled, 2);
      }));
  }

  it("ends with the error of a source whose next() or [Symbol.asyncIterator]() throws at once", () =>
    runTest(async () => {
      const failure = new Error("source");
      const fails = (): never => {
        throw failure;
      };
      for (const source of [
        { [Symbol.asyncIterator]: () => ({ next: fails }) },
        { [Symbol.asyncIterator]: fails },
        { [Symbol.iterator]: () => ({ next: fails, return: () => assert.fail("returned") }) },
        { [Symbol.iterator]: fails },
      ]) {
        assert.equal(await errorOf(forEach<unknown>(source, () => {}, { concurrency: 1 })), failure);
      }
    }));

  it("interrupts an async source that waits, and lets it clean up", () =>
    runTest(async () => {
      const observed = slowNumbers(5, 10);
      const error = await errorOf(
        forEach(
          observed.source,
          async () => {
            await sleep(5);
            throw new Error("item");
          },
          { concurrency: 5 },
        ),
      );
      assert.equal(error.message, "item");
      assert.equal(now(), 15);
      assert.equal(observed.returned, true);
      assert.equal(observed.pulled, 1);
    }));

  it("lets the cleanup of an async generator wait, also when it stands at a yield", () =>
    runTest(async () => {
      let cleaned = false;
      async function* source(): AsyncGenerator<number> {
        try {
          for (;;) yield 1;
        } finally {
          await sleep(10);
          cleaned = true;
        }
      }
      assert.equal(await moveOnAfter(5, () => forEach(source(), () => sleepForever(), { concurrency: 1 })), undefined);
      assert.equal(cleaned, true);
      assert.equal(now(), 15);
    }));

  it("ends a source that waits for something foreign and listens to return()", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("enough"), 1);
    const error = await errorOf(
      forEach(on(new EventEmitter(), "never"), () => {}, { concurrency: 1, signal: controller.signal }),
    );
    assert.ok(error instanceof CancelledError);
  });

  it("destroys a stream that waits for data, and ends with what ended the loop", async () => {
    using _ = unhurried();
    const stream = new Readable({ objectMode: true, read: () => {} });
    stream.push("only item");
    const failure = new RangeError("of a job");
    const fail = (): never => {
      throw failure;
    };
    assert.equal(await errorOf(forEach(stream, fail, { concurrency: 2 })), failure);
    assert.equal(stream.destroyed, true);
    const silent = new Readable({ read: () => {} });
    await moveOnAfter(1, () => forEach(silent, fail, { concurrency: 1 }));
    assert.equal(silent.destroyed, true);
  });

  it("waits for the pending call of a source that ends it only by itself", async () => {
    using _ = unhurried();
    let settled = false;
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((resolve) => {
            setTimeout(() => {
              settled = true;
              resolve({ done: false, value: 1 });
            }, 5);
          }),
      }),
    };
    const result = await moveOnAfter(1, () => forEach(source, () => {}, { concurrency: 1 }));
    assert.equal(result, undefined);
    assert.equal(settled, true);
  });

  it("starts the job of an item that the source gives although nobody waits for it any more, and cancels it", async () => {
    using _ = unhurried();
    const given = Promise.withResolvers<void>();
    async function* source(): AsyncGenerator<string> {
      await given.promise;
      yield "late";
      assert.fail("pulled");
    }
    const log: unknown[] = [];
    await cancelScope(async (scope) => {
      const visit = async (item: string): Promise<void> => {
        log.push(item);
        await checkpoint().catch((error: unknown) => {
          log.push(isCancelled(error));
          throw error;
        });
      };
      const loop = errorOf(forEach(source(), visit, { concurrency: 1 }));
      await sleep(0);
      scope.cancel();
      given.resolve();
      assert.ok((await loop) instanceof CancelledError);
    });
    assert.deepEqual(log, ["late", true]);
  });

  it("loses no item of a queue, however close to it the cancellation comes", () =>
    runTest(async () => {
      for (let microtasks = 0; microtasks < 20; microtasks++) {
        const queue = new Queue<number>({ maxSize: 1 });
        const seen: number[] = [];
        await cancelScope(async (scope) => {
          const loop = errorOf(forEach(queue, (item) => void seen.push(item), { concurrency: 1 }));
          await waitUntilIdle();
          queue.tryPut(1);
          for (let i = 0; i < microtasks; i++) await Promise.resolve();
          scope.cancel();
          assert.ok(isCancelled(await loop));
        });
        assert.equal(seen.length + queue.size, 1, `cancelled ${microtasks} microtasks after the put`);
      }
    }));

  it("throws the error of a source that fails in the turn in which it is cancelled", async () => {
    const failure = new Error("source");
    for (let microtasks = 0; microtasks < 20; microtasks++) {
      const item = Promise.withResolvers<IteratorResult<number>>();
      const source = { [Symbol.asyncIterator]: () => ({ next: () => item.promise }) };
      const error = await errorOf(
        cancelScope(async (scope) => {
          const loop = forEach(source, () => {}, { concurrency: 1 });
          await sleep(0);
          item.reject(failure);
          for (let i = 0; i < microtasks; i++) await Promise.resolve();
          scope.cancel();
          await loop;
        }),
      );
      assert.equal(error, failure, `cancelled ${microtasks} microtasks after the failure`);
    }
  });

  it("throws what a source throws while it cleans up, rather than the cancellation", () =>
    runTest(async () => {
      const failure = new Error("cleanup of the source");
      async function* source(): AsyncGenerator<number> {
        try {
          await sleepForever();
        } catch {
          throw failure;
        }
        yield 1;
      }
      assert.equal(await errorOf(moveOnAfter(1, () => forEach(source(), () => {}, { concurrency: 1 }))), failure);
      const returns = (): never => {
        throw failure;
      };
      const next = async () => ({ done: false as const, value: 1 });
      for (const open of [
        { [Symbol.asyncIterator]: () => ({ next, return: returns }) },
        { [Symbol.iterator]: () => ({ next: () => ({ done: false as const, value: 1 }), return: returns }) },
      ]) {
        const ended = moveOnAfter(1, () => forEach<number>(open, () => sleepForever(), { concurrency: 1 }));
        assert.equal(await errorOf(ended), failure);
      }
    }));

  it("does not start an item that came when it was cancelled already", () =>
    runTest(async () => {
      const started: number[] = [];
      await cancelScope(async (scope) => {
        function* source(): Generator<number> {
          yield 1;
          scope.cancel();
          yield 2;
        }
        await errorOf(forEach(source(), (item) => void started.push(item), { concurrency: 5 }));
      });
      assert.deepEqual(started, [1]);
    }));

  it("shows in a dump of the tasks what it waits for", () =>
    runTest(async () => {
      const dumps: string[] = [];
      const dump = async (): Promise<void> => {
        await waitUntilIdle();
        dumps.push(renderTaskTree(currentScopeNode().runner.root));
      };
      await forEach([1], dump, { concurrency: 1 });
      await forEach(slowNumbers(2, 0).source, dump, { concurrency: 1 });
      await forEach(slowNumbers(2, 50).source, dump, { concurrency: 2 });
      assert.match(dumps[0] ?? "", /task \d+ "main" waits for 1 of its tasks \(forEach\)$/m);
      assert.match(dumps[1] ?? "", /task \d+ "main" waits for 2 of its tasks \(forEach\)$/m);
      assert.match(dumps[1] ?? "", /task \d+ "source of forEach" waits for one of the 1 jobs of forEach$/m);
      assert.match(
        dumps[3] ?? "",
        /"source of forEach" waits for the next item of its source and sleep \(50 ms left\)$/m,
      );
    }));

  it("fails with TaskCancelledError when somebody else cancels one of its tasks", () =>
    runTest(async () => {
      const error = await errorOf(
        forEach(
          [1, 2],
          async function visit(item) {
            if (item === 1) currentTask().cancel("just you");
            await checkpoint();
            await sleepForever();
          },
          { concurrency: 2 },
        ),
      );
      assert.equal(error.name, "TaskCancelledError");
      assert.match(error.message, /"visit"/);
      assert.equal(isCancelled(error), false);
    }));

  it("goes on with the next item when one cancels its own task and returns all the same", () =>
    runTest(async () => {
      const done: number[] = [];
      await forEach(
        [1, 2, 3],
        async (item) => {
          if (item === 1) currentTask().cancel();
          else await checkpoint();
          done.push(item);
        },
        { concurrency: 1 },
      );
      assert.deepEqual(done, [1, 2, 3]);
    }));

  it("is cancelled from outside only after every item has cleaned up", () =>
    runTest(async () => {
      let cleaned = 0;
      const visit = async (): Promise<void> => {
        try {
          await sleepForever();
        } finally {
          await shield(() => sleep(5));
          cleaned += 1;
        }
      };
      const error = await errorOf(timeout(10, () => forEach(numbers(10).source, visit, { concurrency: 2 })));
      assert.equal(error.code, "MW_ERR_TIMEOUT");
      assert.equal(cleaned, 2);
      assert.equal(now(), 15);
    }));

  it("succeeds if everything was done in spite of the cancellation", () =>
    runTest(async () => {
      await moveOnAfter(1, async () => {
        const stubborn = () => sleepForever().catch(() => {});
        await forEach([1, 2], stubborn, { concurrency: 3 });
        assert.equal(isCancelled(await errorOf(checkpoint())), true);
      });
    }));

  it("checks for cancellation before it opens the source", () =>
    runTest(async () => {
      const observed = numbers(1);
      await cancelScope(async (scope) => {
        scope.cancel();
        const visit = (): never => assert.fail("called");
        assert.ok(isCancelled(await errorOf(forEach(observed.source, visit, { concurrency: 1 }))));
      });
      assert.equal(observed.pulled, 0);
    }));

  it("pulls nothing if the signal was aborted before", async () => {
    const observed = numbers(1);
    const options = { concurrency: 1, signal: AbortSignal.abort("before") };
    const error = await errorOf(forEach(observed.source, () => {}, options));
    assert.ok(error instanceof CancelledError);
    assert.equal(error.reason, "before");
    assert.equal(observed.pulled, 0);
  });

  it("gives the event loop its turn when this one has lasted too long", async () => {
    assert.equal(await givesWay(() => forEach([], () => {}, { concurrency: 1 })), true);
  });

  it("cannot starve timers with a long list of short jobs", async () => {
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const ends = performance.now() + 10_000;
    const isEnough = (): boolean => ticks >= 2 || performance.now() > ends;
    function* source(): Generator<number> {
      while (!isEnough()) yield 1;
    }
    await forEach(source(), () => {}, { concurrency: 100 });
    clearInterval(timer);
    assert.ok(ticks >= 2, `${ticks} ticks`);
  });

  it("runs every call, and the source, in the caller's context", () =>
    runTest(async () => {
      const user = new AsyncLocalStorage<string>();
      const seen = new Set<unknown>();
      async function* source(): AsyncGenerator<number> {
        for (let i = 0; i < 4; i++) {
          seen.add(user.getStore());
          await sleep(1);
          yield i;
        }
      }
      const visit = async (): Promise<void> => {
        seen.add(user.getStore());
        await user.run("inner", () => sleep(5));
      };
      await user.run("caller", () => forEach(source(), visit, { concurrency: 2 }));
      assert.deepEqual([...seen], ["caller"]);
    }));

  it("says how to fix a missing or bad concurrency, source or function", async () => {
    const fn = (): never => assert.fail("called");
    const one = { concurrency: 1 };
    const bad: ReadonlyArray<readonly [Promise<void>, RegExp]> = [
      [forEach([1], fn, {} as ForEachOptions), /^Cannot forEach: 'concurrency' is undefined; pass an integer >= 1/],
      [forEach([1], fn, undefined as never), /'concurrency' is undefined/],
      [forEach([1], fn, { concurrency: 0 }), /'concurrency' is 0/],
      [forEach(5 as never, fn, one), /^Cannot forEach 5; pass an iterable/],
      [forEach({} as never, fn, one), /^Cannot forEach an object \(Object\)/],
      [forEach(null as never, fn, one), /^Cannot forEach null/],
      [forEach([1], "fn" as never, one), /^Cannot forEach with "fn"; pass a function/],
      [forEach([1], fn, { concurrency: 1, signal: 5 as never }), /'signal'/],
    ];
    for (const [promise, message] of bad) {
      const error = await errorOf(promise);
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
      assert.match(error.message, message);
    }
  });
});
