// What every call in sync/ that waits has in common.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { createTask, Event, Lock, Queue, Semaphore } from "meanwhile";
import { currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { givesWay } from "../util/outcomes.ts";

function setEvent(): Event {
  const event = new Event();
  event.set();
  return event;
}

function queueOf(...items: readonly number[]): Queue<number> {
  const queue = new Queue<number>({ maxSize: 1 });
  for (const item of items) queue.tryPut(item);
  return queue;
}

// None of these has to wait.
const READY: Readonly<Record<string, () => Promise<unknown>>> = {
  "Event.wait": () => setEvent().wait(),
  "Lock.acquire": () => new Lock().acquire(),
  "Queue.get": () => queueOf(1).get(),
  "Queue.join": () => queueOf().join(),
  "Queue.put": () => queueOf().put(1),
  "Semaphore.acquire": () => new Semaphore(1).acquire(),
};

for (const [name, call] of Object.entries(READY)) {
  describe(name, () => {
    it("gives the event loop its turn when this one has lasted too long", async () => {
      assert.equal(await givesWay(call), true);
    });
  });
}

// All of these wait, for what the pattern says.
const WAITING: ReadonlyArray<readonly [() => Promise<unknown>, RegExp]> = [
  [() => new Event().wait(), /waits for Event\.wait$/m],
  [
    async () => {
      const lock = new Lock();
      await lock.acquire();
      await lock.acquire();
    },
    /waits for Lock\.acquire \(held by task \d+ "waiting"\)$/m,
  ],
  [() => queueOf().get(), /waits for Queue\.get \(it is empty\)$/m],
  [() => queueOf(1).put(2), /waits for Queue\.put \(all 1 places are taken\)$/m],
  [() => queueOf(1).join(), /waits for Queue\.join \(1 items are unfinished\)$/m],
  [
    async () => {
      const semaphore = new Semaphore(2);
      await semaphore.acquire();
      await semaphore.acquire();
      await semaphore.acquire();
    },
    /waits for Semaphore\.acquire \(all 2 permits are taken\)$/m,
  ],
];

describe("The dump of the tasks", () => {
  it("says what each waits for", () =>
    runTest(async () => {
      for (const [call, pattern] of WAITING) {
        await using task = createTask(call, { name: "waiting" });
        await waitUntilIdle();
        assert.match(renderTaskTree(currentScopeNode().runner.root), pattern);
        assert.equal(task.done, false);
      }
    }));
});
