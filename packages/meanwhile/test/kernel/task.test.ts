// Tasks: start, end, who is told what, and whose cancellation it was.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";

import {
  CancelledError,
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  currentSignal,
  currentTask,
  DeadlockError,
  Event,
  gather,
  isCancelled,
  moveOnAfter,
  now,
  run,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
  taskGroup,
  timeout,
  TimeoutError,
} from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { givesWay } from "../util/outcomes.ts";
import { caught } from "./caught.ts";

describe("A task", () => {
  it("starts in a microtask, after its creator has it", async () => {
    await runTest(async () => {
      const order: string[] = [];
      const task: Task<void> = createTask(() => void order.push(`runs as ${task.name}`), { name: "mine" });
      order.push("created");
      await task;
      assert.deepEqual(order, ["created", "runs as mine"]);
    });
  });

  it("is named by its creator, else after its function, else by its number", async () => {
    await runTest(async () => {
      const lazy = coroutine(async function fetchRows() {});
      async function load(): Promise<void> {}
      const tasks = [
        createTask(load, { name: "given" }),
        createTask(load),
        createTask(lazy()),
        createTask(() => undefined),
      ];
      const [given, named, fromCoroutine, anonymous] = tasks.map(({ name }) => name);
      assert.deepEqual([given, named, fromCoroutine], ["given", "load", "fetchRows"]);
      assert.equal(anonymous, `task ${tasks[3]?.id}`);
      assert.equal(new Set(tasks.map(({ id }) => id)).size, 4);
      for (const task of tasks) await task;
    });
  });

  it("gives its value to everybody who awaits it, before or after its end", async () => {
    await runTest(async () => {
      const task = createTask(() => sleep(1).then(() => "value"));
      assert.deepEqual([task.done, task.cancelled], [false, false]);
      assert.deepEqual(await gather([() => task, () => task]), ["value", "value"]);
      assert.deepEqual([task.done, task.cancelled], [true, false]);
      assert.equal(await task, "value");
    });
  });

  it("gives its error to everybody who awaits it", async () => {
    await runTest(async () => {
      const error = new RangeError("from the task");
      const task = createTask(async () => {
        await sleep(1);
        throw error;
      });
      const both = await Promise.all([caught(task), caught(task)]);
      assert.deepEqual(both, [error, error]);
      assert.equal(await caught(task), error);
      assert.equal(task.cancelled, false);
    });
  });

  it("fails when its function throws synchronously", async () => {
    await runTest(async () => {
      const error = new RangeError("at once");
      const task = createTask(() => {
        throw error;
      });
      assert.equal(await caught(task), error);
    });
  });

  it("awaits a lazy coroutine that its function returns inside itself", async () => {
    await runTest(async () => {
      let ranIn: unknown;
      const lazy = coroutine(async () => {
        ranIn = currentTask();
      });
      const task = createTask(() => lazy());
      await task;
      assert.equal(ranIn, task);
    });
  });

  it("can be chained like a promise", async () => {
    await runTest(async () => {
      const task = createTask(async () => 20);
      assert.equal(await task.then((value) => value + 1), 21);
      assert.equal(await task.then(), 20);
      const failing = createTask(() => Promise.reject(new RangeError("no")));
      assert.equal(await failing.then(null, () => "handled"), "handled");
    });
  });

  it("keeps the AsyncLocalStorage of its creator's program", async () => {
    await runTest(async () => {
      const user = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      await user.run("Ada", () =>
        gather([
          async () => {
            await sleep(1);
            seen.push(user.getStore());
          },
          () => timeout(5, () => void seen.push(user.getStore())),
          () => createTask(async () => void seen.push(user.getStore())),
          () => taskGroup((group) => void group.createTask(() => void seen.push(user.getStore()))),
        ]),
      );
      assert.deepEqual(seen, ["Ada", "Ada", "Ada", "Ada"]);
      assert.equal(user.getStore(), undefined);
    });
  });

  it("cannot await itself", async () => {
    await runTest(async () => {
      const task: Task<unknown> = createTask(async () => caught(task), { name: "narcissus" });
      const error = (await task) as Error & { code: string };
      assert.equal(error.code, "MW_ERR_AWAIT_SELF");
      assert.match(error.message, /"narcissus"/);
    });
  });
});

