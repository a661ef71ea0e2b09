// The lifetime of a run: who is started, cancelled and joined in which order, and whose error it rejects with.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import {
  allTasks,
  CancelledError,
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  currentScope,
  currentTask,
  gather,
  isCancelled,
  moveOnAfter,
  now,
  run,
  type RunOptions,
  shield,
  sleep,
  sleepForever,
  taskGroup,
  UsageError,
} from "meanwhile";
import { activeRunners, addInstrument, atRunExit, currentScopeNode, keepAlive } from "meanwhile/lowlevel";
import { MockClock } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { caught } from "./caught.ts";

/** A run on its own virtual time. */
async function mockRun<T>(main: () => T | PromiseLike<T>, options: RunOptions = {}): Promise<T> {
  return await run(main, { clock: new MockClock(), ...options });
}

/** Waits until cancelled, then cleans up for a while. */
async function untilCancelled(log: string[], name: string, cleanupMs = 0): Promise<void> {
  try {
    await sleepForever();
  } finally {
    await shield(() => sleep(cleanupMs));
    log.push(name);
  }
}

describe("A run", () => {
  it("resolves with what main returns", async () => {
    assert.equal(await run(() => 1), 1);
    assert.equal(await run(async () => 2), 2);
    assert.equal(await run(coroutine(async () => 3)()), 3);
    assert.equal(await run(() => coroutine(async () => 4)()), 4);
  });

  it("rejects with what main throws, at once or later, whatever it is", async () => {
    const problem = new RangeError("no");
    async function fail(): Promise<void> {
      await checkpoint();
      throw problem;
    }
    function failAtOnce(): void {
      throw problem;
    }
    assert.equal(await caught(run(fail)), problem);
    assert.equal(await caught(run(failAtOnce)), problem);
    assert.equal(await caught(run(() => Promise.reject(undefined as unknown))), undefined);
  });

  it("ends in order: main's finally, background tasks, exit callbacks, newest first", async () => {
    const log: string[] = [];
    await mockRun(async () => {
      atRunExit(() => log.push("exit callback of main"));
      createTask(async () => {
        atRunExit(async () => {
          await sleep(5);
          log.push("exit callback of a background task");
        });
        await untilCancelled(log, "slow background task", 20);
      });
      createTask(() => untilCancelled(log, "quick background task"));
      await sleep(1);
      try {
        return;
      } finally {
        await sleep(50);
        log.push("finally of main");
      }
    });
    log.push("settled");
    assert.deepEqual(log, [
      "finally of main",
      "quick background task",
      "slow background task",
      "exit callback of a background task",
      "exit callback of main",
      "settled",
    ]);
  });

  it("ends in the same order when main fails", async () => {
    const log: string[] = [];
    const failed = mockRun(async () => {
      atRunExit(() => log.push("exit callback"));
      createTask(() => untilCancelled(log, "background task", 10));
      await sleep(1);
      throw new Error("main");
    });
    assert.equal(((await caught(failed)) as Error).message, "main");
    assert.deepEqual(log, ["background task", "exit callback"]);
  });

  it("starts a background task that was created at the very end, and it is cancelled at its first checkpoint", async () => {
    const log: string[] = [];
    await mockRun(() => {
      createTask(async () => {
        log.push("started");
        await untilCancelled(log, "cancelled");
      });
    });
    assert.deepEqual(log, ["started", "cancelled"]);
  });

  it("joins what background tasks start while they are being joined", async () => {
    const log: string[] = [];
    await mockRun(async () => {
      createTask(async () => {
        try {
          await sleepForever();
        } finally {
          createTask(() => untilCancelled(log, "late task", 5));
        }
      });
      await sleep(1);
    });
    assert.deepEqual(log, ["late task"]);
  });

  it("refuses new background tasks once the last one has ended", async () => {
    let refused: unknown;
    await mockRun(() => {
      atRunExit(() => {
        try {
          createTask(async () => {});
        } catch (error) {
          refused = error;
        }
      });
    });
    assert.equal((refused as UsageError).code, "MW_ERR_OUTSIDE_RUN");
  });

  it("lets nobody slip in a background task between the last one and the exit callbacks", async () => {
    const log: string[] = [];
    await mockRun(() => {
      atRunExit(() => log.push("exit callback"));
      // Not awaited by anybody: goes on after main, a microtask at a time, until it is refused.
      let late = Promise.resolve();
      for (let step = 0; step < 30; step++) late = late.then(() => void createTask(() => log.push("task")));
      late.catch((error: UsageError) => assert.equal(error.code, "MW_ERR_OUTSIDE_RUN"));
    });
    assert.equal(log.length > 1, true);
    assert.equal(log.indexOf("exit callback"), log.length - 1);
  });

  it("reads its clock", async () => {
    const clock = new MockClock({ startMs: 1_000 });
    assert.equal(await run(() => now(), { clock }), 1_000);
    assert.equal(Math.abs((await run(() => now())) - performance.now()) < 1_000, true);
  });

  it("names main by the option, else by its function, else main", async () => {
    async function serve(): Promise<string> {
      return currentTask().name;
    }
    assert.equal(await run(serve), "serve");
    assert.equal(await run(async () => currentTask().name), "main");
    assert.equal(await run(serve, { name: "server" }), "server");
    assert.equal(await run(() => currentScopeNode().runner.name, { name: "server" }), "server");
  });

  it("can be used many times, one after another and at once, and leaves no listener behind", async () => {
    const events = ["SIGINT", "SIGTERM", "beforeExit", "exit"];
    const before = events.map((event) => process.listenerCount(event));
    for (let i = 0; i < 50; i++) await run(() => checkpoint());
    await caught(run(() => Promise.reject(new Error("no"))));
    const values = await Promise.all(Array.from({ length: 50 }, (_, i) => run(() => sleep(1).then(() => i))));
    assert.deepEqual(values.slice(0, 3), [0, 1, 2]);
    assert.deepEqual(
      events.map((event) => process.listenerCount(event)),
      before,
    );
    assert.equal(activeRunners.size, 0);
  });

  it("shares one process listener with all other runs", async () => {
    const before = ["SIGINT", "beforeExit"].map((event) => process.listenerCount(event));
    const count = (): number[] =>
      ["SIGINT", "beforeExit"].map((event, i) => process.listenerCount(event) - (before[i] ?? 0));
    const counts = await Promise.all([run(async () => count()), run(async () => count()), run(async () => count())]);
    assert.deepEqual(counts, [
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    assert.deepEqual(await run(async () => count(), { handleSignals: false }), [0, 1]);
  });

  it("leaves nothing of itself in the scope around it", async () => {
    await cancelScope(async () => {
      const scope = currentScopeNode();
      const before = scope.members().length;
      await run(async () => {
        atRunExit(() => {});
        createTask(async () => {});
      });
      await caught(run(async () => {}, { signal: 5 as never }));
      assert.equal(scope.members().length, before);
    });
  });
});

describe("A background task that fails", () => {
  it("cancels main and the other background tasks, and the run rejects with its error", async () => {
    const log: string[] = [];
    const problem = new RangeError("background");
    const failed = mockRun(async () => {
      createTask(() => untilCancelled(log, "other background task"));
      createTask(async function poll() {
        await sleep(5);
        throw problem;
      });
      try {
        await sleepForever();
      } catch (error) {
        log.push((error as CancelledError).message);
        throw error;
      }
    });
    assert.equal(await caught(failed), problem);
    assert.deepEqual(log.toSorted(), ['Cancelled: background task "poll" failed', "other background task"]);
  });

  it("ends the run also if main swallows the cancellation and returns a value", async () => {
    const problem = new Error("background");
    const failed = mockRun(async () => {
      createTask(() => Promise.reject(problem));
      await caught(sleep(10));
      return "value";
    });
    assert.equal(await caught(failed), problem);
  });

  it("ends the run also if it fails during the shutdown after main succeeded", async () => {
    const problem = new Error("cleanup");
    const failed = mockRun(async () => {
      createTask(async () => {
        try {
          await sleepForever();
        } finally {
          // oxlint-disable-next-line no-unsafe-finally
          throw problem;
        }
      });
      await sleep(1);
      return "value";
    });
    assert.equal(await caught(failed), problem);
  });

  it("belongs to whoever awaits it when it fails", async () => {
    const value = await mockRun(async () => {
      const task = createTask(async () => {
        await sleep(5);
        throw new Error("handled");
      });
      const error = await caught(task);
      await sleep(5);
      return (error as Error).message;
    });
    assert.equal(value, "handled");
  });

  it("belongs to whoever awaits it right after creating it, even if it fails at once", async () => {
    const value = await mockRun(async () => {
      const error = await caught(
        createTask(() => {
          throw new Error("at once");
        }),
      );
      await sleep(5);
      return (error as Error).message;
    });
    assert.equal(value, "at once");
  });

  it("belongs to nobody if whoever awaited it had left before, or comes later", async () => {
    const problem = new Error("too late");
    const failed = mockRun(async () => {
      const task = createTask(async () => {
        await sleep(10);
        throw problem;
      });
      await moveOnAfter(5, () => task);
      await caught(sleep(20));
      await caught(task);
    });
    assert.equal(await caught(failed), problem);
  });

  it("is reported as suppressed beside an error of main", async () => {
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    const failed = mockRun(async function main() {
      createTask(async () => {
        try {
          await sleepForever();
        } finally {
          // oxlint-disable-next-line no-unsafe-finally
          throw new RangeError("background");
        }
      });
      await sleep(1);
      throw new Error("main");
    });
    assert.equal(((await caught(failed)) as Error).message, "main");
    const warning = (await warnings.first()) as Error & { detail: string };
    assert.equal(
      warning.message,
      'The run of "main" failed: another error is thrown, beside it there was RangeError: background',
    );
    assert.match(warning.detail, /^RangeError: background\n +at .*run\.test\.ts/);
  });

  it("is thrown if it is the first of several, and each of the others is reported once", async () => {
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    const second = new Error("second");
    const failed = mockRun(async () => {
      createTask(() => Promise.reject(new Error("first")));
      createTask(() => Promise.reject(second));
      createTask(() => Promise.reject(second));
      createTask(() => Promise.reject("third, not an Error"));
      await sleepForever();
    });
    assert.equal(((await caught(failed)) as Error).message, "first");
    await turn();
    assert.equal(warnings.seen.length, 2);
    assert.match(warnings.seen[0]?.message ?? "", /Error: second$/);
    assert.match(warnings.seen[1]?.message ?? "", /"third, not an Error"$/);
  });

  it("is not reported beside main if main failed with the same error", async () => {
    const problem = new Error("same");
    const failed = mockRun(async () => {
      const task = createTask(() => Promise.reject(problem));
      createTask(async () => await task);
      await task;
    });
    assert.equal(await caught(failed), problem);
  });
});

describe("A cancelled run", () => {
  it("rejects with CancelledError if main cancels itself", async () => {
    const cancelled = mockRun(async () => {
      currentTask().cancel("enough");
      await checkpoint();
    });
    const error = (await caught(cancelled)) as CancelledError;
    assert.equal(error instanceof CancelledError, true);
    assert.equal(error.reason, "enough");
    assert.match(error.cancelledAt ?? "", /run\.test\.ts/);
  });

  it("shows who awaits the run in the stack of the error", async () => {
    async function awaitingCaller(): Promise<void> {
      await run(async () => {
        currentTask().cancel();
        await checkpoint();
      });
    }
    assert.match(((await caught(awaitingCaller())) as Error).stack ?? "", /at async awaitingCaller/);
  });

  it("resolves with main's value if main returns one all the same", async () => {
    const value = await mockRun(async () => {
      currentTask().cancel();
      await caught(checkpoint());
      return "value";
    });
    assert.equal(value, "value");
  });

  it("ends through a signal, with the reason of the signal, and detaches from it", async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const cancelled = mockRun(() => untilCancelled(log, "main cleaned up", 5), { signal: controller.signal });
    await turn();
    controller.abort("closing");
    assert.equal(((await caught(cancelled)) as CancelledError).reason, "closing");
    assert.deepEqual(log, ["main cleaned up"]);
    assert.equal(await run(() => "value", { signal: new AbortController().signal }), "value");
  });

  it("starts main in a signal that is already aborted, and main ends at its first checkpoint", async () => {
    const log: string[] = [];
    const cancelled = run(
      async () => {
        log.push("started");
        await untilCancelled(log, "cleaned up");
      },
      { signal: AbortSignal.abort("early") },
    );
    assert.equal(((await caught(cancelled)) as CancelledError).reason, "early");
    assert.deepEqual(log, ["started", "cleaned up"]);
  });
});

describe("A run inside a run", () => {
  it("is an isolated tree: its own background tasks, errors, exit callbacks and clock", async () => {
    const log: string[] = [];
    await mockRun(async () => {
      createTask(() => untilCancelled(log, "outer background task"));
      atRunExit(() => log.push("outer exit callback"));
      const error = await caught(
        run(async () => {
          atRunExit(() => log.push("inner exit callback"));
          createTask(() => Promise.reject(new Error("inner")));
          await untilCancelled(log, "inner main");
        }),
      );
      log.push((error as Error).message);
      await sleep(5);
    });
    assert.deepEqual(log, [
      "inner main",
      "inner exit callback",
      "inner",
      "outer background task",
      "outer exit callback",
    ]);
  });

  it("lists its own tasks only, and has its own main task", async () => {
    await mockRun(async function outer() {
      createTask(() => sleepForever(), { name: "background" });
      await run(async function inner() {
        createTask(() => sleepForever(), { name: "inner background" });
        assert.deepEqual(
          allTasks()
            .map(({ name }) => name)
            .toSorted(),
          ["inner", "inner background"],
        );
      });
      assert.deepEqual(
        allTasks()
          .map(({ name }) => name)
          .toSorted(),
        ["background", "outer"],
      );
    });
  });

  it("reads the clock of the outer run, unless it gets its own", async () => {
    await mockRun(async () => {
      await sleep(500);
      assert.equal(await run(() => now()), 500);
      assert.equal(await run(() => now(), { clock: new MockClock({ startMs: 7 }) }), 7);
    });
  });

  it("is cancelled with the scope around it, cleans up, and then the outer code goes on", async () => {
    const log: string[] = [];
    await mockRun(async () => {
      const value = await moveOnAfter(10, () =>
        run(async () => {
          createTask(() => untilCancelled(log, "inner background task", 20));
          atRunExit(async () => {
            await sleep(5);
            log.push("inner exit callback");
          });
          await untilCancelled(log, "inner main", 5);
        }),
      );
      log.push(`outer goes on with ${String(value)} at ${now()}`);
    });
    assert.deepEqual(log, [
      "inner main",
      "inner background task",
      "inner exit callback",
      "outer goes on with undefined at 35",
    ]);
  });

  it("throws the outer cancellation if both are cancelled", async () => {
    await mockRun(async () => {
      await cancelScope(async (scope) => {
        const error = await caught(
          run(async () => {
            currentTask().cancel("inner");
            scope.cancel("outer");
            await checkpoint();
          }),
        );
        assert.equal(isCancelled(error), true);
        assert.equal((error as CancelledError).reason, "outer");
      });
    });
  });

  it("throws the outer cancellation also if that comes after its main has ended as cancelled", async () => {
    await mockRun(async () => {
      await cancelScope(async (scope) => {
        const error = await caught(
          run(async () => {
            createTask(async () => {
              await caught(sleepForever());
              scope.cancel("outer");
            });
            await sleep(1);
            currentTask().cancel("inner");
            await checkpoint();
          }),
        );
        assert.equal((error as CancelledError).reason, "outer");
      });
    });
  });

  it("does not cancel the outer code when only it is cancelled", async () => {
    await mockRun(async () => {
      const error = await caught(
        run(async () => {
          currentTask().cancel("inner");
          await checkpoint();
        }),
      );
      assert.equal(error instanceof CancelledError, true);
      assert.equal(isCancelled(error), false);
      await checkpoint();
    });
  });

  it("does not start in a cancelled scope", async () => {
    await cancelScope(async (scope) => {
      scope.cancel();
      const error = await caught(run(() => assert.fail("started")));
      assert.equal(isCancelled(error), true);
    });
  });

  it("leaves signals to the outer run", async () => {
    await run(async () => {
      const before = process.listenerCount("SIGINT");
      await run(async () => assert.equal(process.listenerCount("SIGINT"), before));
    });
  });

  it("works in a group outside of any run, as the outermost run", async () => {
    await taskGroup(async (group) => {
      group.createTask(() => run(async () => createTask(async () => "value")).then(() => {}));
      assert.equal(await run(async () => await createTask(async () => "value")), "value");
    });
  });
});

describe("Exit callbacks", () => {
  it("may wait in a run that was cancelled from outside", async () => {
    const log: string[] = [];
    const controller = new AbortController();
    const cancelled = mockRun(
      async () => {
        atRunExit(async () => {
          await sleep(100);
          log.push("closed");
        });
        controller.abort();
        await checkpoint();
      },
      { signal: controller.signal },
    );
    await caught(cancelled);
    assert.deepEqual(log, ["closed"]);
  });

  it("are all called when one of them throws, and its error ends the run", async () => {
    const log: string[] = [];
    const failed = mockRun(() => {
      atRunExit(() => log.push("first"));
      atRunExit(() => {
        throw new Error("second");
      });
      atRunExit(async () => void log.push("third"));
      return "value";
    });
    assert.equal(((await caught(failed)) as Error).message, "second");
    assert.deepEqual(log, ["third", "first"]);
  });

  it("report their error as suppressed beside an error of main", async () => {
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    const failed = mockRun(() => {
      atRunExit(() => Promise.reject(new RangeError("exit callback")));
      throw new Error("main");
    });
    assert.equal(((await caught(failed)) as Error).message, "main");
    assert.match((await warnings.first()).message, /RangeError: exit callback/);
  });

  it("may register further ones, which are called next", async () => {
    const log: string[] = [];
    await mockRun(() => {
      atRunExit(() => log.push("first"));
      atRunExit(() => {
        log.push("second");
        atRunExit(() => log.push("third"));
      });
    });
    assert.deepEqual(log, ["second", "third", "first"]);
  });

  it("can be taken back, each once", async () => {
    const log: string[] = [];
    const callback = (): void => void log.push("called");
    await mockRun(() => {
      const first = atRunExit(callback);
      atRunExit(callback);
      first[Symbol.dispose]();
      first[Symbol.dispose]();
    });
    assert.deepEqual(log, ["called"]);
  });
});

describe("The options of run", () => {
  const bad: ReadonlyArray<[options: object, message: RegExp]> = [
    [{ graceMs: -1 }, /'graceMs' -1; pass milliseconds >= 0/],
    [{ graceMs: Number.NaN }, /'graceMs' NaN/],
    [{ graceMs: "5" }, /'graceMs' "5"/],
    [{ clock: {} }, /on the clock an object \(Object\); pass a Clock/],
    [{ clock: null }, /on the clock null/],
    [{ signal: {} }, /'signal'; pass an AbortSignal/],
  ];
  for (const [options, message] of bad) {
    it(`are refused, and main is not started, with ${Object.keys(options)[0]} ${String(Object.values(options)[0])}`, async () => {
      const error = (await caught(run(() => assert.fail("started"), options))) as UsageError;
      assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
      assert.match(error.message, message);
      assert.equal(activeRunners.size, 0);
    });
  }

  it("cannot make a job of what is not one", async () => {
    const error = (await caught(run(Promise.resolve() as never))) as UsageError;
    assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
    assert.equal(
      error.message,
      "Cannot start a promise with run: its work has begun already; pass a function, like () => fetchData(), or a coroutine that was not started",
    );
  });
});

describe("A promise where a job is needed", () => {
  it("is refused, and does not fail on its own beside that", async () => {
    const failing = (): never => Promise.reject(new Error("nobody handles this")) as never;
    const refused = { code: "MW_ERR_INVALID_ARGUMENT" };
    await assert.rejects(run(failing()), refused);
    await run(() => assert.throws(() => createTask(failing()), refused));
    await taskGroup((group) => assert.throws(() => group.createTask(failing()), refused));
    await turn();
  });
});

describe("What needs a run", () => {
  const calls: Record<string, () => unknown> = {
    createTask: () => createTask(async () => {}),
    currentTask,
    currentScope,
    allTasks,
    atRunExit: () => atRunExit(() => {}),
  };
  for (const [name, call] of Object.entries(calls)) {
    it(`is refused outside of one, with what to do: ${name}`, () => {
      assert.throws(call, (error: UsageError) => {
        assert.equal(error instanceof UsageError, true);
        assert.equal(error.code, "MW_ERR_OUTSIDE_RUN");
        assert.equal(error.message.includes(`call ${name}() inside run(main)`), true);
        return true;
      });
    });
  }

  it("is refused in what a run left behind, once the run has ended", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let late: Promise<unknown> | undefined;
    await run(() => {
      late = promise.then(() => createTask(async () => {}));
    });
    resolve();
    assert.equal(((await caught(late as Promise<unknown>)) as UsageError).code, "MW_ERR_OUTSIDE_RUN");
  });

  it("is there inside of one", async () => {
    await mockRun(async function main() {
      const task = createTask(sleepForever, { name: "background" });
      assert.equal(currentTask().name, "main");
      assert.equal(currentScope().cancelled, false);
      assert.deepEqual(
        allTasks(),
        [currentTask(), task].toReversed().toSorted((a, b) => a.id - b.id),
      );
      assert.deepEqual(await gather([async () => allTasks().length]), [3]);
    });
  });

  it("does not need one where something else owns the code: tasks of a group have a current task", async () => {
    await taskGroup((group) => {
      group.createTask(async function child() {
        assert.equal(currentTask().name, "child");
      });
    });
    await cancelScope((scope) => assert.equal(currentScope(), scope));
  });
});

