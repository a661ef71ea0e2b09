// Task groups: who waits for whom, which errors come out, and what a cancellation does to them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  CancelledError,
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  currentTask,
  isCancelled,
  moveOnAfter,
  now,
  shield,
  sleep,
  sleepForever,
  type Task,
  TaskCancelledError,
  type TaskGroup,
  taskGroup,
  TaskGroupError,
  timeout,
  TimeoutError,
  unwrapSingle,
} from "meanwhile";
import { addInstrument } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { unhurried } from "../util/unhurried.ts";
import { caught, letMicrotasksRun } from "./caught.ts";

/** The errors in the TaskGroupError that `work` rejects with. */
async function errorsOf(work: PromiseLike<unknown>): Promise<unknown[]> {
  const error = await caught(work);
  assert.ok(error instanceof TaskGroupError);
  return error.errors;
}

describe("taskGroup", () => {
  it("returns the value of its body after all tasks have ended", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      const value = await taskGroup((group) => {
        group.createTask(() => sleep(20).then(() => ended.push("slow")));
        group.createTask(() => sleep(10).then(() => ended.push("fast")));
        return "value";
      });
      assert.equal(value, "value");
      assert.deepEqual(ended, ["fast", "slow"]);
    });
  });

  it("starts its tasks after the caller has them, in order", async () => {
    const order: string[] = [];
    await taskGroup(async (group) => {
      group.createTask(() => void order.push("first"));
      group.createTask(() => void order.push("second"));
      order.push("body");
    });
    assert.deepEqual(order, ["body", "first", "second"]);
  });

  it("works outside of a run", async () => {
    assert.equal(await taskGroup(async (group) => group.createTask(async () => 42)), 42);
  });

  it("cancels the other tasks and the body at the first failure", async () => {
    await runTest(async () => {
      const told: string[] = [];
      const waiting = async (name: string): Promise<void> => {
        const error = await caught(sleepForever());
        assert.ok(isCancelled(error));
        told.push(name);
        throw error;
      };
      const failure = new RangeError("the first");
      const errors = await errorsOf(
        taskGroup(async (group) => {
          group.createTask(() => waiting("task"));
          group.createTask(async () => {
            await sleep(1);
            throw failure;
          });
          await waiting("body");
        }),
      );
      assert.deepEqual(errors, [failure]);
      assert.deepEqual(told.toSorted(), ["body", "task"]);
    });
  });

  it("throws every error in the order they came, those of cleanup included", async () => {
    await runTest(async () => {
      const [one, two, three] = [new RangeError("task"), new RangeError("cleanup"), new RangeError("body")];
      const error = await caught(
        taskGroup(async (group) => {
          group.createTask(async () => {
            await sleep(1);
            throw one;
          });
          group.createTask(async () => {
            await caught(sleepForever());
            await shield(() => sleep(1));
            throw two;
          });
          await caught(sleepForever());
          await shield(() => sleep(2));
          throw three;
        }),
      );
      assert.ok(error instanceof TaskGroupError);
      assert.equal(error.code, "MW_ERR_TASK_GROUP");
      assert.equal(error.message, "3 of the tasks in the group failed; the first error is RangeError: task");
      assert.deepEqual(error.errors, [one, two, three]);
    });
  });

  it("wraps also a single error, and one that is no Error", async () => {
    const error = await caught(taskGroup(() => Promise.reject("just a text")));
    assert.ok(error instanceof TaskGroupError);
    assert.match(error.message, /the first error is "just a text"/);
    assert.equal(unwrapSingle(error), "just a text");
  });

  it("has an error once, although body and task both threw it", async () => {
    const failure = new RangeError("told twice");
    const errors = await errorsOf(
      taskGroup(async (group) => {
        await group.createTask(() => Promise.reject(failure));
      }),
    );
    assert.deepEqual(errors, [failure]);
  });

  it("has the body's error first when that cancels the tasks", async () => {
    await runTest(async () => {
      const [body, task] = [new RangeError("body"), new RangeError("task")];
      const errors = await errorsOf(
        taskGroup(async (group) => {
          group.createTask(async () => {
            await caught(sleepForever());
            throw task;
          });
          await sleep(1);
          throw body;
        }),
      );
      assert.deepEqual(errors, [body, task]);
    });
  });

  it("does not mind a task that is cancelled alone: the others go on", async () => {
    await runTest(async () => {
      const value = await taskGroup(async (group) => {
        const victim = group.createTask(() => sleepForever());
        const other = group.createTask(() => sleep(10).then(() => "went on"));
        await sleep(1);
        victim.cancel();
        return other;
      });
      assert.equal(value, "went on");
    });
  });

  it("takes a stray CancelledError for a failure", async () => {
    let stray: unknown;
    await cancelScope(async (scope) => {
      scope.cancel();
      stray = await caught(checkpoint());
    });
    assert.deepEqual(await errorsOf(taskGroup(() => Promise.reject(stray as Error))), [stray]);
  });

  it("throws the body's TaskCancelledError if it awaited a task that was cancelled alone", async () => {
    const errors = await errorsOf(
      taskGroup(async (group) => {
        const victim = group.createTask(() => sleepForever());
        victim.cancel();
        await victim;
      }),
    );
    assert.ok(errors.length === 1 && errors[0] instanceof TaskCancelledError);
  });

  it("unpacks a composite error of its body in a cancelled group", async () => {
    const other = new RangeError("cleanup went wrong");
    const cleanup = await errorsOf(
      taskGroup(async (group) => {
        group.cancel();
        throw new SuppressedError(other, await caught(checkpoint()));
      }),
    );
    assert.deepEqual(cleanup, [other]);
    const nothing = await taskGroup(async (group) => {
      group.cancel();
      throw new AggregateError([await caught(checkpoint()), await caught(checkpoint())]);
    });
    assert.equal(nothing, undefined);
  });

  it("keeps every failure of many", async () => {
    const errors = await errorsOf(
      taskGroup((group) => {
        for (let i = 0; i < 2_000; i++) group.createTask(() => Promise.reject(new Error(`${i}`)));
      }),
    );
    assert.equal(errors.length, 2_000);
  });
});