describe("A cancelled task", () => {
  it("that has not started runs to its first checkpoint, so that its finally runs", async () => {
    await runTest(async () => {
      const ran: string[] = [];
      const task = createTask(async () => {
        ran.push("start");
        try {
          await checkpoint();
          ran.push("not reached");
        } finally {
          ran.push("finally");
        }
      });
      task.cancel();
      await caught(task);
      assert.deepEqual(ran, ["start", "finally"]);
      assert.equal(task.cancelled, true);
    });
  });

  it("goes on until its cleanup has ended", async () => {
    await runTest(async () => {
      const task = createTask(async () => {
        try {
          await sleepForever();
        } finally {
          await shield(() => sleep(10));
        }
      });
      await sleep(1);
      task.cancel();
      await sleep(5);
      assert.deepEqual([task.done, task.cancelled], [false, false]);
      await sleep(6);
      assert.deepEqual([task.done, task.cancelled], [true, true]);
    });
  });

  it("is an ordinary failure to others: TaskCancelledError, for which isCancelled is false", async () => {
    await runTest(async () => {
      const task = createTask(() => sleepForever(), { name: "victim" });
      const waiting = caught(task);
      await sleep(1);
      task.cancel("no longer needed");
      const early = await waiting;
      const late = await caught(task);
      for (const error of [early, late]) {
        assert.ok(error instanceof TaskCancelledError);
        assert.equal(error.code, "MW_ERR_TASK_CANCELLED");
        assert.equal(isCancelled(error), false);
        assert.equal(error.message, 'Cannot await task "victim": it was cancelled (Cancelled: no longer needed)');
        assert.ok(error.cause instanceof CancelledError);
      }
      assert.notEqual(early, late);
    });
  });

  it("may return a value all the same, and then has succeeded", async () => {
    await runTest(async () => {
      const task = createTask(async () => {
        await caught(sleepForever());
        return "made up its mind";
      });
      await sleep(1);
      task.cancel();
      assert.equal(await task, "made up its mind");
      assert.equal(task.cancelled, false);
    });
  });

  it("may fail with another error, which is then its error", async () => {
    await runTest(async () => {
      const task = createTask(async () => {
        try {
          await sleepForever();
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- what a careless cleanup does
          throw new RangeError("cleanup went wrong");
        }
      });
      await sleep(1);
      task.cancel();
      assert.ok((await caught(task)) instanceof RangeError);
      assert.equal(task.cancelled, false);
    });
  });

  it("that nobody awaits raises no unhandled rejection", async () => {
    await run(async () => {
      createTask(() => sleepForever()).cancel();
      createTask(() => sleepForever());
      await taskGroup((group) => {
        group.createTask(() => sleepForever()).cancel();
      });
      await sleep(1);
    });
  });

  it("that has ended stays as it was", async () => {
    await runTest(async () => {
      const task = createTask(async () => "value");
      await task;
      task.cancel();
      assert.equal(task.cancelled, false);
      assert.equal(await task, "value");
    });
  });

  it("that swallows its cancellation is reported in debug mode", async () => {
    await using warnings = expectWarning("MW_WARN_SWALLOWED_CANCELLATION");
    await run(
      async () => {
        const swallower = createTask(() => caught(sleepForever()), { name: "swallower" });
        // Not reported: one that saw only a cancellation of its own making, and one that was not told.
        const absorber = createTask(() => moveOnAfter(1, () => sleepForever()));
        const deaf = createTask(() => shield(() => sleep(1)));
        await sleep(2);
        swallower.cancel();
        deaf.cancel();
        await Promise.all([swallower, absorber, deaf]);
      },
      { debug: true },
    );
    const { message } = await warnings.first();
    assert.match(message, /"swallower" was cancelled and returned/);
    assert.equal(warnings.seen.length, 1);
  });
});

describe("A stray CancelledError", () => {
  it("is a failure like any other in a task whose scopes are not cancelled", async () => {
    await runTest(async () => {
      let stray: unknown;
      await cancelScope(async (scope) => {
        scope.cancel();
        stray = await caught(checkpoint());
      });
      const task = createTask(() => Promise.reject(stray as Error));
      assert.equal(await caught(task), stray);
      assert.equal(task.cancelled, false);
      assert.equal(isCancelled(stray), false);
    });
  });

  it("is a failure also in a task that another scope cancelled", async () => {
    await runTest(async () => {
      let stray: unknown;
      await cancelScope(async (scope) => {
        scope.cancel();
        stray = await caught(checkpoint());
      });
      const task = createTask(async () => {
        await caught(sleepForever());
        throw stray;
      });
      await sleep(1);
      task.cancel();
      assert.equal(await caught(task), stray);
      assert.equal(task.cancelled, false);
    });
  });
});

