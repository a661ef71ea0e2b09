// The tasks of a job, told to those who wait for it elsewhere.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, Event, run, sleepForever, taskGroup } from "meanwhile";
import {
  type RemoteJob,
  remoteWaitIn,
  suspend,
  type TaskNode,
  tellRemoteTasks,
  type ToldTasks,
} from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

/** What is told of a job once everything waits. */
async function toldOf(job: () => unknown, look: (task: TaskNode) => ToldTasks = tellRemoteTasks): Promise<ToldTasks> {
  let told: ToldTasks | undefined;
  await runTest(() =>
    taskGroup(async (group) => {
      const task = group.createTask(job, { name: "job" });
      await waitUntilIdle();
      told = look(task as TaskNode);
      group.cancel();
    }),
  );
  return told as ToldTasks;
}

const untilSet = (): Promise<void> => new Event().wait();

describe("The tasks of a job", () => {
  it("are told with what they wait for, parents before their children", async () => {
    const { tasks, leftOut } = await toldOf(() =>
      taskGroup((group) => {
        group.createTask(untilSet, { name: "reader" });
        group.createTask(sleepForever, { name: "sleeper" });
      }),
    );
    const [job] = tasks;
    assert.deepEqual(
      tasks.map(({ name, parent, activity, waits }) => [name, parent, activity, waits[0]?.for]),
      [
        ["job", null, "waiting", "2 of its tasks (taskGroup)"],
        ["reader", job?.id, "waiting", "Event.wait"],
        ["sleeper", job?.id, "waiting", "sleepForever"],
      ],
    );
    assert.equal(leftOut, 0);
  });

  it("are said to wait for something foreign where nothing of ours is waited for, and not to have begun", async () => {
    await run(() =>
      taskGroup(async (group) => {
        const foreign = Promise.withResolvers<void>();
        const task = group.createTask(() => foreign.promise);
        assert.deepEqual(tellRemoteTasks(task as TaskNode).tasks[0]?.activity, "new");
        await Promise.resolve();
        await new Promise(setImmediate);
        const [told] = tellRemoteTasks(task as TaskNode).tasks;
        assert.deepEqual(told?.waits, [{ for: "a promise that is not one of meanwhile", stack: [] }]);
        foreign.resolve();
      }),
    );
  });

  it("are 200 at most, and of a length that a message can have", async () => {
    const many = await toldOf(() =>
      taskGroup((group) => {
        for (let i = 0; i < 300; i++) group.createTask(untilSet);
      }),
    );
    assert.deepEqual([many.tasks.length, many.leftOut], [200, 101]);
    const long = await toldOf(() =>
      taskGroup((group) => {
        for (let i = 0; i < 300; i++) group.createTask(untilSet, { name: `${i}${"x".repeat(1_000_000)}` });
      }),
    );
    assert.equal(long.tasks[1]?.name.length, 200);
    assert.ok(JSON.stringify(long.tasks).length < 50_000);
    assert.equal(long.tasks.length + long.leftOut, 301);
  });

  it("are told although what they wait for, or are called, cannot be", async () => {
    const target = {
      describe: (): string => {
        throw new Error("not now");
      },
    };
    const { tasks } = await toldOf(
      () => suspend(() => () => {}, target),
      (task) => {
        Object.defineProperty(task, "name", { get: () => target.describe() });
        return tellRemoteTasks(task);
      },
    );
    assert.deepEqual(tasks[0]?.waits, [{ for: "something", stack: [] }]);
    assert.equal(tasks[0].name, "task");
  });
});

describe("A wait that goes on elsewhere", () => {
  it("is found in a scope and below, and no other", async () => {
    const target = {
      describe: () => "a call",
      remote: (): Promise<RemoteJob> => Promise.reject(new Error("not asked")),
    };
    await runTest(() =>
      taskGroup(async (group) => {
        const here = group.createTask(untilSet);
        const elsewhere = group.createTask(() => cancelScope(() => suspend(() => () => {}, target)));
        await waitUntilIdle();
        assert.equal(remoteWaitIn((here as TaskNode).scope), null);
        assert.equal(remoteWaitIn((elsewhere as TaskNode).scope), target);
        group.cancel();
      }),
    );
  });
});
