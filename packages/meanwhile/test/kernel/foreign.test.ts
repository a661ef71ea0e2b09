// The border to plain promises and AbortSignals, in both directions.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import {
  any,
  cancellable,
  CancelledError,
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  currentSignal,
  gather,
  gatherSettled,
  isCancelled,
  moveOnAfter,
  race,
  run,
  sleep,
  sleepForever,
  taskGroup,
  timeout,
  timeoutAt,
  TimeoutError,
} from "meanwhile";
import { addInstrument } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { givesWay } from "../util/outcomes.ts";
import { unhurried } from "../util/unhurried.ts";
import { caught } from "./caught.ts";

/** A promise that rejects with `makeError(signal)` when the signal is aborted. */
function untilAborted(signal: AbortSignal, makeError: (signal: AbortSignal) => unknown): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(makeError(signal) as Error), { once: true });
  });
}

describe("cancellable", () => {
  it("gives the event loop its turn when this one has lasted too long, although it has its result", async () => {
    assert.equal(await givesWay(() => cancellable(Promise.resolve(1))), true);
    assert.equal(await givesWay(() => cancellable(() => 1)), true);
  });
});

describe("cancellable(promise)", () => {
  it("gives the promise's value or error", async () => {
    const failure = new RangeError("foreign");
    assert.equal(await cancellable(Promise.resolve(1)), 1);
    assert.equal(await caught(cancellable(Promise.reject(failure))), failure);
  });

  it("takes any thenable, also a lazy coroutine", async () => {
    const lazy = coroutine(async () => "lazy");
    assert.equal(await cancellable(lazy()), "lazy");
    await runTest(async () => {
      const task = createTask(async () => "task");
      assert.equal(await cancellable(task), "task");
    });
  });

  it("rejects at once when cancelled, and drops the late result", async () => {
    const late = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
    for (const { promise } of late) {
      await cancelScope(async (scope) => {
        setTimeout(() => scope.cancel(), 1);
        assert.ok(isCancelled(await caught(cancellable(promise))));
      });
    }
    late[0].resolve("too late");
    late[1].reject(new RangeError("too late"));
    await sleep(0);
  });

  it("wakes all who wait for the same promise, in the order they came, and each who comes later", async () => {
    const log: string[] = [];
    const { promise, reject } = Promise.withResolvers<never>();
    const each = (name: string) => async (): Promise<void> => {
      await caught(cancellable(promise));
      log.push(name);
    };
    await gather([
      each("first"),
      async () => {
        await moveOnAfter(0, each("cancelled"));
        setTimeout(() => reject(new RangeError("for all")), 1);
      },
      each("second"),
    ]);
    await each("late")();
    assert.deepEqual(log, ["cancelled", "first", "second", "late"]);
  });

  it("in a cancelled scope throws on entry, and a rejection of the promise is handled all the same", async () => {
    await cancelScope(async (scope) => {
      scope.cancel();
      assert.ok(isCancelled(await caught(cancellable(Promise.reject(new RangeError("nobody sees it"))))));
      assert.ok(isCancelled(await caught(cancellable(Promise.resolve("ready")))));
    });
    await sleep(0);
  });

  it("says what it wants instead of what is no promise", async () => {
    for (const bad of [null, undefined, 42, {}]) {
      const error = (await caught(cancellable(bad as never))) as Error & { code: string };
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
      assert.match(error.message, /^Cannot wait for .*; pass a promise, or a function/);
    }
  });
});

