import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  checkpoint,
  Condition,
  type ConditionOptions,
  coroutine,
  createTask,
  currentScope,
  currentTask,
  gather,
  isCancelled,
  Lock,
  moveOnAfter,
  type Permit,
  sleep,
  type Task,
  timeout,
} from "meanwhile";
import { addInstrument, currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { seededIntegers } from "../util/random.ts";
import { unhurried } from "../util/unhurried.ts";

const NOT_HELD = { name: "UsageError", code: "MW_ERR_NOT_HELD" };

/** Starts a task that waits on the condition and then notes its name. */
function startWaiter(condition: Condition, name: string, order: string[]): Task<void> {
  return createTask(
    async () => {
      using permit = await condition.acquire();
      void permit;
      await condition.wait();
      order.push(name);
    },
    { name },
  );
}

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

async function notify(condition: Condition, n?: number): Promise<void> {
  using permit = await condition.acquire();
  void permit;
  condition.notify(n);
}

describe("Condition", () => {
  it("gives the lock back while it waits and holds it again afterwards, with the same permit", () =>
    runTest(async () => {
      const condition = new Condition();
      const waiter = createTask(async () => {
        const permit = await condition.acquire();
        await condition.wait();
        assert.equal(condition.statistics().lock.owner, currentTask());
        permit.release();
        assert.equal(condition.locked, false);
      });
      await waitUntilIdle();
      assert.equal(condition.locked, false);
      assert.equal(condition.statistics().tasksWaiting, 1);
      await notify(condition);
      await waiter;
    }));

  it("notifies those who have waited longest, as many as it is told", () =>
    runTest(async () => {
      const condition = new Condition();
      const order: string[] = [];
      const waiters = ["a", "b", "c", "d"].map((name) => startWaiter(condition, name, order));
      await waitUntilIdle();
      await notify(condition);
      await waitUntilIdle();
      assert.deepEqual(order, ["a"]);
      await notify(condition, 0);
      await notify(condition, 2);
      await waitUntilIdle();
      assert.deepEqual(order, ["a", "b", "c"]);
      await notify(condition, Infinity);
      await gather(waiters);
      assert.deepEqual(order, ["a", "b", "c", "d"]);
    }));

  it("notifies everybody who waits, and nobody who comes later", () =>
    runTest(async () => {
      const condition = new Condition();
      const order: string[] = [];
      const waiters = ["a", "b"].map((name) => startWaiter(condition, name, order));
      await waitUntilIdle();
      {
        using permit = await condition.acquire();
        void permit;
        condition.notifyAll();
        condition.notifyAll();
      }
      const late = startWaiter(condition, "late", order);
      await waitUntilIdle();
      assert.deepEqual(order, ["a", "b"]);
      await notify(condition);
      await gather([...waiters, late]);
    }));

  it("moves the notified to the queue of the lock, behind those who wait there, and wakes each once", () =>
    runTest(async () => {
      const condition = new Condition();
      const order: string[] = [];
      const waiters = ["a", "b", "c"].map((name) => startWaiter(condition, name, order));
      await waitUntilIdle();
      let resumed = 0;
      const permit = await condition.acquire();
      const newcomer = createTask(async () => {
        using held = await condition.acquire();
        void held;
        order.push("newcomer");
      });
      await waitUntilIdle();
      condition.notifyAll();
      assert.deepEqual(condition.statistics(), {
        tasksWaiting: 0,
        lock: { locked: true, owner: currentTask(), tasksWaiting: 4 },
      });
      using counting = addInstrument({
        resumed: ({ target }) => {
          if (target.describe().startsWith("Condition.wait")) resumed += 1;
        },
      });
      void counting;
      permit.release();
      for (const task of [...waiters, newcomer]) await task;
      assert.deepEqual(order, ["newcomer", "a", "b", "c"]);
      assert.equal(resumed, 3);
    }));

  it("cannot be overtaken by a newcomer when the notifier gives the lock back", () =>
    runTest(async () => {
      const condition = new Condition();
      const waiter = startWaiter(condition, "a", []);
      await waitUntilIdle();
      const permit = await condition.acquire();
      condition.notify();
      permit.release();
      assert.equal(condition.statistics().lock.owner, waiter);
      assert.equal(condition.tryAcquire(), undefined);
      await waiter;
      condition.tryAcquire()?.release();
      assert.equal(condition.locked, false);
    }));

  it("shares a lock with other conditions", () =>
    runTest(async () => {
      const lock = new Lock();
      const [full, empty] = [new Condition({ lock }), new Condition({ lock })];
      const order: string[] = [];
      const waiters = [startWaiter(full, "full", order), startWaiter(empty, "empty", order)];
      await waitUntilIdle();
      using permit = await lock.acquire();
      empty.notifyAll();
      permit.release();
      await waitUntilIdle();
      assert.deepEqual(order, ["empty"]);
      await notify(full);
      await gather(waiters);
    }));

  it("works outside of tasks", async () => {
    const condition = new Condition();
    const permit = await condition.acquire();
    const waiting = condition.wait();
    using other = await condition.acquire();
    condition.notify();
    other.release();
    await waiting;
    assert.equal(condition.locked, true);
    permit.release();
    assert.equal(condition.locked, false);
  });
});

describe("Condition.wait under cancellation", () => {
  it("takes the lock again before it throws, however long that takes", () =>
    runTest(async () => {
      const condition = new Condition();
      let owner: unknown;
      const waiter = createTask(async () => {
        using permit = await condition.acquire();
        void permit;
        try {
          await condition.wait();
        } finally {
          owner = condition.statistics().lock.owner;
        }
      });
      await waitUntilIdle();
      const permit = await condition.acquire();
      waiter.cancel();
      assert.deepEqual(condition.statistics().tasksWaiting, 0);
      await sleep(100);
      assert.equal(waiter.done, false);
      permit.release();
      assert.equal((await errorOf(waiter)).code, "MW_ERR_TASK_CANCELLED");
      assert.equal(owner, waiter);
      assert.equal(condition.locked, false);
    }));

  it("throws at once where the lock is free, and holds it", () =>
    runTest(async () => {
      const condition = new Condition();
      using permit = await condition.acquire();
      const error = await errorOf(timeout(10, () => condition.wait()));
      assert.equal(error.code, "MW_ERR_TIMEOUT");
      assert.equal(condition.statistics().lock.owner, currentTask());
      permit.release();
      assert.equal(condition.locked, false);
    }));

  it("returns to one that was notified in the same tick before: the notification is not lost", () =>
    runTest(async () => {
      const condition = new Condition();
      const seen: string[] = [];
      const waiter = createTask(async () => {
        using permit = await condition.acquire();
        void permit;
        await condition.wait();
        seen.push("notified");
        await checkpoint();
        seen.push("went on");
      });
      await waitUntilIdle();
      const permit = await condition.acquire();
      condition.notify();
      waiter.cancel();
      permit.release();
      await errorOf(waiter);
      assert.deepEqual(seen, ["notified"]);
      assert.equal(condition.locked, false);
    }));

  it("passes over one that was cancelled in the same tick before the notification", () =>
    runTest(async () => {
      const condition = new Condition();
      const order: string[] = [];
      const cancelled = startWaiter(condition, "cancelled", order);
      const next = startWaiter(condition, "next", order);
      await waitUntilIdle();
      const permit = await condition.acquire();
      cancelled.cancel();
      condition.notify();
      permit.release();
      await errorOf(cancelled);
      await next;
      assert.deepEqual(order, ["next"]);
    }));

  it("throws once for several cancellations, with the outermost", () =>
    runTest(async () => {
      const condition = new Condition();
      const reasons: unknown[] = [];
      const waiter = createTask(async () => {
        using permit = await condition.acquire();
        void permit;
        const outer = currentScope();
        await cancelScope(async (inner) => {
          setImmediate(() => {
            inner.cancel("inner");
            outer.cancel("outer");
          });
          try {
            await condition.wait();
          } catch (error) {
            reasons.push((error as { reason?: unknown }).reason);
            throw error;
          }
        });
      });
      await waitUntilIdle();
      const permit = await condition.acquire();
      await sleep(1);
      permit.release();
      await errorOf(waiter);
      assert.deepEqual(reasons, ["outer"]);
      assert.equal(condition.locked, false);
    }));

  it("gives nothing back in a cancelled scope", () =>
    runTest(async () => {
      const condition = new Condition();
      using permit = await condition.acquire();
      void permit;
      await cancelScope(async (scope) => {
        scope.cancel();
        await assert.rejects(condition.wait(), (error) => isCancelled(error));
        await assert.rejects(
          condition.waitFor(() => true),
          (error) => isCancelled(error),
        );
      });
      assert.equal(condition.statistics().lock.owner, currentTask());
    }));

  it("ends a wait that nobody awaits, and that has outlived the cancelled scope, when the lock is free", () =>
    runTest(async () => {
      const condition = new Condition();
      const permit = await condition.acquire();
      let waiting: Promise<void> = Promise.resolve();
      let other: Permit | undefined;
      await cancelScope(async (scope) => {
        waiting = condition.wait();
        other = condition.tryAcquire();
        scope.cancel();
      });
      other?.release();
      await waiting;
      assert.equal(condition.locked, true);
      permit.release();
      assert.equal(condition.locked, false);
    }));
});

describe("Condition.waitFor", () => {
  it("returns what the predicate returns as soon as that is truthy", () =>
    runTest(async () => {
      const condition = new Condition();
      const items: string[] = [];
      const waiter = createTask(async () => {
        using permit = await condition.acquire();
        void permit;
        return await condition.waitFor(() => items.shift());
      });
      for (const item of ["", "item", "rest"]) {
        await waitUntilIdle();
        using permit = await condition.acquire();
        void permit;
        items.push(item);
        condition.notifyAll();
      }
      assert.equal(await waiter, "item");
      assert.deepEqual(items, ["rest"]);
    }));

  it("does not wait where that is so already", () =>
    runTest(async () => {
      const condition = new Condition();
      using permit = await condition.acquire();
      void permit;
      assert.equal(await condition.waitFor(() => 5), 5);
    }));

  it("holds the lock when the predicate throws", () =>
    runTest(async () => {
      const condition = new Condition();
      const failing = createTask(async () => {
        using permit = await condition.acquire();
        void permit;
        let calls = 0;
        try {
          await condition.waitFor(() => {
            calls += 1;
            assert.equal(condition.statistics().lock.owner, currentTask());
            if (calls === 2) throw new Error("no");
            return false;
          });
        } finally {
          assert.equal(condition.statistics().lock.owner, currentTask());
        }
      });
      await waitUntilIdle();
      await notify(condition);
      assert.equal((await errorOf(failing)).message, "no");
      assert.equal(condition.locked, false);
    }));

  it("refuses to wait when the predicate has given the lock back", () =>
    runTest(async () => {
      const condition = new Condition();
      const permit = await condition.acquire();
      await assert.rejects(
        condition.waitFor(() => {
          permit.release();
          return false;
        }),
        NOT_HELD,
      );
      assert.equal(condition.locked, false);
    }));

  it("refuses what is no function, and one that is async, whose promise it takes care of", () =>
    runTest(async () => {
      const condition = new Condition();
      using permit = await condition.acquire();
      void permit;
      const expected = { code: "MW_ERR_INVALID_ARGUMENT" };
      await assert.rejects(condition.waitFor(true as never), expected);
      await assert.rejects(
        condition.waitFor(async () => {
          throw new Error("not unhandled");
        }),
        { ...expected, message: /'predicate' returned an object \(Promise\), .*not async$/ },
      );
      const lazy = coroutine(async () => true);
      await assert.rejects(
        condition.waitFor(() => lazy()),
        expected,
      );
    }));
});

describe("The lock of a condition", () => {
  it("must be held to wait and to notify", () =>
    runTest(async () => {
      const condition = new Condition();
      const message = /^Cannot wait for the condition: its lock is free; take it first, with using held = await /;
      await assert.rejects(condition.wait(), { ...NOT_HELD, message });
      await assert.rejects(
        condition.waitFor(() => true),
        { ...NOT_HELD, message },
      );
      assert.throws(() => condition.notify(), {
        ...NOT_HELD,
        message: /^Cannot notify the condition: its lock is free/,
      });
      assert.throws(() => condition.notifyAll(), NOT_HELD);
      assert.equal(condition.locked, false);
    }));

  it("must be held by this task", () =>
    runTest(async () => {
      const condition = new Condition();
      using permit = await condition.acquire();
      void permit;
      const message = /its lock is held by task \d+ "main", which is not this one; take it first/;
      await gather([
        async () => {
          await assert.rejects(condition.wait(), { ...NOT_HELD, message });
          assert.throws(() => condition.notify(), { ...NOT_HELD, message });
        },
      ]);
    }));

  it("can be given back by one wait at a time", () =>
    runTest(async () => {
      using _ = unhurried();
      const condition = new Condition();
      using permit = await condition.acquire();
      void permit;
      const first = condition.wait();
      await assert.rejects(condition.wait(), NOT_HELD);
      await gather([() => notify(condition)]);
      await first;
    }));

  it("cannot be released while a wait has given it back", () =>
    runTest(async () => {
      using _ = unhurried();
      const condition = new Condition();
      const permit = await condition.acquire();
      const waiting = condition.wait();
      assert.throws(() => permit.release(), { ...NOT_HELD, message: /a wait on its condition has given it back/ });
      const other = await gather([() => condition.acquire()]);
      assert.throws(() => permit.release(), NOT_HELD);
      other[0].release();
      await gather([() => notify(condition)]);
      await waiting;
      permit.release();
      assert.equal(condition.locked, false);
    }));

  it("is named in dumps, with who holds it, and closes the circle of a deadlock", async () => {
    const condition = new Condition();
    const other = new Lock();
    const error = await errorOf(
      runTest(async function main() {
        createTask(
          async () => {
            using held = await other.acquire();
            void held;
            using permit = await condition.acquire();
            void permit;
            await condition.wait();
          },
          { name: "waiter" },
        );
        await waitUntilIdle();
        const { root } = currentScopeNode().runner;
        assert.match(renderTaskTree(root), /task \d+ "waiter" waits for Condition\.wait \(to be notified\)/);
        using permit = await condition.acquire();
        void permit;
        condition.notify();
        await other.acquire();
      }),
    );
    assert.equal(error.code, "MW_ERR_DEADLOCK");
    assert.match(
      error.message,
      /in a circle:\n {2}task (\d+) "main" waits for Lock\.acquire \(held by task (\d+) "waiter"\)\n {2}task \2 "waiter" waits for Condition\.wait \(notified; its lock is held by task \1 "main"\)\n/,
    );
    assert.equal(condition.locked || other.locked, false);
  });

  it("is what a cancelled wait waits for, in dumps", () =>
    runTest(async () => {
      const condition = new Condition();
      const described: string[] = [];
      using instrument = addInstrument({ suspended: ({ target }) => void described.push(target.describe()) });
      const waiter = startWaiter(condition, "waiter", []);
      await waitUntilIdle();
      void instrument;
      assert.ok(described.includes("Condition.wait (to be notified)"));
      const permit = await condition.acquire();
      waiter.cancel();
      assert.match(
        renderTaskTree(currentScopeNode().runner.root),
        /"waiter" waits for Condition\.wait \(cancelled; its lock is held by task \d+ "main"\)/,
      );
      permit.release();
      await errorOf(waiter);
    }));
});

describe("A Condition", () => {
  it("says how to fix a wrong lock or number", () =>
    runTest(async () => {
      for (const lock of [null, {}, "lock"]) {
        assert.throws(() => new Condition({ lock } as unknown as ConditionOptions), {
          code: "MW_ERR_INVALID_ARGUMENT",
          message: /^Cannot create Condition: 'lock' is .+; pass a Lock$/,
        });
      }
      const condition = new Condition();
      using permit = await condition.acquire();
      void permit;
      for (const n of [-1, 1.5, NaN, "2"]) {
        assert.throws(() => condition.notify(n as number), {
          code: "MW_ERR_INVALID_ARGUMENT",
          message: /^Cannot notify: 'n' is .+; pass an integer >= 0, or Infinity for all$/,
        });
      }
    }));

  it("loses and doubles nothing in a bounded buffer under random cancellation", () =>
    runTest(async () => {
      const pick = seededIntegers(11);
      const lock = new Lock();
      const [notEmpty, notFull] = [new Condition({ lock }), new Condition({ lock })];
      const buffer: number[] = [];
      const put: number[] = [];
      const got: number[] = [];
      const patiently = (body: () => Promise<void>): Promise<unknown> => moveOnAfter(pick(6), body);
      const producers = Array.from({ length: 3 }, (_, producer) => async () => {
        for (let i = 0; i < 150; i++) {
          await patiently(async () => {
            using permit = await lock.acquire();
            void permit;
            await notFull.waitFor(() => buffer.length < 2);
            buffer.push(producer * 1000 + i);
            put.push(producer * 1000 + i);
            notEmpty.notify();
          });
          if (pick(3) === 0) await sleep(pick(3));
        }
      });
      const consumers = Array.from({ length: 3 }, () => async () => {
        for (let i = 0; i < 150; i++) {
          await patiently(async () => {
            using permit = await lock.acquire();
            void permit;
            await notEmpty.waitFor(() => buffer.length > 0);
            got.push(...buffer.splice(0, 1));
            notFull.notify();
            await sleep(pick(2));
          });
          if (pick(3) === 0) await sleep(pick(3));
        }
      });
      await gather([...producers, ...consumers]);
      assert.ok(got.length > 100, `${got.length} were got`);
      assert.deepEqual(sorted([...got, ...buffer]), sorted(put));
      assert.deepEqual(lock.statistics(), { locked: false, owner: undefined, tasksWaiting: 0 });
      assert.equal(notEmpty.statistics().tasksWaiting + notFull.statistics().tasksWaiting, 0);
    }));
});