describe("A task that was cancelled", () => {
  const code = "MW_WARN_STILL_SUSPENDED";

  it("is named after graceMs, with what it waits for and where it was cancelled", async () => {
    await using warnings = expectWarning(code);
    using _ = keepAlive(); // a run with nothing to wait for would be a deadlock
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = run(
      async () => {
        createTask(async function stubborn() {
          await promise;
        });
        await sleep(0);
      },
      { graceMs: 2 },
    );
    const { message, detail } = (await warnings.first()) as Error & { detail: string };
    assert.match(
      message,
      /^Task "stubborn" was cancelled 2 ms ago and is still suspended: it waits for a promise that/,
    );
    assert.match(detail, /^cancelled\n +at .*run\.ts/);
    await sleep(6);
    assert.equal(warnings.seen.length, 1);
    resolve();
    await ended;
  });

  it("is named by the innermost tasks that are stuck, not by those that wait for them", async () => {
    await using warnings = expectWarning(code);
    const controller = new AbortController();
    const ended = run(
      async function main() {
        await gather([
          async function cleaning() {
            await caught(sleepForever());
            await shield(() => sleep(9));
          },
          async function quick() {
            await sleepForever(); // ends in the microtasks of the cancellation, before any timer
          },
        ]);
      },
      { graceMs: 2, signal: controller.signal },
    );
    await turn();
    controller.abort();
    assert.match((await warnings.first()).message, /^Task "cleaning" .*: it waits for sleep \(\d+ ms left\);/);
    assert.equal(((await caught(ended)) as Error).name, "CancelledError");
    assert.equal(warnings.seen.length, 1);
  });

  it("is named if it is main itself", async () => {
    await using warnings = expectWarning(code);
    using _ = keepAlive(); // a run with nothing to wait for would be a deadlock
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = run(
      async () => {
        currentTask().cancel();
        await promise;
      },
      { graceMs: 0 },
    );
    assert.match((await warnings.first()).message, /^Task "main"/);
    resolve();
    await ended;
  });

  it("is named each after its own time", async () => {
    await using warnings = expectWarning(code);
    using _ = keepAlive(); // a run with nothing to wait for would be a deadlock
    const { promise, resolve } = Promise.withResolvers<void>();
    const stubborn = (): Promise<void> => promise;
    const named = (): unknown[] => warnings.seen.map(({ message }) => message.split(" ")[1]);
    await run(
      async () => {
        try {
          const first = createTask(stubborn, { name: "first" });
          const second = createTask(stubborn, { name: "second" });
          const third = createTask(() => sleepForever(), { name: "third" });
          await sleep(0);
          first.cancel();
          third.cancel();
          await sleep(3);
          second.cancel();
          const cancelledAt = performance.now();
          while (warnings.seen.length < 2) await sleep(1);
          assert.deepEqual(named(), ['"first"', '"second"']);
          assert.ok(performance.now() - cancelledAt > 4, "the second was named at the time of the first");
        } finally {
          resolve(); // also when the test has failed: the run waits for these tasks
        }
      },
      { graceMs: 5 },
    );
  });

  it("is not named if it ends in time, if the time is Infinity, or is longer than a timer can be", async () => {
    for (const graceMs of [5, Infinity, 1e15]) {
      await run(
        async () => {
          createTask(() => untilCancelled([], "quick"));
          await moveOnAfter(1, sleepForever);
        },
        { graceMs },
      );
    }
    await sleep(8);
  });
});

