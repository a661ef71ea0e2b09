// Looking at a program: which tasks there are, what each waits for, who waits for whom in a circle.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import {
  type CancelScope,
  cancelScope,
  coroutine,
  createTask,
  currentScope,
  currentTask,
  Event,
  gather,
  Lock,
  run,
  shield,
  sleep,
  sleepForever,
  type Task,
  taskGroup,
} from "meanwhile";
import { currentScopeNode, renderTaskTree, suspend, type TaskNode, tasksIn, waitsOf } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { findWaitCycle, stuckTasks, tasksDirectlyIn, whereTaskWaits } from "../../src/kernel/task-tree.ts";

/** The tree of the current run, without the numbers of the tasks. */
function tree(): string[] {
  return renderTaskTree(currentScopeNode().runner.root)
    .replaceAll(/task \d+/g, "task")
    .split("\n");
}

function node(task: Task<unknown>): TaskNode {
  return task as TaskNode;
}

describe("The tree of tasks", () => {
  it("has one line for each task, children below their parents, oldest first", async () => {
    await runTest(async function main() {
      await using _ = createTask(sleepForever, { name: "background" });
      await taskGroup(async (group) => {
        group.createTask(async function parent() {
          await cancelScope(() => gather([sleepForever, sleepForever]));
        });
        group.createTask(() => sleep(50), { name: "sleeper" });
        await waitUntilIdle();
        assert.deepEqual(tree(), [
          'task "main" waits for a promise that is not one of meanwhile',
          '  task "parent" waits for 2 of its tasks (gather)',
          '    task "sleepForever" waits for sleepForever',
          '    task "sleepForever" waits for sleepForever',
          '  task "sleeper" waits for sleep (50 ms left)',
          'task "background" waits for sleepForever',
        ]);
        group.cancel();
      });
    });
  });

  it("says that a task waits for its start, and no longer shows one that has ended", async () => {
    await runTest(async function main() {
      const task = createTask(async () => {}, { name: "new" });
      assert.equal(tree()[1], 'task "new" waits for its start');
      await task;
      assert.equal(tree().length, 1);
    });
  });

  it("names every wait of a task that waits for several things at once, in whatever scope of its own", async () => {
    await runTest(async () => {
      await using task = createTask(async () => {
        await Promise.all([shield(() => sleep(5)), new Event().wait(), suspend(() => undefined)]);
      });
      await waitUntilIdle();
      // In any order: a call that finds the turn of the event loop used up gives way first.
      assert.deepEqual(whereTaskWaits(node(task)).split(" and ").toSorted(), [
        "Event.wait",
        "sleep (5 ms left)",
        "suspend()",
      ]);
      assert.equal(waitsOf(node(task)).length, 3);
      task.cancel();
      await Promise.allSettled([task]);
      await sleep(5); // Promise.all has not waited for the shield
    });
  });

  it("is cut in print after 200 tasks", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        for (let i = 0; i < 300; i++) group.createTask(sleepForever);
        await waitUntilIdle();
        assert.equal(tree().length, 201);
        assert.equal(tree().at(-1), "  ... more tasks are not shown");
        assert.equal(tasksIn(currentScopeNode().runner.root).length, 301);
        group.cancel();
      });
    });
  });

  it("tells the tasks directly below a scope from those further down, and from other waits and scopes there", async () => {
    await runTest(async () => {
      await taskGroup(async (group) => {
        const scope = currentScopeNode();
        const parent = group.createTask(() => gather([sleepForever]));
        const waits = [sleepForever(), cancelScope(() => sleepForever()), run(() => sleepForever())];
        const ended = Promise.allSettled(waits);
        await waitUntilIdle();
        assert.deepEqual(
          Array.from(tasksDirectlyIn(scope), ({ id }) => id),
          [parent.id],
        );
        assert.equal(tasksIn(scope).length, 3);
        group.cancel();
        await ended;
      });
    });
  });

  it("tells who is stuck in a cancelled scope: those who have no children to wait for", async () => {
    await runTest(async () => {
      const names = (scope: CancelScope): string[] => stuckTasks(scope as never).map(({ name }) => name);
      await cancelScope(async (scope) => {
        const ended = taskGroup((group) => {
          group.createTask(async function parent() {
            await gather([
              async function child() {
                await shield(() => sleep(5));
              },
            ]);
          });
        });
        await waitUntilIdle();
        assert.deepEqual(names(scope), ["child"]);
        assert.deepEqual(names(currentScopeNode()), names(scope));
        scope.cancel();
        await Promise.allSettled([ended]);
        assert.deepEqual(names(scope), [currentTask().name]);
      });
    });
  });
});