describe("Tasks added to a group", () => {
  it("while only its tasks are left are waited for", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      await taskGroup((group) => {
        group.createTask(async () => {
          await sleep(1);
          group.createTask(async () => {
            await sleep(1);
            ended.push("grandchild");
          });
        });
      });
      assert.deepEqual(ended, ["grandchild"]);
    });
  });

  it("in any microtask around its end are either waited for or refused", async () => {
    let accepted = 0;
    for (let turns = 0; turns < 30; turns++) {
      let group: TaskGroup | undefined;
      let ended: Task<void> | undefined;
      const late = (async () => {
        await letMicrotasksRun(turns);
        try {
          ended = group?.createTask(() => sleep(0));
        } catch (error) {
          assert.equal((error as { code?: string }).code, "MW_ERR_GROUP_CLOSED");
        }
      })();
      await taskGroup((given) => {
        group = given;
        given.createTask(() => undefined);
      });
      const doneAtTheEnd = ended?.done;
      await late;
      assert.equal(ended === undefined || doneAtTheEnd === true, true, `refused or waited for, after ${turns} turns`);
      if (ended !== undefined) accepted += 1;
    }
    assert.ok(accepted > 0 && accepted < 30);
  });

  it("in any microtask after its last task, while the group waits for that, are either waited for or refused", async () => {
    let accepted = 0;
    for (let turns = 0; turns < 30; turns++) {
      let added: Task<void> | undefined;
      let late: Promise<void> | undefined;
      await taskGroup((group) => {
        const add = async (): Promise<void> => {
          await letMicrotasksRun(turns);
          try {
            added = group.createTask(() => sleep(0));
          } catch (error) {
            assert.equal((error as { code?: string }).code, "MW_ERR_GROUP_CLOSED");
          }
        };
        group.createTask(async () => {
          await sleep(0);
          late = add();
        });
      });
      const doneAtTheEnd = added?.done;
      await late;
      assert.equal(added === undefined || doneAtTheEnd === true, true, `refused or waited for, after ${turns} turns`);
      if (added !== undefined) accepted += 1;
    }
    assert.ok(accepted > 0 && accepted < 30);
  });

  it("after it was cancelled start cancelled", async () => {
    const reached: string[] = [];
    await taskGroup((group) => {
      group.cancel();
      group.createTask(async () => {
        reached.push("started");
        await checkpoint();
        reached.push("went on");
      });
    });
    assert.deepEqual(reached, ["started"]);
  });

  it("after it has ended are refused, and a coroutine among them is not reported as forgotten", async () => {
    await runTest(async () => {
      let ended: TaskGroup | undefined;
      await taskGroup((group) => {
        ended = group;
      });
      const group = ended as TaskGroup;
      const lazy = coroutine(async () => {});
      assert.throws(() => group.createTask(() => undefined), { code: "MW_ERR_GROUP_CLOSED" });
      assert.throws(() => group.createTask(lazy()), { code: "MW_ERR_GROUP_CLOSED" });
      await assert.rejects(
        group.start(() => undefined),
        { code: "MW_ERR_GROUP_CLOSED" },
      );
    });
  });

  it("must be functions or coroutines", async () => {
    await taskGroup(async (group) => {
      assert.throws(() => group.createTask(Promise.resolve() as never), {
        code: "MW_ERR_INVALID_ARGUMENT",
        message:
          "Cannot start a promise with group.createTask: its work has begun already; pass a function, like () => fetchData(), or a coroutine that was not started",
      });
      await assert.rejects(group.start(undefined as never), { code: "MW_ERR_INVALID_ARGUMENT" });
    });
  });
});

