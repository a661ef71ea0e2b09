// Who ends first when tasks and coroutines that wait for each other are cancelled together.

import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";

import { cancelScope, type Coroutine, coroutine, moveOnAfter, now, sleep, type Task, taskGroup } from "meanwhile";
import { currentScopeNode } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

describe("A cancellation", () => {
  it("ends a circle of a task and a coroutine", async () => {
    await runTest(async () => {
      await moveOnAfter(10, () =>
        taskGroup(async (group) => {
          const waitForTask = coroutine(async () => {
            await task;
          });
          const lazy = waitForTask();
          const task: Task<void> = group.createTask(async () => {
            await lazy;
          });
          await lazy;
        }),
      );
      assert.equal(now(), 10);
    });
  });

  it("ends a circle of two coroutines", async () => {
    await runTest(async () => {
      await moveOnAfter(10, () =>
        taskGroup((group) => {
          const waitFor = coroutine(async (other: () => Coroutine<void>) => {
            await sleep(1);
            await other();
          });
          const one: Coroutine<void> = waitFor(() => two);
          const two: Coroutine<void> = waitFor(() => one);
          group.createTask(one);
          group.createTask(two);
        }),
      );
      assert.equal(now(), 10);
    });
  });

  it("ends a circle that is closed only while its tasks clean up", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      await moveOnAfter(10, () =>
        taskGroup((group) => {
          const cleanUp = async (
            name: string,
            first: () => PromiseLike<unknown>,
            last: () => Task<void>,
          ): Promise<void> => {
            try {
              await first();
            } finally {
              await Promise.resolve(last()).finally(() => ended.push(name));
            }
          };
          const forever = (): Promise<void> => sleep(60_000);
          const one: Task<void> = group.createTask(() =>
            cleanUp(
              "one",
              () => two,
              () => two,
            ),
          );
          const two: Task<void> = group.createTask(() => cleanUp("two", forever, () => three));
          const three: Task<void> = group.createTask(() => cleanUp("three", forever, () => one));
        }),
      );
      assert.equal(now(), 10);
      assert.deepEqual(ended, ["three", "two", "one"]);
    });
  });

  it("ends a task that awaits one of a circle after that one", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      await moveOnAfter(10, () =>
        taskGroup((group) => {
          const wait = async (name: string, other: () => Task<void>): Promise<void> => {
            try {
              await other();
            } finally {
              ended.push(name);
            }
          };
          group.createTask(() => wait("outside", () => one));
          const one: Task<void> = group.createTask(() => wait("one", () => two));
          const two: Task<void> = group.createTask(() => wait("two", () => one));
        }),
      );
      assert.deepEqual(ended, ["one", "outside", "two"]);
    });
  });

  it("of a long chain of tasks that await each other looks at each a few times only", async () => {
    const length = 1_000;
    await runTest(() =>
      cancelScope((scope) =>
        taskGroup(async (group) => {
          let last: Task<void> = group.createTask(() => sleep(60_000));
          for (let i = 0; i < length; i++) {
            const before = last;
            last = group.createTask(async () => {
              await before;
            });
          }
          await sleep(1);
          const looks = mock.method(Object.getPrototypeOf(currentScopeNode()), "members");
          scope.cancel();
          looks.mock.restore();
          assert.ok(looks.mock.callCount() < 5 * length, `${looks.mock.callCount()} looks`);
        }),
      ),
    );
  });
});
