import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  any,
  CancelledError,
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  currentTask,
  type Input,
  isCancelled,
  moveOnAfter,
  now,
  race,
  shield,
  type SignalOption,
  sleep,
  sleepForever,
  TaskGroupError,
} from "meanwhile";
import { runTest } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { errorOf, givesWay } from "../util/outcomes.ts";

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

type Contest = (jobs: Iterable<Input<unknown>>, options?: SignalOption) => Promise<unknown>;

// What both have in common.
const BOTH: Readonly<Record<string, Contest>> = { race, any };

for (const [call, contest] of Object.entries(BOTH)) {
  describe(call, () => {
    it("returns the first result, after the losers were cancelled and have cleaned up", () =>
      runTest(async () => {
        const log: string[] = [];
        const loser = async (): Promise<void> => {
          try {
            await sleepForever();
          } finally {
            await shield(() => sleep(20));
            log.push("cleaned up");
          }
        };
        assert.equal(await contest([loser, after(10, "winner"), loser]), "winner");
        assert.deepEqual(log, ["cleaned up", "cleaned up"]);
        assert.equal(now(), 30);
      }));

    it("lets the first win for good: a loser that gives a value all the same changes nothing", () =>
      runTest(async () => {
        assert.equal(await contest([() => sleepForever().catch(() => "late"), after(1, "winner")]), "winner");
      }));

    it("takes a value that is there at once, of the first in the list", async () => {
      assert.equal(await contest([() => "a", () => "b"]), "a");
      assert.equal(await contest([Promise.resolve("a"), () => sleepForever()]), "a");
    });

    it("takes coroutines and tasks, and leaves a losing task alone", () =>
      runTest(async () => {
        const lazy = coroutine(async (ms: number) => sleep(ms).then(() => ms));
        const task = createTask(after(10, "task"));
        assert.equal(await contest([lazy(1), task, lazy(2)]), 1);
        assert.equal(await task, "task");
      }));

    it("leaves a losing promise alone and drops its late error", async () => {
      const late = Promise.withResolvers<never>();
      assert.equal(await contest([late.promise, after(1, "winner")]), "winner");
      late.reject(new Error("nobody waits"));
    });

    it("reports the errors of several losers by one warning", () =>
      runTest(
        async () => {
          await using warnings = expectWarning("MW_WARN_SUPPRESSED");
          const losers = ["one", "two", "three"].map(
            (name) => () =>
              sleepForever().catch(() => {
                throw new Error(name);
              }),
          );
          assert.equal(await contest([after(1, "winner"), ...losers]), "winner");
          const { message } = await warnings.first();
          assert.match(message, new RegExp(`^Jobs of ${call} failed after another one had won: .*one.*two.*three`));
          assert.equal(warnings.seen.length, 1);
        },
        { expectWarnings: ["MW_WARN_SUPPRESSED"] },
      ));

    it("reports the errors of losers as process warnings", () =>
      runTest(
        async () => {
          await using warnings = expectWarning("MW_WARN_SUPPRESSED");
          const loser = () =>
            sleepForever().catch(() => {
              throw new Error("cleanup failed");
            });
          assert.equal(await contest([after(1, "winner"), loser]), "winner");
          assert.match((await warnings.first()).message, new RegExp(`${call}.*cleanup failed`));
        },
        { expectWarnings: ["MW_WARN_SUPPRESSED"] },
      ));

    it("refuses an empty list", async () => {
      const error = await errorOf(contest(new Set<() => void>()));
      assert.equal(error.code, "MW_ERR_EMPTY");
      assert.match(error.message, new RegExp(`the list given to ${call} is empty`));
    });

    it("refuses what is not a job before it starts one", async () => {
      assert.equal(
        (await errorOf(contest([() => assert.fail("started"), 5 as never]))).code,
        "MW_ERR_INVALID_ARGUMENT",
      );
    });

    it("checks for cancellation before it starts a job, and counts what it was given as handed over", () =>
      runTest(async () => {
        const lazy = coroutine(async () => assert.fail("started"));
        await cancelScope(async (scope) => {
          scope.cancel();
          assert.ok(isCancelled(await errorOf(contest([lazy(), Promise.reject(new Error("handled"))]))));
        });
      }));

    it("gives the event loop its turn when this one has lasted too long", async () => {
      assert.equal(await givesWay(() => contest([() => 1])), true);
    });

    it("is cancelled from outside only after every job has cleaned up", () =>
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
        assert.equal(await moveOnAfter(1, () => contest([job, job]).then(() => "won")), undefined);
        assert.equal(cleaned, 2);
      }));

    it("returns a value that a job gives in spite of the cancellation", () =>
      runTest(async () => {
        await moveOnAfter(1, async () => {
          assert.equal(await contest([() => sleepForever(), () => sleepForever().catch(() => "in spite")]), "in spite");
        });
      }));

    it("is cancelled by the given signal", async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort("enough"), 1);
      const error = await errorOf(contest([() => sleepForever()], { signal: controller.signal }));
      assert.ok(error instanceof CancelledError);
      assert.equal(error.reason, "enough");
    });
  });
}

describe("race", () => {
  it("throws the error of the first job to end, as it is", () =>
    runTest(async () => {
      const failure = new Error("first");
      let cancelled = false;
      const loser = () => sleepForever().finally(() => (cancelled = true));
      assert.equal(await errorOf(race([loser, failAfter(1, failure)])), failure);
      assert.equal(cancelled, true);
    }));

  it("is decided by a job that somebody else cancels, with TaskCancelledError", () =>
    runTest(async () => {
      const error = await errorOf(
        race([
          async () => {
            currentTask().cancel();
            await checkpoint();
          },
          () => sleepForever(),
        ]),
      );
      assert.equal(error.name, "TaskCancelledError");
      assert.equal(isCancelled(error), false);
    }));
});

describe("any", () => {
  it("goes on when a job fails, or is cancelled by somebody else", () =>
    runTest(async () => {
      const cancelled = async (): Promise<void> => {
        currentTask().cancel();
        await checkpoint();
      };
      assert.equal(await any([failAfter(1, new Error("failed")), cancelled, after(10, "winner")]), "winner");
    }));

  it("throws every error in the order of the jobs when none succeeds", () =>
    runTest(async () => {
      const errors = [new Error("a"), new Error("b"), new Error("c")] as const;
      const error = await errorOf(any([failAfter(3, errors[0]), failAfter(1, errors[1]), failAfter(2, errors[2])]));
      assert.ok(error instanceof TaskGroupError);
      assert.equal(error.code, "MW_ERR_ALL_FAILED");
      assert.deepEqual(error.errors, [...errors]);
      assert.match(error.message, /all 3 jobs failed/);
    }));

  it("reports the errors of cleanups when it throws the cancellation", () =>
    runTest(
      async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const result = await moveOnAfter(1, () =>
          any([
            failAfter(0, new Error("before")),
            () =>
              sleepForever().catch(() => {
                throw new Error("cleanup failed");
              }),
            () => sleepForever(),
          ]),
        );
        assert.equal(result, undefined);
        assert.match((await warnings.first()).message, /any.*cleanup failed/);
        assert.equal(warnings.seen.length, 1);
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));
});