describe("A circle of waits", () => {
  async function circleOf(body: () => Promise<void>): Promise<string[] | undefined> {
    return await runTest(async () => {
      const task = createTask(body, { name: "body" });
      await waitUntilIdle();
      const found = findWaitCycle(currentScopeNode().runner.root)?.map(({ name }) => name);
      task.cancel();
      await Promise.allSettled([task]);
      return found;
    });
  }

  it("may be one task that waits for itself", async () => {
    const lock = new Lock();
    const circle = await circleOf(async () => {
      using _ = await lock.acquire();
      await lock.acquire();
    });
    assert.deepEqual(circle, ["body"]);
  });

  it("is without those who wait for it but are not part of it", async () => {
    const lock = new Lock();
    const circle = await circleOf(async () => {
      await gather([
        async function holder() {
          using _ = await lock.acquire();
          await gather([
            async function inner() {
              await lock.acquire();
            },
          ]);
        },
        async function bystander() {
          await lock.acquire();
        },
      ]);
    });
    assert.deepEqual(circle, ["holder", "inner"]);
  });

  it("is not two tasks that wait for the same third one", async () => {
    const circle = await circleOf(async () => {
      const lock = new Lock();
      using _ = await lock.acquire();
      await using third = createTask(sleepForever);
      await gather([() => third, () => third]);
    });
    assert.equal(circle, undefined);
  });

  it("goes through a coroutine to the task that runs it, and ends at one that no task runs", async () => {
    const lock = new Lock();
    const circle = await circleOf(async () => {
      const waiting = coroutine(async () => {
        await lock.acquire();
      })();
      await gather([
        function runner() {
          return waiting;
        },
        async function joiner() {
          using _ = await lock.acquire();
          await waiting;
        },
      ]);
    });
    assert.deepEqual(circle, ["runner", "joiner"]);
    const outside = Promise.withResolvers<void>();
    const running = coroutine(() => outside.promise)();
    const started = running.then();
    assert.equal(await circleOf(() => running), undefined);
    outside.resolve();
    await started;
  });

  it("is found below what a task runs in a run of its own", async () => {
    const lock = new Lock();
    const circle = await circleOf(async () => {
      using _ = await lock.acquire();
      await run(async function inner() {
        await lock.acquire();
      });
    });
    assert.deepEqual(circle, ["body", "inner"]);
  });
});

describe("What console.log shows", () => {
  it("is one line for a task, a scope and a waiter, not the tree they are part of", async () => {
    await runTest(async () => {
      await using task = createTask(() => sleep(1_000), { name: "sleeper" });
      await waitUntilIdle();
      const { scope } = task as TaskNode;
      const [waiter] = waitsOf(task as TaskNode);
      assert.match(inspect(task), /^Task \d+ "sleeper" \(running\)$/);
      assert.match(inspect(scope), /^Scope of task \d+ "sleeper"$/);
      assert.equal(inspect(waiter), "Waiter for sleep (1000 ms left)");
      assert.match(inspect(scope.runner.root), /^Scope of /);
      task.cancel();
      assert.match(inspect(scope), /^Scope of task \d+ "sleeper" \(cancelled\)$/);
      assert.equal(inspect(waiter), "Waiter (settled)");
      await shield(() => assert.match(inspect(currentScope()), /^Scope of task \d+ "\w+" \(shielded\)$/));
      const left = await shield(() => currentScope());
      assert.match(inspect(left), /^Scope of \w+ \(left\) \(shielded\)$/);
      const call = coroutine(async function fetchData() {})();
      assert.equal(inspect(call), 'Coroutine "fetchData" (not started)');
      await call;
      assert.equal(inspect(call), 'Coroutine "fetchData" (started)');
    });
  });
});