describe("Awaiting a task", () => {
  it("does not own it: who is cancelled while awaiting leaves at once and the task goes on", async () => {
    await runTest(async () => {
      const task = createTask(() => sleep(100).then(() => "unharmed"));
      const result = await moveOnAfter(10, () => task);
      assert.equal(result, undefined);
      assert.equal(now(), 10);
      assert.equal(await task, "unharmed");
      assert.equal(now(), 100);
    });
  });

  it("ends after the task's cleanup if the task is inside the scope that was cancelled", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      await cancelScope(async (scope) => {
        await taskGroup(async (group) => {
          const child = group.createTask(async () => {
            try {
              await sleepForever();
            } finally {
              await shield(() => sleep(10));
              ended.push("child");
            }
          });
          await sleep(1);
          scope.cancel();
          // Told on entry, and while waiting.
          assert.ok(isCancelled(await caught(child)));
          ended.push("body");
          assert.ok(isCancelled(await caught(child)));
        });
      });
      assert.deepEqual(ended, ["child", "body"]);
      assert.equal(now(), 11);
    });
  });

  it("ends after the task's cleanup also when it waited before the cancellation, with what came of the task", async () => {
    await runTest(async () => {
      const outcomes: unknown[] = [];
      await cancelScope(async (scope) => {
        await taskGroup(async (group) => {
          const returns = group.createTask(async () => {
            await caught(sleepForever());
            await shield(() => sleep(10));
            return "a value all the same";
          });
          const ends = group.createTask(async () => {
            try {
              await sleepForever();
            } finally {
              await shield(() => sleep(20));
            }
          });
          group.createTask(async () => void outcomes.push(await returns, now()));
          group.createTask(async () => void outcomes.push(isCancelled(await caught(ends)), now()));
          await waitUntilIdle();
          scope.cancel();
        });
      });
      assert.deepEqual(outcomes, ["a value all the same", 10, true, 20]);
    });
  });

  it("throws the cancellation on entry and takes nothing, even if the task has its value", async () => {
    await runTest(async () => {
      const task = createTask(async () => "value");
      await task;
      await cancelScope(async (scope) => {
        scope.cancel();
        assert.ok(isCancelled(await caught(task)));
      });
    });
  });

  it("ends by cancellation if two tasks await each other", async () => {
    await runTest(async () => {
      const cleaned: string[] = [];
      await moveOnAfter(10, () =>
        taskGroup((group) => {
          const each = async (name: string, other: () => Task<void>): Promise<void> => {
            try {
              await sleep(1);
              await other();
            } finally {
              cleaned.push(name);
            }
          };
          const one: Task<void> = group.createTask(() => each("one", () => two));
          const two: Task<void> = group.createTask(() => each("two", () => three));
          const three: Task<void> = group.createTask(() => each("three", () => one));
        }),
      );
      assert.equal(now(), 10);
      assert.deepEqual(cleaned.toSorted(), ["one", "three", "two"]);
    });
  });

  it("ends by cancellation if a child awaits the task that waits for it", async () => {
    await runTest(async () => {
      await moveOnAfter(10, () =>
        taskGroup((group) => {
          const parent: Task<unknown> = group.createTask(async () => {
            await gather([
              async () => {
                await sleep(1);
                await parent;
              },
            ]);
          });
        }),
      );
      assert.equal(now(), 10);
    });
  });

  it("ends by cancellation on entry if the other task already awaits this one", async () => {
    await runTest(async () => {
      await moveOnAfter(10, () =>
        taskGroup((group) => {
          const first: Task<unknown> = group.createTask(async () => {
            await caught(sleepForever());
            await caught(second);
            return "first";
          });
          const second: Task<unknown> = group.createTask(async () => {
            await caught(sleepForever());
            await caught(first);
            return "second";
          });
        }),
      );
      assert.equal(now(), 10);
    });
  });

  it("that has ended gives the event loop its turn when this one has lasted too long", async () => {
    await run(async () => {
      const task = createTask(() => "value");
      await task;
      assert.equal(await givesWay(() => task), true);
      assert.equal(await task, "value");
    });
  });

  it("in a circle is a deadlock in which every finally runs", async () => {
    const cleaned: string[] = [];
    const error = await caught(
      runTest(async () => {
        await taskGroup((group) => {
          const each = async (name: string, other: () => Task<void>): Promise<void> => {
            try {
              await other();
            } finally {
              cleaned.push(name);
            }
          };
          const one: Task<void> = group.createTask(() => each("one", () => two));
          const two: Task<void> = group.createTask(() => each("two", () => one));
        });
      }),
    );
    assert.ok(error instanceof DeadlockError);
    assert.deepEqual(cleaned.toSorted(), ["one", "two"]);
  });

  it("is adopted by the scope around when nobody awaited it in its own", async () => {
    await runTest(async () => {
      const outside = createTask(() => sleep(10));
      await cancelScope(async (outer) => {
        let forgotten: Promise<unknown> | undefined;
        await cancelScope(() => {
          forgotten = caught(outside);
        });
        outer.cancel();
        assert.ok(isCancelled(await forgotten));
      });
      await outside;
    });
  });

  it("looks past foreign code when it searches for circles", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      await cancelScope((scope) =>
        taskGroup(async (group) => {
          const child = group.createTask(async () => {
            currentSignal();
            await shield(() => sleep(10));
            ended.push("child");
          });
          await checkpoint();
          scope.cancel();
          await caught(child);
          ended.push("body");
        }),
      );
      assert.deepEqual(ended, ["child", "body"]);
    });
  });
});

