// torture: finds what a program leaves undone when it is cancelled, or when a call fails.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancellable,
  cancelScope,
  checkpoint,
  createTask,
  Event,
  gather,
  isCancelled,
  Lock,
  moveOnAfter,
  shield,
  sleep,
  sleepForever,
  type Task,
  taskGroup,
} from "meanwhile";
import { currentScopeNode, ParkingLot } from "meanwhile/lowlevel";
import { type Injection, type Scenario, type TestError, torture, type TortureOptions } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";

type Failure = TestError & { readonly injection: Injection; readonly seed?: number };

/** The failure of a scenario that must not survive. */
async function failureOf<World, T>(
  scenario: Scenario<World, T> | (() => T | PromiseLike<T>),
  options?: TortureOptions,
): Promise<Failure> {
  const error = await errorOf(typeof scenario === "function" ? torture(scenario, options) : torture(scenario, options));
  assert.equal(error.code, "MW_ERR_TORTURE", error.message);
  return error as Failure;
}

/** What was wrong when the scenario did not survive. */
async function causeOf<World, T>(
  scenario: Scenario<World, T> | (() => T | PromiseLike<T>),
  options?: TortureOptions,
): Promise<Error & { code?: string }> {
  return (await failureOf(scenario, options)).cause as Error;
}

const lockedTwice: Scenario<Lock, unknown> = {
  setup: () => new Lock(),
  run: (lock) =>
    gather(
      [1, 2].map((ms) => async () => {
        using held = await lock.acquire();
        await sleep(ms);
        return typeof held;
      }),
    ),
  check: (lock) => assert.equal(lock.locked, false),
};

const forgetsToRelease: Scenario<Lock, unknown> = {
  setup: () => new Lock(),
  run: async function work(lock) {
    const held = await lock.acquire();
    await sleep(1);
    held.release();
  },
  check: (lock) => assert.equal(lock.locked, false, "the lock is free"),
};