describe("group.cancel", () => {
  it("ends the group without an error of its own", async () => {
    await runTest(async () => {
      const value = await taskGroup(async (group) => {
        group.createTask(() => sleepForever());
        await sleep(1);
        group.cancel("enough");
        await sleepForever();
        return "not reached";
      });
      assert.equal(value, undefined);
    });
  });

  it("keeps the value of a body that returns one", async () => {
    const value = await taskGroup((group) => {
      group.createTask(() => sleepForever());
      group.cancel();
      return "value";
    });
    assert.equal(value, "value");
  });

  // https://github.com/python/cpython/issues/155418
  it("ends the group when a task calls it before it has waited for anything", async () => {
    await taskGroup((group) => {
      group.createTask(() => sleepForever());
      group.createTask(() => group.cancel());
    });
  });

  // https://github.com/python/cpython/issues/155433
  it("does not swallow the timeout around the group", async () => {
    await runTest(async () => {
      const error = await caught(
        timeout(10, () =>
          taskGroup(async (group) => {
            group.createTask(async () => {
              await caught(sleepForever());
              await shield(() => sleep(20));
              await checkpoint();
            });
            await sleep(5);
            group.cancel();
          }),
        ),
      );
      assert.ok(error instanceof TimeoutError);
      assert.equal(now(), 25);
    });
  });

  it("does not hide errors", async () => {
    const failure = new RangeError("all the same");
    const errors = await errorsOf(
      taskGroup(async (group) => {
        group.cancel();
        await caught(checkpoint());
        throw failure;
      }),
    );
    assert.deepEqual(errors, [failure]);
  });

  it("is also there as the scope of the group", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        group.scope.deadline = now() + 10;
        group.createTask(() => sleepForever());
      });
      assert.equal(now(), 10);
    });
  });
});

describe("A group that is cancelled from outside", () => {
  it("throws the cancellation when body and tasks have cleaned up", async () => {
    await runTest(async () => {
      let cleaned = false;
      const result = await moveOnAfter(10, async () => {
        const error = await caught(
          taskGroup(async (group) => {
            group.createTask(async () => {
              try {
                await sleepForever();
              } finally {
                await shield(() => sleep(5));
                cleaned = true;
              }
            });
            await sleepForever();
          }),
        );
        assert.equal(cleaned, true);
        assert.ok(isCancelled(error));
        throw error;
      });
      assert.equal(result, undefined);
    });
  });

  it("throws it also if only tasks were cancelled and the body had returned", async () => {
    await runTest(async () => {
      const passed = await moveOnAfter(10, async () => {
        await taskGroup((group) => {
          group.createTask(() => sleepForever());
          return "value of the body";
        });
        return "not reached";
      });
      assert.equal(passed, undefined);
    });
  });

  it("keeps its value if nobody in it was stopped, and leaves the throwing to the next checkpoint", async () => {
    await cancelScope(async (scope) => {
      const value = await taskGroup(async () => {
        scope.cancel();
        return "value";
      });
      assert.equal(value, "value");
      assert.ok(isCancelled(await caught(checkpoint())));
    });
  });

  it("throws its errors if tasks fail at once, and the cancellation comes at the next checkpoint", async () => {
    await runTest(async () => {
      const failure = new RangeError("meanwhile");
      let after: unknown;
      const result = await moveOnAfter(10, async () => {
        const errors = await errorsOf(
          taskGroup(async (group) => {
            group.createTask(async () => {
              await caught(sleepForever());
              throw failure;
            });
            await sleepForever();
          }),
        );
        assert.deepEqual(errors, [failure]);
        after = await caught(checkpoint());
        throw after;
      });
      assert.equal(result, undefined);
      assert.ok(after instanceof CancelledError);
    });
  });

  it("keeps waiting however often it is cancelled", async () => {
    await runTest(async () => {
      let ended = false;
      await moveOnAfter(1, () =>
        moveOnAfter(2, () =>
          moveOnAfter(3, () =>
            taskGroup((group) => {
              group.createTask(() =>
                shield(async () => {
                  await sleep(10);
                  ended = true;
                }),
              );
            }),
          ),
        ),
      );
      assert.equal(ended, true);
    });
  });
});

