// runTest: a test that leaves something behind fails.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import {
  cancelScope,
  coroutine,
  createTask,
  Event,
  gather,
  isCancelled,
  Lock,
  now,
  shield,
  sleep,
  sleepForever,
  UsageError,
} from "meanwhile";
import { MockClock, runTest, type TestError } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { errorOf } from "../util/outcomes.ts";

describe("runTest", () => {
  it("returns the value of the test, on virtual time that starts at 0", async () => {
    const value = await runTest(async () => {
      await sleep(60_000);
      return now();
    });
    assert.equal(value, 60_000);
  });

  it("takes a coroutine", async () => {
    const answer = coroutine(async () => 42);
    assert.equal(await runTest(answer()), 42);
  });

  it("uses the clock it is given", async () => {
    assert.equal(await runTest(async () => now(), { clock: new MockClock({ startMs: 7 }) }), 7);
  });

  it("throws what the test throws", async () => {
    const error = new RangeError("from the test");
    await assert.rejects(
      runTest(async () => {
        throw error;
      }),
      error,
    );
  });

  it("fails a test that leaves a task running, naming it, and ends the task", async () => {
    let cleaned = false;
    await assert.rejects(
      runTest(async () => {
        createTask(
          async () => {
            try {
              await sleepForever();
            } finally {
              cleaned = true;
            }
          },
          { name: "forgotten" },
        );
      }),
      (error: TestError) => {
        assert.equal(error.code, "MW_ERR_LEFT_RUNNING");
        assert.match(error.message, /"forgotten"/);
        return true;
      },
    );
    assert.equal(cleaned, true);
  });

  it("fails a test that leaves a wait nobody awaits, of its own or of a task", async () => {
    const forgets = async (): Promise<void> => void sleep(5).catch(() => {});
    const tests: ReadonlyArray<() => Promise<unknown>> = [
      forgets,
      () => gather([forgets]),
      () => shield(forgets),
      async () => await createTask(forgets),
    ];
    for (const test of tests) {
      await assert.rejects(runTest(test), { code: "MW_ERR_LEFT_BEHIND", message: /a wait that nobody awaits: sleep/ });
    }
  });

  // Bun does not tell of timers.
  const skip = process.versions["bun"] !== undefined;
  it("fails a test that leaves a real timer", { skip }, async () => {
    for (const start of [() => setTimeout(() => {}, 60_000), () => setInterval(() => {}, 60_000)]) {
      for (const seed of [undefined, 1]) {
        let timer: NodeJS.Timeout | undefined;
        const error = await errorOf(runTest(async () => void (timer = start()), { seed }));
        clearTimeout(timer);
        assert.equal(error.code, "MW_ERR_LEFT_BEHIND");
        assert.match(error.message, /the test has left 1 of setTimeout\(\) or setInterval\(\) that are still to fire/);
      }
    }
  });

  it("accepts timers that have fired or were cleared, and those of others", async () => {
    const others = setTimeout(() => {}, 60_000);
    await runTest(async () => {
      clearTimeout(setTimeout(() => {}, 60_000));
      await new Promise((resolve) => setTimeout(resolve, 1));
    });
    clearTimeout(others);
  });

  it("blames no test for a timer while another one runs", async () => {
    let timer: NodeJS.Timeout | undefined;
    const other = async (): Promise<void> => {
      timer = setTimeout(() => {}, 60_000);
      for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
      clearTimeout(timer);
    };
    await Promise.all([runTest(other), runTest(() => sleep(1))]);
  });

  it("fails a test whose tasks wait for each other at once, naming the circle", async () => {
    await assert.rejects(
      runTest(async () => {
        const [first, second] = [new Lock(), new Lock()];
        const takeBoth = (one: Lock, other: Lock) => async (): Promise<void> => {
          using held = await one.acquire();
          await sleep(1);
          using alsoHeld = await other.acquire();
          assert.ok(held !== alsoHeld);
        };
        await gather([takeBoth(first, second), takeBoth(second, first)]);
      }),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "MW_ERR_DEADLOCK");
        assert.match(error.message, /circle:\n.*Lock\.acquire \(held by task \d+.*\n.*Lock\.acquire \(held by task/);
        return true;
      },
    );
  });

  it("gives a deadlocked test the virtual time that its cleanup takes", async () => {
    const ends: string[] = [];
    const test = async (): Promise<void> => {
      try {
        await new Event().wait();
      } finally {
        for (let i = 0; i < 3; i++) {
          await shield(() => sleep(1_000));
          const started = performance.now();
          while (performance.now() - started < 2); // whoever looks again after a while does so now
        }
        ends.push(`cleaned up at ${now()}`);
      }
    };
    const error = await errorOf(runTest(test));
    ends.push(String(error.code));
    assert.deepEqual(ends, ["cleaned up at 3000", "MW_ERR_DEADLOCK"]);
  });

  it("fails a test in which even the cancellation of a deadlock wakes nobody", async () => {
    for (const seed of [undefined, 1]) {
      const error = await errorOf(runTest(() => shield(() => new Event().wait()), { seed }));
      assert.equal(error.code, "MW_ERR_DEADLOCK");
      assert.match(error.message, /"main" waits for Event\.wait/);
    }
  });

  it("is patient with tasks that wait for something real", async () => {
    const value = await runTest(async () => {
      const lock = new Lock();
      const held = await lock.acquire();
      setTimeout(() => held.release(), 3);
      using again = await lock.acquire();
      return typeof again.release;
    });
    assert.equal(value, "function");
  });

  it("fails after the time limit with a dump, although the test never ends", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await assert.rejects(
      runTest(() => promise, { timeoutMs: 5 }),
      (error: TestError) => {
        assert.equal(error.code, "MW_ERR_TEST_TIMEOUT");
        assert.match(error.message, /waits for a promise that is not one of meanwhile/);
        return true;
      },
    );
    resolve(); // it would stay in the process for good
  });

  it("fails a test during which a promise rejects unhandled", () => {
    // In a process of its own: node:test counts every unhandled rejection as a failure of the test around it.
    const fixture = fileURLToPath(new URL("fixtures/unhandled-rejection.ts", import.meta.url));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout, status } = spawnSync(process.execPath, ["--conditions=@meanwhile/source", fixture], {
      encoding: "utf8",
      env: { ...env, NODE_OPTIONS: "" },
    });
    assert.equal(stdout, "failed with nobody listens\n");
    assert.equal(status, 0);
  });

  it("fails a test during which the process emits a warning", async () => {
    await using warnings = expectWarning("TEST_WARNING");
    await assert.rejects(
      runTest(async () => process.emitWarning("careful", { code: "TEST_WARNING" })),
      { code: "MW_ERR_UNEXPECTED_WARNING", message: /TEST_WARNING: careful/ },
    );
    assert.equal(warnings.seen.length, 1);
  });

  it("accepts the warnings a test says it provokes", async () => {
    await using warnings = expectWarning("MW_WARN_NEVER_AWAITED");
    const forgotten = coroutine(async () => 1);
    await runTest(
      async () => {
        // eslint-disable-next-line typescript/no-floating-promises -- forgetting it is the point
        forgotten();
      },
      { expectWarnings: ["MW_WARN_NEVER_AWAITED"] },
    );
    assert.equal(warnings.seen.length, 1);
  });

  it("is cancelled with the scope around it", async () => {
    let seen = false;
    await cancelScope(async (scope) => {
      await runTest(async () => {
        scope.cancel("enough");
        try {
          await sleep(1);
        } catch (error) {
          seen = isCancelled(error);
          throw error;
        }
      });
    });
    assert.equal(seen, true);
  });

  it("refuses a time limit that is none", async () => {
    await assert.rejects(
      runTest(async () => 1, { timeoutMs: 0 }),
      UsageError,
    );
  });

  it("takes its listeners off the process", async () => {
    const count = (): number => process.listenerCount("warning") + process.listenerCount("unhandledRejection");
    const before = count();
    await runTest(async () => 1);
    await runTest(async () => assert.fail("on purpose")).catch(() => {});
    assert.equal(count(), before);
  });
});