/** What is waited for, or who is woken, without what differs from run to run. */
function whatOf(where: string): string {
  return where
    .replace(/[:(].*/, "")
    .replace(/"task \d+"/, '"unnamed"')
    .trim();
}

describe("torture", () => {
  it("runs the scenario once, and once more for each point", async () => {
    const ends: string[] = [];
    const { points, checkpoints, suspensions, runs, outcomes } = await torture({
      ...lockedTwice,
      check: (lock, outcome, { cancel }) => {
        ends.push(`${cancel}: ${outcome.kind}`);
        assert.equal(lock.locked, false);
      },
    });
    assert.deepEqual(
      points.map(
        // Which call a checkpoint is of cannot be told everywhere.
        ({ number, kind, where }) => `${number} ${kind}${kind === "checkpoint" ? "" : ` ${whatOf(where)}`}`,
      ),
      [
        "1 checkpoint",
        "2 checkpoint",
        "3 checkpoint",
        "4 checkpoint",
        "5 suspension Lock.acquire",
        "6 suspension 2 of its tasks",
        "7 checkpoint",
        "8 suspension sleep",
        '9 wakeUp task "unnamed"',
        '10 wakeUp task "unnamed"',
        "11 checkpoint",
        "12 suspension sleep",
        '13 wakeUp task "unnamed"',
        '14 wakeUp task "main"',
      ],
    );
    assert.deepEqual([checkpoints, suspensions, runs], [6, 4, 15]);
    assert.deepEqual(outcomes, { value: 2, cancelled: 12, failed: 0 });
    assert.deepEqual(ends.slice(0, 2), ["undefined: value", "1: cancelled"]);
    assert.deepEqual(ends.slice(-2), ["13: value", "14: value"]);
  });

  it("takes a plain function", async () => {
    const { runs, checkpoints } = await torture(() => sleep(1));
    assert.deepEqual([checkpoints, runs], [1, 4]);
  });

  it("says which point a scenario does not survive, where it is, and how to run only that one", async () => {
    const failure = await failureOf(forgetsToRelease);
    assert.deepEqual(failure.injection, { cancel: 2 });
    assert.match(
      failure.message,
      // JavaScriptCore leaves out who calls in tail position, as sleep() does.
      /^Cannot survive a cancellation at point 2 of 4 \(checkpoint: (?:sleep|suspend) in .*work.* \(.*torture\.test\.ts:\d+:\d+\)\): AssertionError: the lock is free; run only this one again with \{ only: \{ cancel: 2 \} \}$/,
    );
    assert.ok(failure.cause instanceof assert.AssertionError);
  });

  it("runs only the point it is told", async () => {
    assert.deepEqual((await failureOf(forgetsToRelease, { only: { cancel: 3 } })).injection, { cancel: 3 });
    assert.equal((await torture(forgetsToRelease, { only: { cancel: 1 } })).runs, 2);
    const both = await torture(lockedTwice, { only: { cancel: 8, thenOuter: 9 } });
    assert.deepEqual([both.runs, both.outcomes.cancelled], [2, 1]);
    assert.deepEqual((await torture(() => sleep(1), { only: { error: 1 } })).outcomes.failed, 1);
  });

  it("cancels at the entry of a call, during a wait, and between its end and the code that goes on", async () => {
    const seen: string[] = [];
    await torture({
      setup: () => new Lock(),
      run: async (lock) => {
        const held = await lock.acquire();
        let at = "releasing";
        setTimeout(() => held.release());
        try {
          const again = await lock.acquire();
          at = "holding";
          again.release();
          await checkpoint();
          seen.push("passed");
        } catch (error) {
          held.release();
          seen.push(at);
          throw error;
        }
      },
      check: (lock) => assert.equal(lock.locked, false),
    });
    // The first run; point 1 is before the `try`; then entry twice, suspension, wake-up, the last checkpoint.
    assert.deepEqual(seen, ["passed", "releasing", "releasing", "releasing", "holding", "holding"]);
  });

  it("leaves setup and check in peace", async () => {
    const { runs } = await torture({
      setup: () => sleep(1),
      run: () => checkpoint(),
      check: () => sleep(1),
    });
    assert.equal(runs, 2);
  });

  it("counts only what happens in the scope of the scenario", async () => {
    const { checkpoints } = await torture({
      setup: () => void createTask(() => sleep(3)),
      run: () => sleep(1),
      check: () => sleep(5),
    });
    assert.equal(checkpoints, 1);
  });

  it("runs under the schedule of a seed, which a failure names", async () => {
    const failure = await failureOf(forgetsToRelease, { seed: 3 });
    assert.equal(failure.seed, 3);
    await torture(lockedTwice, { seed: 3 });
  });

  it("starts a task when its creator has it, as outside of tests", async () => {
    await torture(() =>
      taskGroup((group) => {
        const task: Task<number> = group.createTask(async () => task.id);
      }),
    );
  });

  it("throws the error of a scenario that fails by itself", async () => {
    const error = new RangeError("by itself");
    assert.equal(await errorOf(torture(() => Promise.reject(error))), error);
    assert.equal(((await errorOf(torture(() => Promise.reject(error), { seed: 9 }))) as Failure).seed, 9);
  });

  it("ends with the scope around it", async () => {
    let runs = 0;
    await cancelScope(async (scope) => {
      await torture(async () => {
        runs += 1;
        if (runs === 3) scope.cancel();
        await sleep(1);
      });
      assert.fail("was cancelled");
    });
    assert.equal(runs, 3);
  });

  it("tries pairs of cancellations, spread evenly", async () => {
    const cleanup: Scenario<string[], unknown> = {
      setup: () => [],
      maySwallowCancellation: true, // with its try block done it does without a part of its cleanup
      run: async (seen) => {
        try {
          await sleep(1);
        } finally {
          await sleep(1).catch(() => seen.push("inner"));
          await shield(() => sleep(1));
        }
      },
    };
    const all = await torture(cleanup, { pairs: 1_000 });
    const first = new Set<number | undefined>();
    const few = await torture(
      { ...cleanup, check: (_, __, { cancel, thenOuter }) => void (thenOuter !== undefined && first.add(cancel)) },
      { pairs: 3 },
    );
    assert.equal(first.size, 3, "each pair begins elsewhere");
    assert.equal(all.pairsLeftOut, 0);
    assert.ok(all.runs > all.points.length + 1);
    assert.equal(few.runs, few.points.length + 1 + 3);
    assert.equal(few.pairsLeftOut, all.runs - all.points.length - 1 - 3);
  });

  it("finds what only a second cancellation, from further out, shows", async () => {
    const scenario: Scenario<Lock, unknown> = {
      setup: () => new Lock(),
      run: async (lock) => {
        const held = await lock.acquire();
        const scope = currentScopeNode();
        try {
          await sleep(1);
        } finally {
          // Wrong: it looks whether the cancellation is its own, and forgets that there may be another one.
          await shield(() => sleep(1));
          if (scope.effective === null || scope.effective.scope === scope) held.release();
        }
      },
      check: (lock) => assert.equal(lock.locked, false),
    };
    await torture(scenario);
    const { injection, message } = await failureOf(scenario, { pairs: 100 });
    assert.ok(injection.thenOuter !== undefined && injection.thenOuter > (injection.cancel ?? Infinity));
    assert.match(message, /a cancellation at point 2 of \d+, then one of the scope around it at point \d+ /);
  });
});

describe("torture finds", () => {
  it("a task that is left running", async () => {
    const cause = await causeOf(async () => {
      const task = createTask(() => sleepForever(), { name: "forgotten" });
      await sleep(1);
      task.cancel();
      await task.then(null, () => {});
    });
    assert.equal(cause.code, "MW_ERR_LEFT_BEHIND");
    assert.match(cause.message, /1 of its tasks running.*\n.*\n.*"forgotten"/);
  });

  it("a wait that nobody awaits", async () => {
    const event = new Event();
    const cause = await causeOf(async () => {
      const waiting = shield(() => event.wait());
      await sleep(1);
      event.set();
      await waiting;
      event.clear();
    });
    assert.equal(cause.code, "MW_ERR_LEFT_BEHIND");
    assert.match(cause.message, /a wait that nobody awaits: Event\.wait/);
    event.set();
  });

  it("a deadline", async () => {
    const entry = { bucket: null, slot: 0, due: (): void => {} };
    const cause = await causeOf(async () => {
      const { deadlines } = currentScopeNode().runner;
      deadlines.add(entry, 1_000);
      await checkpoint();
      deadlines.remove(entry);
    });
    assert.match(cause.message, /a deadline at 1000 ms/);
  });

  it("a listener on a signal that lives longer", async () => {
    const cause = await causeOf({
      setup: () => new AbortController(),
      run: async ({ signal }) => {
        const listener = (): void => {};
        signal.addEventListener("abort", listener);
        await sleep(1);
        signal.removeEventListener("abort", listener);
      },
      signals: ({ signal }) => [signal],
    });
    assert.match(cause.message, /a listener on an AbortSignal/);
  });

  it("no listener where ours takes a signal", async () => {
    await torture({
      setup: () => new AbortController(),
      run: ({ signal }) => gather([() => sleep(1), () => sleep(2)], { signal }),
      signals: ({ signal }) => [signal],
    });
  });

  it("a cleanup that fails", async () => {
    const cause = await causeOf(async () => {
      try {
        await sleep(1);
      } catch {
        throw new TypeError("in the cleanup");
      }
    });
    assert.equal(cause.message, "in the cleanup");
  });

  it("nothing wrong with an error that is expected", async () => {
    const expectErrors = (error: unknown): boolean => error instanceof TypeError;
    const { outcomes } = await torture({
      setup: () => {},
      run: async () => {
        try {
          await sleep(1);
        } catch {
          throw new TypeError("expected");
        }
      },
      expectErrors,
    });
    assert.deepEqual(outcomes, { value: 1, cancelled: 0, failed: 2 });
  });

  it("a cancellation that is swallowed, at a checkpoint or in a wait", async () => {
    for (const cancel of [1, 2]) {
      const cause = await causeOf(() => sleep(1).catch(() => "as if nothing had happened"), { only: { cancel } });
      assert.match(cause.message, /its task "main" was thrown the cancellation and caught it; .*'maySwallowCanc/);
    }
  });

  it("a cancellation that a job swallows", async () => {
    const cause = await causeOf(() => gather([() => sleep(1).catch(() => {}), async function other() {}]), {
      only: { cancel: 3 },
    });
    assert.match(cause.message, /its task "task \d+" was thrown the cancellation and caught it/);
  });

  it("no swallowed cancellation in a value that came in spite of it", async () => {
    const { outcomes } = await torture(() =>
      cancellable(async (signal) => {
        await new Promise((resolve) => setImmediate(resolve));
        return signal.aborted;
      }),
    );
    assert.ok(outcomes.value > 0);
  });

  it("nothing wrong with a swallowed cancellation that is announced", async () => {
    const { outcomes } = await torture({
      setup: () => {},
      run: () => sleep(1).catch(() => {}),
      maySwallowCancellation: true,
    });
    assert.equal(outcomes.value, 3);
  });

  it("an item that is lost when a hand-over meets a cancellation", async () => {
    // Wrong: it takes the item back out of the hands of a task that has it already.
    class LossyQueue {
      readonly lot = new ParkingLot<number>({ describe: () => "LossyQueue.get" });
      readonly items: number[] = [];
      put(item: number): void {
        if (!this.lot.unpark(item)) this.items.push(item);
      }
      async get(): Promise<number> {
        const item = this.items.shift() ?? (await this.lot.park());
        await checkpoint();
        return item;
      }
    }
    const failure = await failureOf({
      setup: () => ({ queue: new LossyQueue(), got: 0 }),
      run: (world) =>
        gather([
          async () => {
            await world.queue.get();
            world.got += 1;
          },
          () => shield(() => sleep(1).then(() => world.queue.put(1))),
        ]),
      check: ({ queue, got }) => assert.equal(queue.items.length + got, 1),
    });
    assert.ok(["wakeUp", "checkpoint"].some((kind) => failure.message.includes(kind)));
  });

  it("a program that does not repeat", async () => {
    let runs = 0;
    const error = await errorOf(
      torture(async () => {
        runs += 1;
        for (let i = runs; i < 4; i++) await checkpoint();
      }),
    );
    assert.equal(error.code, "MW_ERR_NOT_DETERMINISTIC");
    assert.match(error.message, /passed 1 points|passed 2 points/);
  });
});

describe("torture with errors", () => {
  it("lets each call that waits fail, with each kind of error", async () => {
    const errors = [() => new RangeError("first kind"), () => new TypeError("second kind")];
    const seen: string[] = [];
    const { runs, outcomes } = await torture(
      {
        setup: () => {},
        run: async () => {
          await sleep(1);
          await checkpoint();
        },
        check: (_, outcome, injection) => {
          if (outcome.kind === "failed") seen.push(`${JSON.stringify(injection)} ${String(outcome.error)}`);
        },
      },
      { inject: "error", errors },
    );
    assert.equal(runs, 5);
    assert.deepEqual(outcomes, { value: 0, cancelled: 0, failed: 4 });
    assert.deepEqual(seen, [
      '{"error":1} RangeError: first kind',
      '{"error":1,"kind":1} TypeError: second kind',
      '{"error":4} RangeError: first kind',
      '{"error":4,"kind":1} TypeError: second kind',
    ]);
  });

  it("accepts errors that stem from the injected one, and no others", async () => {
    const wrapping = async (make: (error: unknown) => unknown): Promise<void> => {
      await sleep(1).catch((error: unknown) => Promise.reject(make(error)));
    };
    const inject = "error";
    for (const make of [
      (cause: unknown) => new Error("wrapped", { cause }),
      (error: unknown) => new AggregateError([new Error("other"), error]),
      (error: unknown) => new SuppressedError(new Error("other"), error),
    ]) {
      await torture(() => wrapping(make), { inject });
    }
    const cause = await causeOf(() => wrapping(() => new TypeError("a bug")), { inject });
    assert.equal(cause.message, "a bug");
  });

  it("finds what a failure leaves behind", async () => {
    const failure = await failureOf(forgetsToRelease, { inject: "error" });
    assert.deepEqual(failure.injection, { error: 2 });
    assert.match(failure.message, /^Cannot survive error 0 at point 2 of 4 \(checkpoint: .* only: \{ error: 2 \}/);
  });

  it("takes both one after the other, and leaves out calls that never fail", async () => {
    const both = await torture(lockedTwice, { inject: "both" });
    assert.equal(both.runs, 1 + both.points.length + both.checkpoints);
    const some = await torture(lockedTwice, { inject: "error", mayFail: ({ number }) => number > 4 });
    assert.deepEqual([some.runs, some.outcomes.failed], [3, 2]);
  });

  it("lets a scenario that may recover have a value although a call has failed", async () => {
    const { outcomes } = await torture(
      {
        setup: () => {},
        run: async () => {
          assert.ok(!isCancelled(await sleep(1).catch((error: unknown) => error)));
        },
        mayRecover: true,
      },
      { inject: "error" },
    );
    assert.deepEqual(outcomes, { value: 1, cancelled: 0, failed: 0 });
  });

  it("finds an error that is swallowed", async () => {
    const cause = await causeOf(() => sleep(1).catch(() => {}), { inject: "error" });
    assert.match(cause.message, /returns a value: the injected error was thrown in it; .*'mayRecover'/);
  });
});

describe("torture", () => {
  it("says how many points there are when it is told one that there is not", async () => {
    const cleanup = async (): Promise<void> => {
      try {
        await sleep(1);
      } finally {
        await shield(() => sleep(1));
      }
    };
    const rows: ReadonlyArray<readonly [only: Injection, message: RegExp]> = [
      [{ cancel: 99 }, /'only\.cancel' is 99, and the scenario has 6 points; pass an integer from 1 to 6$/],
      [{ cancel: 0 }, /'only\.cancel' is 0, .* from 1 to 6$/],
      [{ error: 8 }, /'only\.error' is 8, .* from 1 to 6$/],
      [{ error: 2 }, /point 2 of 6 is no checkpoint but a suspension, where no call can fail; pass one of 1, 4 as/],
      [{ cancel: 2, thenOuter: 2 }, /'only\.thenOuter' is 2; pass an integer above 2/],
      [
        { cancel: 2, thenOuter: 99 },
        /cancelled at point 2 the scenario passes \d points; pass an integer from 3 to \d$/,
      ],
    ];
    for (const [only, message] of rows) {
      await assert.rejects(torture(cleanup, { only }), { code: "MW_ERR_INVALID_ARGUMENT", message });
    }
    await assert.rejects(
      torture(async () => {}, { only: { cancel: 1 } }),
      { code: "MW_ERR_INVALID_ARGUMENT", message: /no points at all$/ },
    );
  });

  it("refuses what it cannot do", async () => {
    const bad = (scenario: unknown, options: TortureOptions, message: RegExp): Promise<void> =>
      assert.rejects(torture(scenario as () => unknown, options), { code: "MW_ERR_INVALID_ARGUMENT", message });
    await bad({}, {}, /the scenario is/);
    await bad(undefined, {}, /the scenario is/);
    await bad({ run: () => {} }, {}, /'setup'/);
    const scenario = (): Promise<void> => sleep(1);
    await bad(scenario, { inject: "fault" as never }, /'inject'/);
    await bad(scenario, { pairs: -1 }, /'pairs'/);
    await bad(scenario, { errors: [] }, /'errors'/);
    await bad(scenario, { only: {} }, /'only'/);
    await bad(scenario, { only: { error: 1, kind: 1 } }, /'only\.kind' is 1; pass 0/);
    await bad(scenario, { seed: 0.5 }, /'seed'/);
    await bad(scenario, { timeoutMs: -1 }, /'timeoutMs'/);
  });

  it("has a time limit for each run", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const endless = async (): Promise<void> => {
      await moveOnAfter(1, () => sleepForever());
      await promise;
    };
    await assert.rejects(torture(endless, { timeoutMs: 5 }), { code: "MW_ERR_TEST_TIMEOUT" });
    resolve(); // it would stay in the process for good
  });
});