describe("cancellable(function)", () => {
  it("gives the value or the error of the foreign work", async () => {
    const failure = new RangeError("foreign");
    assert.equal(await cancellable((signal) => wait(1, "done", { signal })), "done");
    assert.equal(await cancellable(() => "not even a promise"), "not even a promise");
    assert.equal(await caught(cancellable(() => Promise.reject(failure))), failure);
    const thrown = cancellable(() => {
      throw failure;
    });
    assert.equal(await caught(thrown), failure);
  });

  it("does not start the work in a cancelled scope", async () => {
    let started = false;
    await cancelScope(async (scope) => {
      scope.cancel();
      await cancellable(() => {
        started = true;
      });
    });
    assert.equal(started, false);
  });

  it("aborts the work when cancelled, and waits until it has stopped", async () => {
    using _ = unhurried();
    let stopped = false;
    await cancelScope(async (scope) => {
      setTimeout(() => scope.cancel("enough"), 1);
      const error = await caught(
        cancellable(async (signal) => {
          await caught(untilAborted(signal, () => undefined));
          await wait(1);
          stopped = true;
          signal.throwIfAborted();
        }),
      );
      assert.equal(stopped, true);
      assert.ok(isCancelled(error));
      assert.equal((error as CancelledError).reason, "enough");
    });
  });

  it("takes every shape of its abort for the cancellation: the reason itself, or an error that has it as cause", async () => {
    const shapes: ReadonlyArray<(signal: AbortSignal) => unknown> = [
      (signal) => signal.reason, // fetch
      (signal) => Object.assign(new Error("aborted", { cause: signal.reason }), { name: "AbortError" }), // Node
      (signal) => new AggregateError([signal.reason, signal.reason]),
      (signal) => new SuppressedError(signal.reason, signal.reason),
    ];
    for (const shape of shapes) {
      const value = await cancelScope(async (scope) => {
        setTimeout(() => scope.cancel(), 1);
        return cancellable((signal) => untilAborted(signal, shape));
      });
      assert.equal(value, undefined); // absorbed, so it was recognised
    }
  });

  it("understands Node's own functions", async () => {
    assert.equal(await moveOnAfter(1, () => cancellable((signal) => wait(60_000, "late", { signal }))), undefined);
  });

  it("delivers a value that comes in spite of the abort", async () => {
    await cancelScope(async (scope) => {
      setTimeout(() => scope.cancel(), 1);
      const value = await cancellable(async (signal) => {
        await caught(untilAborted(signal, () => undefined));
        return "had it already";
      });
      assert.equal(value, "had it already");
      assert.ok(isCancelled(await caught(checkpoint())));
    });
  });

  it("waits for work that ignores the signal", async () => {
    await cancelScope(async (scope) => {
      const deaf = Promise.withResolvers<string>();
      const waiting = cancellable(() => deaf.promise);
      scope.cancel();
      setTimeout(() => deaf.resolve("finished all the same"), 1);
      assert.equal(await waiting, "finished all the same");
    });
  });

  it("throws another error as it is, also a foreign AbortError", async () => {
    const others: ReadonlyArray<Error> = [
      new RangeError("connection lost"),
      new DOMException("aborted by somebody else", "AbortError"),
    ];
    for (const other of others) {
      await cancelScope(async (scope) => {
        setTimeout(() => scope.cancel(), 1);
        assert.equal(await caught(cancellable((signal) => untilAborted(signal, () => other))), other);
      });
    }
  });

  it("aborts also when the work itself cancels the scope", async () => {
    await cancelScope(async (scope) => {
      let stopped = false;
      const error = await caught(
        cancellable(async (signal) => {
          scope.cancel();
          await wait(1);
          stopped = signal.aborted;
          signal.throwIfAborted();
        }),
      );
      assert.equal(stopped, true);
      assert.ok(isCancelled(error));
    });
  });

  it("aborts once when a second scope around it is cancelled, and then throws the outermost cancellation", async () => {
    const passed: string[] = [];
    let aborts = 0;
    await cancelScope(async (outer) => {
      await cancelScope(async (inner) => {
        setTimeout(() => {
          inner.cancel("inner");
          outer.cancel("outer");
        }, 1);
        await cancellable((signal) => {
          signal.addEventListener("abort", () => (aborts += 1));
          return untilAborted(signal, () => signal.reason);
        });
      });
      passed.push("the inner scope absorbed it");
    });
    assert.equal(aborts, 1);
    assert.deepEqual(passed, []);
  });

  it("that nobody awaited is aborted by the scope around", async () => {
    await cancelScope(async (outer) => {
      let forgotten: Promise<unknown> | undefined;
      await cancelScope(() => {
        forgotten = caught(cancellable((signal) => untilAborted(signal, () => signal.reason)));
      });
      outer.cancel("from around");
      const error = await forgotten;
      assert.ok(isCancelled(error));
      assert.equal((error as CancelledError).reason, "from around");
    });
  });

  it("that nobody awaited still ends as cancelled when the cancelled scope was left before", async () => {
    const deaf = Promise.withResolvers<void>();
    let forgotten: Promise<unknown> | undefined;
    await cancelScope((scope) => {
      forgotten = caught(cancellable((signal) => deaf.promise.then(() => signal.throwIfAborted())));
      scope.cancel("left behind");
    });
    deaf.resolve();
    const error = await forgotten;
    assert.ok(error instanceof CancelledError);
    assert.equal(error.reason, "left behind");
  });

  it("says in dumps what kind of wait it is", async () => {
    using _ = unhurried();
    const waits: string[] = [];
    using instrument = addInstrument({
      suspended: ({ target }) => void waits.push(`${target.foreign} ${target.describe()}`),
    });
    assert.ok(instrument);
    await cancellable(Promise.resolve());
    await cancellable(() => undefined);
    assert.deepEqual(waits, [
      "true a promise given to cancellable()",
      "true foreign work under cancellable((signal) => …)",
    ]);
  });
});

