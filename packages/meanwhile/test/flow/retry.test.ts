import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  CancelledError,
  cancelScope,
  coroutine,
  exponential,
  fixed,
  isCancelled,
  moveOnAfter,
  now,
  retry,
  type RetryEvent,
  retrying,
  type RetryPolicy,
  sleep,
  sleepForever,
  timeout,
  UsageError,
} from "meanwhile";
import { exploreSchedules, runTest } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { errorOf, givesWay } from "../util/outcomes.ts";

/** A job that fails with each of the errors in turn, and then gives how often it was called. */
function failing(...errors: readonly unknown[]): (() => Promise<number>) & { calls: () => number } {
  let calls = 0;
  const job = async (): Promise<number> => {
    const error = errors[calls++];
    if (calls <= errors.length) throw error;
    return calls;
  };
  return Object.assign(job, { calls: () => calls });
}

const attemptsOf = (error: unknown): unknown => (error as { attempts?: unknown }).attempts;

describe("retry", () => {
  it("returns the value of the first attempt that succeeds", () =>
    runTest(async () => {
      assert.equal(await retry(failing(), { backoff: fixed(10) }), 1);
      assert.equal(now(), 0);
      assert.equal(await retry(failing(new Error("1"), new Error("2")), { backoff: fixed(10) }), 3);
      assert.equal(now(), 20);
    }));

  it("makes three attempts by default and throws the last error itself, with the number of attempts", () =>
    runTest(async () => {
      const errors = [new Error("1"), new Error("2"), new Error("3")];
      const job = failing(...errors);
      const error = await errorOf(retry(job));
      assert.equal(error, errors[2]);
      assert.equal(attemptsOf(error), 3);
      assert.equal(job.calls(), 3);
      assert.ok(now() < 300, "exponential from 100 ms, with jitter");
    }));

  it("makes as many attempts as it may", () =>
    runTest(async () => {
      for (const attempts of [1, 2, 7]) {
        const job = failing(...Array.from({ length: 7 }, () => new Error("again")));
        assert.equal(attemptsOf(await errorOf(retry(job, { attempts, backoff: fixed(1) }))), attempts);
        assert.equal(job.calls(), attempts);
      }
    }));

  it("goes on for ever with attempts: Infinity, until it is cancelled", () =>
    runTest(async () => {
      let calls = 0;
      const fails = (): never => {
        calls += 1;
        throw new Error("again");
      };
      assert.equal(await moveOnAfter(1_000, () => retry(fails, { attempts: Infinity, backoff: fixed(1) })), undefined);
      assert.ok(calls >= 999, `${calls} calls`);
    }));

  it("takes sync functions, and those that return a coroutine", () =>
    runTest(async () => {
      let calls = 0;
      const parse = (): unknown => JSON.parse(++calls < 2 ? "{" : "42");
      assert.equal(await retry(parse, { backoff: fixed(1) }), 42);
      const lazy = coroutine(failing(new Error("1")));
      assert.equal(await retry(() => lazy(), { backoff: fixed(1) }), 2);
    }));

  it("tells the job the number of the attempt", () =>
    runTest(async () => {
      const told: number[] = [];
      const job = (attempt: number): string => {
        told.push(attempt);
        if (attempt < 3) throw new Error(`attempt ${attempt}`);
        return "third";
      };
      assert.equal(await retry(job, { backoff: fixed(1) }), "third");
      assert.equal(await retry(job, { backoff: fixed(1), attemptTimeoutMs: 10 }), "third");
      assert.deepEqual(told, [1, 2, 3, 1, 2, 3]);
    }));

  it("refuses a coroutine, which runs only once, except for one attempt", () =>
    runTest(async () => {
      const lazy = coroutine(async () => "once");
      const error = await errorOf(retry(lazy()));
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
      assert.match(error.message, /runs only once; pass a function/);
      assert.equal(await retry(lazy(), { attempts: 1 }), "once");
    }));

  it("counts a coroutine as handed over although it is cancelled before it starts", () =>
    runTest(async () => {
      const lazy = coroutine(async () => assert.fail("started"));
      await cancelScope(async (scope) => {
        scope.cancel();
        assert.ok(isCancelled(await errorOf(retry(lazy(), { attempts: 1 }))));
      });
    }));

  it("waits as the backoff says for the attempt and its error", () =>
    runTest(async () => {
      const errors = [new Error("1"), new Error("2")];
      const asked: unknown[] = [];
      const backoff = (attempt: number, error: unknown): number => {
        asked.push([attempt, error]);
        return attempt * 10;
      };
      await retry(failing(...errors), { backoff });
      assert.deepEqual(asked, [
        [1, errors[0]],
        [2, errors[1]],
      ]);
      assert.equal(now(), 30);
    }));

  it("asks for no delay after the last attempt", () =>
    runTest(async () => {
      const backoff = (): never => assert.fail("asked");
      assert.equal((await errorOf(retry(failing(new Error("last")), { attempts: 1, backoff }))).message, "last");
    }));

  it("refuses a delay that is no time, rather than giving up silently", () =>
    runTest(async () => {
      for (const delayMs of [NaN, -1, "1" as never]) {
        const error = await errorOf(retry(failing(new Error("1")), { backoff: () => delayMs }));
        assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
        assert.match(error.message, /'backoff' gave/);
        assert.equal((error.cause as Error).message, "1");
      }
    }));

  it("waits at least retryAfterMs of the error", () =>
    runTest(async () => {
      const hinted = Object.assign(new Error("busy"), { retryAfterMs: 500 });
      const weak = Object.assign(new Error("busy"), { retryAfterMs: 1 });
      await retry(failing(hinted, weak), { backoff: fixed(20) });
      assert.equal(now(), 520);
    }));

  it("ignores a retryAfterMs that is no positive number", () =>
    runTest(async () => {
      const errors = [-5, NaN, "soon", null].map((retryAfterMs) => Object.assign(new Error("busy"), { retryAfterMs }));
      await retry(failing(...errors, null, "text"), { attempts: 10, backoff: fixed(1) });
      assert.equal(now(), 6);
    }));

  it("repeats only what when() says, sync or async", () =>
    runTest(async () => {
      const asked: unknown[] = [];
      const policy: RetryPolicy = {
        attempts: 5,
        backoff: fixed(1),
        when: async (error, attempt) => {
          await sleep(1);
          asked.push(attempt);
          return (error as Error).message === "temporary";
        },
      };
      const job = failing(new Error("temporary"), new Error("permanent"), new Error("temporary"));
      const error = await errorOf(retry(job, policy));
      assert.equal(error.message, "permanent");
      assert.equal(attemptsOf(error), 2);
      assert.deepEqual(asked, [1, 2]);
      assert.equal(await retry(failing(new Error("x")), { when: () => true, backoff: fixed(1) }), 2);
    }));

  it("repeats no UsageError, unless when() says so", () =>
    runTest(async () => {
      const wrong = (): never => exponential({ factor: 0 }) as never;
      assert.ok((await errorOf(retry(wrong))) instanceof UsageError);
      let calls = 0;
      const policy: RetryPolicy = { when: () => ++calls < 2, backoff: fixed(1) };
      assert.equal(attemptsOf(await errorOf(retry(wrong, policy))), 2);
    }));

  it("tells onRetry of each failed attempt that will be repeated", () =>
    runTest(async () => {
      const errors = [new Error("1"), new Error("2"), new Error("3")];
      const events: RetryEvent[] = [];
      const policy: RetryPolicy = { backoff: (attempt) => attempt, onRetry: (event) => events.push(event) };
      await errorOf(retry(failing(...errors), policy));
      assert.deepEqual(events, [
        { error: errors[0], attempt: 1, delayMs: 1 },
        { error: errors[1], attempt: 2, delayMs: 2 },
      ]);
    }));

  it("waits for what onRetry returns, before the wait", () =>
    runTest(async () => {
      let told = 0;
      const onRetry = async (): Promise<void> => {
        await sleep(5);
        told += 1;
      };
      assert.equal(await retry(failing(new Error("1"), new Error("2")), { backoff: fixed(10), onRetry }), 3);
      assert.deepEqual([told, now()], [2, 30]);
    }));

  it("ends with what onRetry, when or backoff throws, sync or async, and reports the error of the attempt", () =>
    runTest(
      async () => {
        const failure = new Error("hook");
        const throws = (): never => {
          throw failure;
        };
        const rejects = async (): Promise<never> => throws();
        for (const policy of [
          { onRetry: throws },
          { onRetry: rejects },
          { when: throws },
          { when: rejects },
          { backoff: throws },
        ]) {
          await using warnings = expectWarning("MW_WARN_SUPPRESSED");
          const job = failing(new Error("first"), new Error("second"));
          assert.equal(await errorOf(retry(job, policy)), failure);
          assert.equal(job.calls(), 1);
          assert.match(
            (await warnings.first()).message,
            /^The policy of retry failed after an attempt: .*Error: first$/,
          );
        }
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  it("reports nothing if what a hook throws is the error of the attempt, or tells of it", () =>
    runTest(async () => {
      const failure = new Error("attempt");
      const circle = new Error("circle", { cause: failure });
      for (const thrown of [failure, new Error("gave up", { cause: circle })]) {
        const onRetry = (): never => {
          throw thrown;
        };
        assert.equal(await errorOf(retry(failing(failure), { onRetry })), thrown);
      }
    }));

  it("looks through causes that form a circle", () =>
    runTest(
      async () => {
        await using warnings = expectWarning("MW_WARN_SUPPRESSED");
        const circle = new Error("circle");
        circle.cause = new Error("half", { cause: circle });
        const when = (): never => {
          throw circle;
        };
        assert.equal(await errorOf(retry(failing(new Error("attempt")), { when })), circle);
        assert.match((await warnings.first()).message, /Error: attempt$/);
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  it("ends an attempt that lasts too long, and repeats it", () =>
    runTest(async () => {
      let calls = 0;
      const job = async (): Promise<string> => {
        if (++calls < 3) await sleepForever();
        return "third";
      };
      assert.equal(await retry(job, { attemptTimeoutMs: 100, backoff: fixed(1) }), "third");
      assert.equal(now(), 202);
      const error = await errorOf(
        retry(() => sleepForever(), { attempts: 2, attemptTimeoutMs: 100, backoff: fixed(1) }),
      );
      assert.equal(error.code, "MW_ERR_TIMEOUT");
      assert.equal(attemptsOf(error), 2);
    }));

  it("ends everything after totalMs, also a hanging attempt", () =>
    runTest(async () => {
      const error = await errorOf(retry(() => sleepForever(), { totalMs: 50 }));
      assert.equal(error.code, "MW_ERR_TIMEOUT");
      assert.match(error.message, /'totalMs' of 50 ms has passed$/);
      assert.ok(error.cause instanceof CancelledError);
      assert.equal(now(), 50);
    }));

  it("names as the cause of the TimeoutError of totalMs the last attempt that failed", () =>
    runTest(async () => {
      const errors = [new Error("1"), new Error("2")];
      const job = (attempt: number): Promise<never> => {
        if (attempt === 3) return sleepForever();
        throw errors[attempt - 1] as Error;
      };
      const hangs = (): Promise<never> => sleepForever();
      for (const [policy, cause] of [
        [{}, errors[1]],
        [{ onRetry: hangs }, errors[0]],
        [{ when: hangs }, errors[0]],
      ] as const) {
        const error = await errorOf(retry(job, { totalMs: 50, backoff: fixed(1), ...policy }));
        assert.equal(error.code, "MW_ERR_TIMEOUT");
        assert.equal(error.cause, cause);
      }
    }));

  it("does not take the TimeoutError of an attempt or of a hook for that of totalMs", () =>
    runTest(
      async () => {
        await using _ = expectWarning("MW_WARN_SUPPRESSED");
        const failure = new Error("attempt");
        const slow = (): Promise<never> => timeout(1, () => sleepForever());
        const hook = await errorOf(retry(failing(failure), { totalMs: 50, backoff: fixed(1), onRetry: slow }));
        const attempt = await errorOf(retry(slow, { totalMs: 50, attempts: 1 }));
        for (const error of [hook, attempt]) {
          assert.match(error.message, /the timeout of 1 ms/);
          assert.notEqual(error.cause, failure);
        }
      },
      { expectWarnings: ["MW_WARN_SUPPRESSED"] },
    ));

  it("tells on the TimeoutError of totalMs in which attempt the time ended", () =>
    runTest(async () => {
      let calls = 0;
      const job = async (): Promise<void> => {
        if (++calls === 2) await sleepForever();
        throw new Error("1");
      };
      const error = await errorOf(retry(job, { totalMs: 50, backoff: fixed(10) }));
      assert.equal(error.code, "MW_ERR_TIMEOUT");
      assert.equal(attemptsOf(error), 2);
    }));

  it("does not begin a wait that would pass totalMs, and throws the last error", () =>
    runTest(async () => {
      const job = failing(new Error("1"), new Error("2"), new Error("3"));
      const error = await errorOf(retry(job, { attempts: 10, totalMs: 50, backoff: fixed(30) }));
      assert.equal(error.message, "2");
      assert.equal(attemptsOf(error), 2);
      assert.equal(now(), 30);
    }));

  it("takes a backoff of Infinity as giving up", () =>
    runTest(async () => {
      assert.equal(attemptsOf(await errorOf(retry(failing(new Error("1")), { backoff: fixed(Infinity) }))), 1);
    }));

  it("never repeats an attempt that was cancelled, whatever when() says", () =>
    runTest(async () => {
      let calls = 0;
      const job = async (): Promise<void> => {
        calls += 1;
        await sleepForever();
      };
      const policy: RetryPolicy = { attempts: Infinity, when: () => assert.fail("asked"), backoff: fixed(0) };
      assert.equal(await moveOnAfter(10, () => retry(job, policy)), undefined);
      assert.equal(calls, 1);
    }));

  it("throws the cancellation without attempts on it", () =>
    runTest(async () => {
      await moveOnAfter(1, async () => {
        const error = await errorOf(retry(() => sleepForever()));
        assert.ok(error instanceof CancelledError);
        assert.equal(attemptsOf(error), undefined);
      });
    }));

  it("ends a wait between attempts when it is cancelled", () =>
    runTest(async () => {
      const job = failing(new Error("1"));
      assert.equal(await moveOnAfter(10, () => retry(job, { backoff: fixed(60_000) })), undefined);
      assert.equal(now(), 10);
      assert.equal(job.calls(), 1);
    }));

  it("does not repeat an attempt whose cleanup failed in a cancelled scope: that error is thrown, not lost", () =>
    runTest(async () => {
      let calls = 0;
      const job = () =>
        sleepForever().catch(() => {
          calls += 1;
          throw new Error("cleanup failed");
        });
      const error = await errorOf(moveOnAfter(1, () => retry(job, { backoff: fixed(0) })));
      assert.equal(error.message, "cleanup failed");
      assert.equal(calls, 1);
    }));

  it("makes no attempt in a cancelled scope", () =>
    runTest(async () => {
      await cancelScope(async (scope) => {
        scope.cancel();
        assert.ok(isCancelled(await errorOf(retry(() => assert.fail("called")))));
      });
    }));

  it("gives the event loop its turn when this one has lasted too long", async () => {
    assert.equal(await givesWay(() => retry(() => 1)), true);
  });

  it("throws errors that cannot be changed, and what is no error, as they are", () =>
    runTest(async () => {
      const frozen = Object.freeze(new Error("frozen"));
      assert.equal(await errorOf(retry(failing(frozen), { attempts: 1 })), frozen);
      const fixedError = Object.defineProperty(new Error("fixed"), "attempts", { value: "mine" });
      assert.equal(attemptsOf(await errorOf(retry(failing(fixedError), { attempts: 1 }))), "mine");
      let thrown: unknown;
      await retry(failing("text"), { attempts: 1 }).catch((error: unknown) => (thrown = error));
      assert.equal(thrown, "text");
    }));

  it("says how to fix a bad policy, before the first attempt", async () => {
    const bad: ReadonlyArray<readonly [RetryPolicy, RegExp]> = [
      [{ attempts: 0 }, /'attempts' is 0; pass an integer >= 1, or Infinity$/],
      [{ attempts: 1.5 }, /'attempts' is 1\.5/],
      [{ attempts: "3" as never }, /'attempts' is "3"/],
      [{ attemptTimeoutMs: -1 }, /'attemptTimeoutMs' is -1; pass milliseconds >= 0$/],
      [{ totalMs: NaN }, /'totalMs' is NaN; pass milliseconds >= 0$/],
      [{ totalMs: "5" as never }, /'totalMs' is "5"/],
      [{ backoff: 100 as never }, /'backoff' is 100; pass a function that returns milliseconds, like fixed\(100\)$/],
      [{ when: true as never }, /'when' is true; pass a function of the error that tells whether to try again$/],
      [
        { onRetry: {} as never },
        /'onRetry' is an object \(Object\); pass a function of \{ error, attempt, delayMs \}$/,
      ],
      [5 as never, /^Cannot use 5 as the options of retry; pass an object, like \{ attempts: 5 \}$/],
    ];
    for (const [policy, message] of bad) {
      const error = await errorOf(retry(() => assert.fail("called"), policy));
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
      assert.match(error.message, message);
    }
    assert.equal((await errorOf(retry(5 as never))).code, "MW_ERR_INVALID_ARGUMENT");
  });
});

describe("retry with a signal", () => {
  it("ends the wait between attempts, and rejects with the reason of the signal", async () => {
    await runTest(async () => {
      const controller = new AbortController();
      let attempts = 0;
      const retried = retry(
        async () => {
          attempts += 1;
          throw new Error("on purpose");
        },
        {
          backoff: () => 1_000_000,
          attempts: Infinity,
          onRetry: () => queueMicrotask(() => controller.abort("the user left")),
          signal: controller.signal,
        },
      );
      await assert.rejects(retried, { code: "MW_ERR_CANCELLED", reason: "the user left" });
      assert.equal(attempts, 1);
    });
  });
});

describe("retrying", () => {
  it("gives each call its own attempts, with this, the arguments and the name of the function", () =>
    runTest(async () => {
      const calls: unknown[] = [];
      const client = {
        base: "x",
        get: retrying(
          function get(this: { base: string }, path: string): string {
            calls.push(path);
            if (calls.length === 1) throw new Error("1");
            return this.base + path;
          },
          { backoff: fixed(1) },
        ),
      };
      assert.equal(await client.get("/a"), "x/a");
      assert.equal(await client.get("/b"), "x/b");
      assert.deepEqual(calls, ["/a", "/a", "/b"]);
      assert.equal(client.get.name, "get");
    }));

  it("calls the function with the arguments of the call, and not with the number of the attempt", () =>
    runTest(async () => {
      const calls: unknown[][] = [];
      const get = retrying(
        (...args: unknown[]) => {
          calls.push(args);
          if (calls.length === 1) throw new Error("1");
        },
        { backoff: fixed(1) },
      );
      await get("a", 2);
      assert.deepEqual(calls, [
        ["a", 2],
        ["a", 2],
      ]);
    }));

  it("refuses a bad function or policy at once", () => {
    assert.throws(() => retrying(5 as never), { code: "MW_ERR_INVALID_ARGUMENT" });
    assert.throws(() => retrying(() => 1, { attempts: 0 }), { code: "MW_ERR_INVALID_ARGUMENT" });
  });
});

describe("The jitter of a retry", () => {
  it("comes from the seed of a test that has one", async () => {
    const waited = await exploreSchedules(
      async () => {
        let attempts = 0;
        await retry(async () => {
          attempts += 1;
          if (attempts < 3) throw new Error("on purpose");
        });
        return now();
      },
      { schedules: 5, checkDeterminism: true },
    );
    assert.equal(new Set(waited).size, 5);
  });
});