describe("A task that swallows its cancellation", () => {
  const code = "MW_WARN_SWALLOWED_CANCELLATION";

  async function swallow(): Promise<string> {
    await caught(sleepForever());
    return "as if nothing had happened";
  }

  async function cancelOne(job: () => Promise<unknown>): Promise<void> {
    const task = createTask(job);
    await sleep(0);
    task.cancel();
    await caught(task).catch(() => {});
  }

  it("is reported in debug mode, once", async () => {
    await using warnings = expectWarning(code);
    await mockRun(() => cancelOne(swallow), { debug: true });
    assert.match((await warnings.first()).message, /^Task "swallow" was cancelled and returned as if nothing/);
    assert.equal(warnings.seen.length, 1);
  });

  it("is reported if the environment asks for debug mode", async () => {
    await using warnings = expectWarning(code);
    process.env["MEANWHILE_DEBUG"] = "1";
    try {
      await mockRun(() => cancelOne(swallow));
    } finally {
      delete process.env["MEANWHILE_DEBUG"];
    }
    await warnings.first();
  });

  it("is not reported otherwise", async () => {
    await mockRun(() => cancelOne(swallow));
    await mockRun(() => cancelOne(swallow), { debug: false });
  });

  it("is not one that lets it pass, ends before it comes, or absorbs it in a scope of its own", async () => {
    await mockRun(
      async () => {
        await cancelOne(() => untilCancelled([], "passed on"));
        await cancelOne(async () => "in time");
        await moveOnAfter(1, sleepForever);
        const task = createTask(() => moveOnAfter(1, swallow));
        await sleep(5);
        await task;
      },
      { debug: true },
    );
  });
});

describe("Instruments", () => {
  it("see no task at the end of a run that has nothing to close", async () => {
    const names: string[] = [];
    using _ = addInstrument({ taskCreated: ({ name }) => names.push(name) });
    await run(async () => {});
    await run(async () => void atRunExit(() => {}));
    assert.deepEqual(names, ["main", "main", "exit callbacks"]);
  });
});