describe("currentSignal", () => {
  it("is aborted when the scope is cancelled, with a CancelledError as reason", async () => {
    await cancelScope(async (scope) => {
      const signal = currentSignal();
      assert.equal(signal.aborted, false);
      scope.cancel("enough");
      assert.equal(signal.aborted, true);
      assert.ok(isCancelled(signal.reason));
      assert.equal((signal.reason as CancelledError).reason, "enough");
    });
  });

  it("is aborted from the start in a cancelled scope", async () => {
    await cancelScope((scope) => {
      scope.cancel();
      assert.equal(currentSignal().aborted, true);
    });
  });

  it("is one signal for each scope", async () => {
    await cancelScope(async () => {
      const outer = currentSignal();
      assert.equal(currentSignal(), outer);
      await cancelScope(() => assert.notEqual(currentSignal(), outer));
      assert.equal(currentSignal(), outer);
    });
  });

  it("is aborted when a scope around is cancelled, but not from behind a shield", async () => {
    await cancelScope(async (outer) => {
      await cancelScope(async () => {
        const signal = currentSignal();
        outer.cancel();
        assert.equal(signal.aborted, true);
      });
    });
  });

  it("works outside of everything, where nothing cancels it", () => {
    assert.equal(currentSignal().aborted, false);
  });

  it("is not aborted once its scope has ended, so that the signals of short scopes do not pile up", async () => {
    await cancelScope(async (outer) => {
      let left: AbortSignal | undefined;
      await cancelScope(() => {
        left = currentSignal();
      });
      outer.cancel();
      assert.equal(left?.aborted, false);
    });
  });

  it("makes foreign errors that come of it a cancellation", async () => {
    const result = await moveOnAfter(1, () => wait(60_000, "late", { signal: currentSignal() }));
    assert.equal(result, undefined);
    await assert.rejects(
      timeout(1, () => wait(60_000, "late", { signal: currentSignal() })),
      TimeoutError,
    );
  });
});

type WithSignal = (signal: AbortSignal | undefined) => Promise<unknown>;
const forever = (): Promise<never> => sleepForever();
const SCOPE_MAKING: Readonly<Record<string, WithSignal>> = {
  any: (signal) => any([forever], { signal }),
  cancelScope: (signal) => cancelScope(forever, { signal }),
  gather: (signal) => gather([forever], { signal }),
  gatherSettled: (signal) => gatherSettled([forever], { signal }),
  moveOnAfter: (signal) => moveOnAfter(60_000, forever, { signal }),
  race: (signal) => race([forever], { signal }),
  run: (signal) => run(forever, { signal }),
  taskGroup: (signal) => taskGroup(forever, { signal }),
  "taskGroup of tasks": (signal) => taskGroup((group) => void group.createTask(forever), { signal }),
  timeout: (signal) => timeout(60_000, forever, { signal }),
  timeoutAt: (signal) => timeoutAt(performance.now() + 60_000, forever, { signal }),
};
const AT_ONCE: Readonly<Record<string, WithSignal>> = {
  any: (signal) => any([() => 1], { signal }),
  cancelScope: (signal) => cancelScope(() => 1, { signal }),
  gather: (signal) => gather([() => 1], { signal }),
  gatherSettled: (signal) => gatherSettled([() => 1], { signal }),
  moveOnAfter: (signal) => moveOnAfter(60_000, () => 1, { signal }),
  race: (signal) => race([() => 1], { signal }),
  run: (signal) => run(() => 1, { signal }),
  taskGroup: (signal) => taskGroup(() => 1, { signal }),
  timeout: (signal) => timeout(60_000, () => 1, { signal }),
  timeoutAt: (signal) => timeoutAt(performance.now() + 60_000, () => 1, { signal }),
};