describe("Disposing a task", () => {
  it("cancels it and waits for its cleanup", async () => {
    await runTest(async () => {
      let cleaned = false;
      {
        await using task = createTask(async () => {
          try {
            await sleepForever();
          } finally {
            await shield(() => sleep(10));
            cleaned = true;
          }
        });
        await sleep(1);
        assert.equal(task.done, false);
      }
      assert.equal(cleaned, true);
    });
  });

  it("waits also in a scope that is cancelled, and does not throw its cancellation", async () => {
    await runTest(async () => {
      let cleaned = false;
      await cancelScope(async (scope) => {
        {
          await using task = createTask(async () => {
            try {
              await sleepForever();
            } finally {
              await shield(() => sleep(10));
              cleaned = true;
            }
          });
          await sleep(1);
          assert.equal(task.done, false);
          scope.cancel();
        }
        assert.equal(cleaned, true);
      });
      assert.equal(cleaned, true);
    });
  });

  it("does nothing to a task that has ended, also in failure", async () => {
    await runTest(async () => {
      const done = createTask(async () => 1);
      await done;
      const failed = createTask(() => Promise.reject(new RangeError("told")));
      await caught(failed);
      await done[Symbol.asyncDispose]();
      await failed[Symbol.asyncDispose]();
    });
  });

  it("drops the value of a task that returns one all the same", async () => {
    await runTest(async () => {
      const task = createTask(async () => {
        await caught(sleepForever());
        return "value";
      });
      await sleep(1);
      await task[Symbol.asyncDispose]();
      assert.equal(await task, "value");
    });
  });

  it("throws the error of a task that fails while it is cancelled", async () => {
    await runTest(async () => {
      const task = createTask(async () => {
        await caught(sleepForever());
        throw new RangeError("cleanup went wrong");
      });
      await sleep(1);
      assert.ok((await caught(task[Symbol.asyncDispose]())) instanceof RangeError);
    });
  });

  it("throws the error of a task that fails because a third task was cancelled", async () => {
    await runTest(async () => {
      const third = createTask(() => sleepForever());
      const task = createTask(async () => {
        await caught(sleepForever());
        await shield(() => third);
      });
      await sleep(1);
      third.cancel();
      assert.ok((await caught(task[Symbol.asyncDispose]())) instanceof TaskCancelledError);
      assert.equal(task.cancelled, false);
    });
  });
});

describe("Disposing a task that does not end", () => {
  it("gives up after the grace time of the run, and leaves the task to its owner", async () => {
    await runTest(async () => {
      const stubborn = createTask(() => shield(() => sleep(60_000)));
      await sleep(0);
      await stubborn[Symbol.asyncDispose]();
      assert.equal(now(), 5_000);
      assert.equal(stubborn.done, false);
      await stubborn;
      assert.equal(now(), 60_000);
    });
  });
});

describe("A task that ends with a composite error", () => {
  it("is cancelled if all parts are its cancellation", async () => {
    await runTest(async () => {
      const task = createTask(async () => {
        const first = await caught(sleepForever());
        throw new AggregateError([first, new SuppressedError(await caught(checkpoint()), await caught(checkpoint()))]);
      });
      await sleep(1);
      task.cancel();
      assert.ok((await caught(task)) instanceof TaskCancelledError);
      assert.equal(task.cancelled, true);
    });
  });

  it("fails with the only other error in it", async () => {
    await runTest(async () => {
      const other = new RangeError("cleanup went wrong");
      const task = createTask(async () => {
        throw new SuppressedError(other, await caught(sleepForever()));
      });
      await sleep(1);
      task.cancel();
      assert.equal(await caught(task), other);
    });
  });
});

describe("A timeout around an awaited task", () => {
  it("is a timeout of the waiter, not of the task", async () => {
    await runTest(async () => {
      const event = new Event();
      const task = createTask(() => event.wait());
      assert.ok((await caught(timeout(5, () => task))) instanceof TimeoutError);
      assert.equal(task.done, false);
      event.set();
      await task;
    });
  });
});

describe("A task whose job returns a promise that cannot be subscribed to", () => {
  it("fails with the error of that, and keeps no other one from its start", async () => {
    let hasRun = false;
    const failing = taskGroup((group) => {
      group.createTask(() => {
        const get = (): never => {
          throw new RangeError("no constructor");
        };
        return Object.defineProperty(Promise.resolve(), "constructor", { get });
      });
      group.createTask(() => {
        hasRun = true;
      });
    });
    assert.match(String(await caught(failing)), /no constructor/);
    assert.equal(hasRun, true);
  });
});
