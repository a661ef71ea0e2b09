// The calls of sync/ that wait are no async functions: the stack of their errors must show the code that waits all the same.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  Barrier,
  cancelScope,
  CapacityLimiter,
  Condition,
  createTask,
  Event,
  Lock,
  Queue,
  RateLimiter,
  Semaphore,
} from "meanwhile";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf, givesWay } from "../util/outcomes.ts";

const WAITING: Readonly<Record<string, () => () => Promise<unknown>>> = {
  "Barrier.wait": () => {
    const barrier = new Barrier(2);
    return () => barrier.wait();
  },
  "CapacityLimiter.acquire": () => {
    const limiter = new CapacityLimiter(0);
    return () => limiter.acquire();
  },
  "Condition.wait": () => {
    const condition = new Condition();
    return () => {
      condition.tryAcquire();
      return condition.wait();
    };
  },
  "Condition.waitFor": () => {
    const condition = new Condition();
    return () => {
      condition.tryAcquire();
      return condition.waitFor(() => false);
    };
  },
  "Event.wait": () => {
    const event = new Event();
    return () => event.wait();
  },
  "Lock.acquire": () => {
    const lock = new Lock();
    lock.tryAcquire();
    return () => lock.acquire();
  },
  "Queue.get": () => {
    const queue = new Queue({ maxSize: 1 });
    return () => queue.get();
  },
  "Queue.put": () => {
    const queue = new Queue({ maxSize: 1 });
    queue.tryPut(1);
    return () => queue.put(2);
  },
  "RateLimiter.acquire": () => {
    const limiter = new RateLimiter({ limit: 1, intervalMs: 60_000 });
    limiter.tryAcquire();
    return () => limiter.acquire();
  },
  "Semaphore.acquire": () => {
    const semaphore = new Semaphore(0);
    return () => semaphore.acquire();
  },
};

for (const [name, make] of Object.entries(WAITING)) {
  describe(name, () => {
    it("shows the code that waits in the stack of its cancellation", () =>
      runTest(async () => {
        let stack: string | undefined;
        const call = make();
        const task = createTask(async function theCaller() {
          try {
            await call();
          } catch (error) {
            stack = (error as Error).stack;
            throw error;
          }
        });
        await waitUntilIdle();
        task.cancel();
        await errorOf(task);
        assert.match(stack ?? "", /at async theCaller /);
      }));

    it("shows it also where the event loop had its turn first", () =>
      runTest(async () => {
        const call = make();
        let stack: string | undefined;
        async function theCaller(): Promise<void> {
          await call();
        }
        await cancelScope(async (scope) => {
          // Two turns: the first one is what the call gives way to.
          setImmediate(() => setImmediate(() => scope.cancel()));
          await givesWay(async () => {
            stack = (await errorOf(theCaller())).stack;
          });
        });
        assert.match(stack ?? "", /at async theCaller /);
      }));
  });
}