describe("A task of a group", () => {
  it("is governed by the scopes around the group, not by those around createTask", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        const task = await moveOnAfter(5, async () => {
          const created = group.createTask(() => sleep(20).then(() => "outlived the scope"));
          return () => created;
        });
        await moveOnAfter(10, () => sleepForever());
        assert.equal(await task?.(), "outlived the scope");
      });
    });
  });
});

describe("group.start", () => {
  it("waits until the job calls started, returns its argument, and leaves the job to the group", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      await taskGroup(async (group) => {
        const port = await group.start<number>(async (started) => {
          await sleep(10);
          started(8080);
          started(1); // changes nothing
          await sleep(10);
          ended.push("server");
        });
        assert.equal(port, 8080);
        assert.equal(now(), 10);
        ended.push("body");
      });
      assert.deepEqual(ended, ["body", "server"]);
    });
  });

  it("returns when the job calls started before it has waited for anything", async () => {
    await taskGroup(async (group) => {
      assert.equal(await group.start<string>((started) => started("at once")), "at once");
    });
  });

  it("names the task after the job, or as told", async () => {
    const names: string[] = [];
    await taskGroup(async (group) => {
      async function serve(started: (value: void) => void): Promise<void> {
        names.push(currentTask().name);
        started();
      }
      await group.start(serve);
      await group.start(serve, { name: "server" });
    });
    assert.deepEqual(names, ["serve", "server"]);
  });

  it("throws the job's error unwrapped if it fails before it has started, and the group goes on", async () => {
    await runTest(async () => {
      const failure = new RangeError("port in use");
      const value = await taskGroup(async (group) => {
        const other = group.createTask(() => sleep(10).then(() => "went on"));
        const error = await caught(
          group.start(async () => {
            await sleep(1);
            throw failure;
          }),
        );
        assert.equal(error, failure);
        return other;
      });
      assert.equal(value, "went on");
    });
  });

  it("cancels the group if the job fails after it has started", async () => {
    await runTest(async () => {
      const failure = new RangeError("crashed");
      const errors = await errorsOf(
        taskGroup(async (group) => {
          await group.start(async (started) => {
            started();
            await sleep(1);
            throw failure;
          });
          await sleepForever();
        }),
      );
      assert.deepEqual(errors, [failure]);
    });
  });

  it("says so if the job returns without having called started, and if it calls it too late", async () => {
    await taskGroup(async (group) => {
      let late: (() => void) | undefined;
      async function forgetful(started: (value: void) => void): Promise<void> {
        late = started;
      }
      await assert.rejects(group.start(forgetful), { code: "MW_ERR_NOT_STARTED", message: /"forgetful"/ });
      await assert.rejects(
        group.start(async () => {}),
        { code: "MW_ERR_NOT_STARTED", message: /"task \d+"/ },
      );
      late?.();
    });
  });

  it("is a checkpoint: in a cancelled scope the job does not start", async () => {
    let ran = false;
    await taskGroup(async (group) => {
      await cancelScope(async (scope) => {
        scope.cancel();
        await group.start(() => {
          ran = true;
        });
      });
    });
    assert.equal(ran, false);
  });

  it("cancelled while starting cancels the job, and ends when that has cleaned up", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        let cleaned = false;
        const error = await caught(
          timeout(10, () =>
            group.start(async () => {
              try {
                await sleepForever();
              } finally {
                await shield(() => sleep(5));
                cleaned = true;
              }
            }),
          ),
        );
        assert.ok(error instanceof TimeoutError);
        assert.equal(cleaned, true);
        assert.equal(now(), 15);
      });
    });
  });

  it("cancelled while starting throws the cancellation also if the job then calls started and returns", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        for (const callsStarted of [true, false]) {
          const error = await caught(
            timeout(10, () =>
              group.start(async (started) => {
                await caught(sleepForever());
                if (callsStarted) started();
              }),
            ),
          );
          assert.ok(error instanceof TimeoutError);
        }
      });
    });
  });

  it("throws the job's own error if it fails while it is cancelled", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        const error = await caught(
          timeout(10, () =>
            group.start(async () => {
              await caught(sleepForever());
              throw new RangeError("cleanup went wrong");
            }),
          ),
        );
        assert.ok(error instanceof RangeError);
      });
    });
  });

  it("throws TaskCancelledError if somebody cancels the job alone", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        const error = await caught(
          group.start(async () => {
            currentTask().cancel("changed my mind");
            await checkpoint();
          }),
        );
        assert.ok(error instanceof TaskCancelledError);
        assert.equal(isCancelled(error), false);
      });
    });
  });

  it("leaves the job to the group: what cancelled the caller afterwards does not reach it", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      await taskGroup(async (group) => {
        await moveOnAfter(10, async () => {
          await group.start(async (started) => {
            started();
            await sleep(20);
            ended.push("server");
          });
          await sleepForever();
        });
      });
      assert.deepEqual(ended, ["server"]);
    });
  });

  it("takes a job into a cancelled group as a cancelled task", async () => {
    await runTest(async () => {
      const seen: unknown[] = [];
      await taskGroup(async (group) => {
        group.cancel();
        await shield(() =>
          group.start(async (started) => {
            await sleep(1);
            started();
            seen.push(isCancelled(await caught(sleepForever())));
          }),
        );
      });
      assert.deepEqual(seen, [true]);
    });
  });

  it("keeps the group open while a job is starting from elsewhere", async () => {
    await runTest(async () => {
      const order: string[] = [];
      let starter: Task<void> | undefined;
      await taskGroup(async (group) => {
        starter = createTask(async () => {
          await group.start(async (started) => {
            await sleep(10);
            started();
            await sleep(10);
            order.push("job");
          });
        });
        await checkpoint();
        await waitUntilIdle();
      });
      order.push("group");
      await starter;
      assert.deepEqual(order, ["job", "group"]);
    });
  });

  it("lets the group end when a job that was starting from elsewhere fails", async () => {
    await runTest(async () => {
      using _ = unhurried();
      let starting: Promise<unknown> | undefined;
      await taskGroup((group) => {
        starting = caught(
          group.start(async () => {
            await sleep(10);
            throw new RangeError("port in use");
          }),
        );
      });
      assert.equal(now(), 10);
      assert.ok((await starting) instanceof RangeError);
    });
  });

  it("cannot take a coroutine, which has no argument to call", async () => {
    await runTest(async () => {
      const lazy = coroutine(async () => {});
      await taskGroup(async (group) => {
        await assert.rejects(group.start(lazy() as never), { code: "MW_ERR_INVALID_ARGUMENT", message: /started/ });
      });
    });
  });

  it("gives the event loop its turn, as every call that waits", async () => {
    const timer = { fired: false };
    setTimeout(() => (timer.fired = true), 1);
    await taskGroup(async (group) => {
      for (let starts = 0; !timer.fired && starts < 1e6; starts++) await group.start((started) => started());
    });
    assert.equal(timer.fired, true);
  });
});

describe("Errors of a group that are no objects", () => {
  it("count each, also if they are equal", async () => {
    await runTest(async () => {
      const error = await caught(
        taskGroup(async (group) => {
          const fail = async (): Promise<never> => Promise.reject("x");
          group.createTask(fail);
          group.createTask(fail);
        }),
      );
      assert.deepEqual((error as TaskGroupError).errors, ["x", "x"]);
    });
  });
});

describe("group.start with a job that has no value to tell", () => {
  it("takes a started() without an argument", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        const nothing: void = await group.start(async (started: () => void) => started());
        assert.equal(nothing, undefined);
      });
    });
  });
});

describe("The wait of a group", () => {
  it("says in dumps how many of its tasks are left", async () => {
    await runTest(async () => {
      const waits: string[] = [];
      using instrument = addInstrument({ suspended: (waiter) => void waits.push(waiter.target.describe(waiter)) });
      assert.ok(instrument);
      await taskGroup((group) => {
        group.createTask(() => sleep(1));
        group.createTask(() => sleep(1));
      });
      assert.ok(waits.includes("2 of its tasks (taskGroup)"));
    });
  });
});