describe("The option signal", () => {
  for (const [name, call] of Object.entries(SCOPE_MAKING)) {
    it(`of ${name} cancels the call and gives its reason`, async () => {
      const controller = new AbortController();
      const waiting = caught(call(controller.signal));
      await sleep(0);
      const reason = new RangeError("the user left");
      controller.abort(reason);
      const error = await waiting;
      assert.ok(error instanceof CancelledError);
      assert.equal(error.reason, reason);
      assert.equal(isCancelled(error), false); // nobody around was cancelled
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    });

    it(`of ${name} may be aborted before the call`, async () => {
      const error = await caught(call(AbortSignal.abort("gone already")));
      assert.ok(error instanceof CancelledError);
      assert.equal(error.reason, "gone already");
    });
  }

  for (const [name, call] of Object.entries(AT_ONCE)) {
    it(`of ${name} is detached when the call has ended`, async () => {
      const controller = new AbortController();
      await call(controller.signal);
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
      await call(undefined);
    });

    it(`of ${name} must be an AbortSignal`, async () => {
      const error = (await caught(call("stop" as never))) as Error & { code: string };
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
      assert.equal(error.message, `Cannot use "stop" as 'signal'; pass an AbortSignal`);
    });
  }

  it("is detached also when the body throws", async () => {
    const { signal } = new AbortController();
    await caught(timeout(60_000, () => Promise.reject(new RangeError("body")), { signal }));
    await caught(taskGroup(() => Promise.reject(new RangeError("body")), { signal }));
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("lets the body start even if it is aborted before", async () => {
    const reached: string[] = [];
    const error = await caught(
      cancelScope(
        async () => {
          reached.push("started");
          await checkpoint();
          reached.push("went on");
        },
        { signal: AbortSignal.abort() },
      ),
    );
    assert.ok(error instanceof CancelledError);
    assert.deepEqual(reached, ["started"]);
  });

  it("tells where it was aborted", async () => {
    const controller = new AbortController();
    function whoAborts(): void {
      controller.abort();
    }
    const waiting = caught(cancelScope(forever, { signal: controller.signal }));
    whoAborts();
    assert.match(((await waiting) as CancelledError).cancelledAt ?? "", /whoAborts/);
  });

  it("gives way to a cancellation from outside", async () => {
    const controller = new AbortController();
    const value = await cancelScope(async (outer) => {
      setTimeout(() => {
        controller.abort("signal");
        outer.cancel("outside");
      }, 1);
      const error = await caught(cancelScope(forever, { signal: controller.signal }));
      assert.equal((error as CancelledError).reason, "outside");
      assert.ok(isCancelled(error));
      throw error;
    });
    assert.equal(value, undefined);
  });

  it("changes nothing in a scope that was cancelled before", async () => {
    const controller = new AbortController();
    const value = await cancelScope(
      async (scope) => {
        scope.cancel("by call");
        controller.abort();
        await checkpoint();
      },
      { signal: controller.signal },
    );
    assert.equal(value, undefined);
  });

  it("is a failure like any other to the task that made the call", async () => {
    await runTest(async () => {
      const task = createTask(() => timeout(60_000, forever, { signal: AbortSignal.abort() }));
      assert.ok((await caught(task)) instanceof CancelledError);
      assert.equal(task.cancelled, false);
    });
  });
});
