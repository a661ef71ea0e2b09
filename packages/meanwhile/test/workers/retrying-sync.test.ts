import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { fixed, type RetryEvent, run, UsageError } from "meanwhile";
import { retryingSync, runSync } from "meanwhile/workers";

import { expectWarning } from "../../../../tools/test-setup.ts";

const QUICK = { backoff: fixed(1) };

/** Fails so many times, then returns what it was given. */
function failing(times: number): { (this: unknown, text: string): string; calls: number } {
  const fails = Object.assign(
    (text: string): string => {
      fails.calls += 1;
      if (fails.calls <= times) throw new RangeError(`attempt ${fails.calls}`);
      return text;
    },
    { calls: 0 },
  );
  return fails;
}

describe("retryingSync", () => {
  it("calls again until the function returns, and pauses in between", () => {
    const events: RetryEvent[] = [];
    const parse = retryingSync(failing(2), { ...QUICK, onRetry: (event) => events.push(event) });
    const started = performance.now();
    assert.equal(parse("done"), "done");
    assert.ok(performance.now() - started >= 2);
    assert.deepEqual(
      events.map(({ attempt, delayMs, error }) => [attempt, delayMs, (error as Error).message]),
      [
        [1, 1, "attempt 1"],
        [2, 1, "attempt 2"],
      ],
    );
  });

  it("throws the last error with the number of attempts", () => {
    assert.throws(() => retryingSync(failing(9), QUICK)("x"), { message: "attempt 3", attempts: 3 });
    assert.throws(() => retryingSync(failing(9), { ...QUICK, when: (_error, attempt) => attempt < 2 })("x"), {
      attempts: 2,
    });
    assert.throws(() => retryingSync(failing(9), { backoff: fixed(50), totalMs: 20 })("x"), { attempts: 1 });
  });

  it("keeps name, this and arguments", () => {
    const account = {
      balance: 7,
      add: retryingSync(function add(this: { balance: number }, amount: number) {
        return this.balance + amount;
      }),
    };
    assert.deepEqual([account.add(1), account.add.name], [8, "add"]);
  });

  it("refuses a function that returns a promise, and what only awaiting code can have", () => {
    let calls = 0;
    const load = retryingSync(async () => void (calls += 1), QUICK);
    assert.throws(load, (error) => error instanceof UsageError && /wrap it with retrying\(\)/.test(error.message));
    assert.equal(calls, 1);
    const late = { attemptTimeoutMs: 5 } as object;
    assert.throws(() => retryingSync(() => 1, late), { code: "MW_ERR_INVALID_ARGUMENT", message: /attemptTimeoutMs/ });
  });

  it("reports the error of the attempt if the policy throws another", async () => {
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    const when = (): boolean => {
      throw new TypeError("policy");
    };
    assert.throws(() => retryingSync(failing(1), { when })("x"), /policy/);
    await warnings.first();
    assert.throws(() => retryingSync(failing(1), { when: (async () => true) as never })("x"), UsageError);
  });

  it("is refused inside of a run, and works in the function of a worker", async () => {
    await assert.rejects(
      run(async () => retryingSync(failing(1), QUICK)("x")),
      { code: "MW_ERR_WORKER_WOULD_BLOCK" },
    );
    assert.equal(runSync(new URL("./modules/sync-functions.ts", import.meta.url), "retries", "done"), "done");
  });
});
