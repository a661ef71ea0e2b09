import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { DeadlockError, sleep, TimeoutError } from "meanwhile";
import { runSync, SyncModule, WorkerCrashedError } from "meanwhile/workers";

const FUNCTIONS = new URL("./modules/sync-functions.ts", import.meta.url);

type Functions = typeof import("./modules/sync-functions.ts");

describe("a call of runSync that does not end by itself", () => {
  it("cancels a call when its time is up, and lets it clean up", () => {
    using functions = new SyncModule<Functions>(FUNCTIONS, { timeoutMs: 300, graceMs: 5_000 });
    const log = new Int32Array(new SharedArrayBuffer(4));
    const thread = threadOf(functions);
    const error = thrownBy(() => runSync(functions, "cleansUp", log));
    assert.ok(error instanceof TimeoutError);
    assert.match(error.message, /the 'timeoutMs' of 300 ms for "cleansUp" has passed/);
    assert.equal(log[0], 1);
    assert.equal(threadOf(functions), thread);
  });

  it("fails if no thread can be started", () => {
    using module = new SyncModule<Functions>(FUNCTIONS, { execArgv: ["--no-such-option"] });
    assert.throws(() => runSync(module, "add", 1, 2), {
      code: "MW_ERR_WORKER_MODULE",
      message: /Cannot start a thread for .*sync-functions\.ts: .*--no-such-option/,
    });
  });

  it("terminates a thread that computes on when its time is up", () => {
    using functions = new SyncModule<Functions>(FUNCTIONS, { timeoutMs: 200, graceMs: 1_000 });
    const thread = threadOf(functions);
    assert.throws(() => runSync(functions, "spins"), { code: "MW_ERR_TIMEOUT", message: /its thread was terminated/ });
    assert.notEqual(threadOf(functions), thread);
  });

  it("tells how a thread ended that cannot answer any more, and goes on with another", () => {
    using functions = new SyncModule<Functions>(FUNCTIONS, { resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const exit = thrownBy(() => runSync(functions, "exitsMeanwhile", 3));
    assert.ok(exit instanceof WorkerCrashedError);
    assert.deepEqual([exit.code, exit.exitCode, exit.job], ["MW_ERR_WORKER_CRASHED", 3, "exitsMeanwhile"]);
    const thrown = thrownBy(() => runSync(functions, "throwsInATimer"));
    assert.ok(thrown instanceof WorkerCrashedError && thrown.cause instanceof RangeError);
    assert.match(thrown.message, /"in a timer" was thrown and caught by nobody/);
    assert.throws(() => runSync(functions, "fillsItsMemory"), { code: "MW_ERR_WORKER_CRASHED", message: /memory/ });
    assert.throws(() => runSync(functions, "neverSettles"), DeadlockError);
    assert.equal(runSync(functions, "add", 1, 2), 3);
  });

  it("does not blame a call that a thread has got and not begun when it ended", () => {
    using functions = new SyncModule<Functions>(FUNCTIONS);
    for (let round = 0; round < 3; round++) {
      const { thread } = runSync(functions, "where");
      runSync(functions, "exits", 3);
      // One call after another: the thread ends between two of them, when the second is on its way.
      while (runSync(functions, "where").thread === thread);
    }
  });

  it("does not blame a call for a thread that had ended before it", async () => {
    using functions = new SyncModule<Functions>(FUNCTIONS);
    const { thread } = runSync(functions, "where");
    runSync(functions, "exits", 3);
    while (runSync(functions, "where").thread === thread) await sleep(1);
    assert.equal(runSync(functions, "add", 1, 2), 3);
  });
});

/** The number of the thread, once it is there: its start counts, and a busy machine takes its time. */
function threadOf(functions: SyncModule<Functions>): number {
  for (;;) {
    try {
      return runSync(functions, "where").thread;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
    }
  }
}

function thrownBy(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
  return assert.fail("nothing was thrown");
}
