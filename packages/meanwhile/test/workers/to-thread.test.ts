import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { threadId } from "node:worker_threads";

import { CancelledError, gather, moveOnAfter, run, timeout, UsageError } from "meanwhile";
import { toThread, WorkerCrashedError, WorkerError } from "meanwhile/workers";

const factor = 3;

function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/** What a call in a run fails with. */
async function failureOf(job: () => Promise<unknown>): Promise<Error & { code?: string }> {
  return run(job).then(
    () => assert.fail("nothing was thrown"),
    (error: Error) => error,
  );
}

describe("toThread", () => {
  it("calls a function in another thread", async () => {
    const thread = await run(() =>
      toThread(async () => {
        const threads = await import("node:worker_threads");
        return threads.threadId;
      }),
    );
    assert.notEqual(thread, threadId);
  });

  it("takes functions of every form, and arguments that can be cloned", async () => {
    await run(async () => {
      const results = await gather([
        () => toThread(fibonacci, 10),
        () => toThread((a: number, b: number) => a + b, 1, 2),
        () => toThread(async ({ text }: { text: string }) => text.toUpperCase(), { text: "a" }),
        () => toThread((map: Map<string, Date>) => map, new Map([["now", new Date(0)]])),
        () =>
          toThread(function named(this: unknown) {
            return this === undefined;
          }),
      ] as const);
      assert.deepEqual(results, [55, 3, "A", new Map([["now", new Date(0)]]), true]);
    });
  });

  it("names a variable that is not part of the function", async () => {
    const error = await failureOf(() =>
      toThread(function scaled(n: number) {
        return n * factor;
      }, 2),
    );
    assert.ok(error instanceof WorkerError);
    assert.equal(error.code, "MW_ERR_WORKER_CAPTURED");
    assert.match(error.message, /"scaled" in a thread: it uses "factor"/);
    const own = await failureOf(() =>
      toThread(() => {
        throw new ReferenceError("of its own");
      }),
    );
    assert.equal(own.code, undefined);
  });

  it("refuses before anything is sent what cannot run elsewhere", async () => {
    const methods = {
      add(a: number): number {
        return a;
      },
    };
    const rows: ReadonlyArray<readonly [unknown, RegExp]> = [
      [Reflect.get(methods, "add"), /the function "add" in a thread: it is a method/],
      [fibonacci.bind(null), /bound/],
      [Math.max, /bound or a function of the engine/],
      [class extends Date {}, /it is a class/],
      [function* () {}, /it is a generator/],
      [async function* () {}, /it is a generator/],
      ["fibonacci", /it is no function/],
    ];
    for (const [value, text] of rows) {
      const error = await failureOf(() => toThread(value as () => void));
      assert.equal(error.code, "MW_ERR_WORKER_INVALID_ARGUMENT");
      assert.match(error.message, text);
    }
  });

  it("names the function where a value cannot be sent or the thread dies", async () => {
    const sent = await failureOf(() =>
      toThread(
        (fn: unknown) => fn,
        () => 1,
      ),
    );
    assert.deepEqual([sent.code, /args\[0\] is a function/.test(sent.message)], ["MW_ERR_WORKER_NOT_CLONEABLE", true]);
    const died = await failureOf(() =>
      toThread(function leaves() {
        process.exit(3);
      }),
    );
    assert.ok(died instanceof WorkerCrashedError);
    assert.deepEqual([died.job, died.exitCode], ["leaves", 3]);
    assert.match(died.stack ?? "", /Cannot finish "leaves"/);
  });

  it("is cancelled with its scope", async () => {
    await run(async () => {
      const waits = async (): Promise<void> => {
        const { sleepForever } = await import("meanwhile");
        await sleepForever();
      };
      assert.equal(await moveOnAfter(5, () => toThread(waits)), undefined);
      await assert.rejects(
        timeout(5, () => toThread(waits)),
        { code: "MW_ERR_TIMEOUT", message: /"waits"/ },
      );
    });
    await assert.rejects(
      run(() => toThread(() => 1), { signal: AbortSignal.abort() }),
      CancelledError,
    );
  });

  it("needs a run, each of which has threads of its own that end with it", async () => {
    await assert.rejects(
      toThread(() => 1),
      (error) => error instanceof UsageError && error.code === "MW_ERR_OUTSIDE_RUN" && /toThread/.test(error.message),
    );
    const threads = await Promise.all(
      [1, 2].map(() => run(() => toThread(async () => (await import("node:worker_threads")).threadId))),
    );
    assert.notEqual(threads[0], threads[1]);
  });
});
