// What every call in sync/ that waits has in common.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  Barrier,
  cancelScope,
  CapacityLimiter,
  Condition,
  createTask,
  Event,
  isCancelled,
  LifoQueue,
  Lock,
  PriorityQueue,
  Queue,
  RateLimiter,
  Semaphore,
  sleep,
} from "meanwhile";
import { currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";
import { runTest, waitUntilIdle } from "meanwhile/testing";

import { errorOf, givesWay } from "../util/outcomes.ts";

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

/** A condition whose lock the caller holds. */
function heldCondition(): Condition {
  const condition = new Condition();
  condition.tryAcquire();
  return condition;
}

function firstOf(queue: Queue<number>): Promise<unknown> {
  return queue[Symbol.asyncIterator]().next();
}

// None of these has to wait. What each does can be seen in `done`.
interface Ready {
  readonly call: () => Promise<unknown>;
  readonly done?: () => boolean;
}

const READY: Readonly<Record<string, () => Ready>> = {
  "Barrier.wait": () => {
    const barrier = new Barrier(1);
    return { call: () => barrier.wait() };
  },
  "CapacityLimiter.acquire": () => {
    const limiter = new CapacityLimiter(1);
    return { call: () => limiter.acquire(), done: () => limiter.borrowedTokens === 1 };
  },
  "Condition.acquire": () => {
    const condition = new Condition();
    return { call: () => condition.acquire(), done: () => condition.locked };
  },
  "Condition.waitFor": () => {
    let called = false;
    const condition = heldCondition();
    return { call: () => condition.waitFor(() => (called = true)), done: () => called };
  },
  "Event.wait": () => ({ call: () => setEvent().wait() }),
  "Lock.acquire": () => {
    const lock = new Lock();
    return { call: () => lock.acquire(), done: () => lock.locked };
  },
  "Queue.get": () => {
    const queue = queueOf(1);
    return { call: () => queue.get(), done: () => queue.size === 0 };
  },
  "Queue iteration": () => {
    const queue = queueOf(1);
    return { call: () => firstOf(queue), done: () => queue.size === 0 };
  },
  "Queue iteration at the end": () => {
    const queue = queueOf();
    queue.close();
    return { call: () => firstOf(queue) };
  },
  "Queue.join": () => ({ call: () => queueOf().join() }),
  "Queue.put": () => {
    const queue = queueOf();
    return { call: () => queue.put(1), done: () => queue.size === 1 };
  },
  "QueueProducer.put": () => {
    const queue = queueOf();
    const producer = queue.producer();
    return { call: () => producer.put(1), done: () => queue.size === 1 };
  },
  "RateLimiter.acquire": () => {
    const limiter = new RateLimiter({ limit: 1, intervalMs: 1 });
    return { call: () => limiter.acquire(), done: () => limiter.statistics().available === 0 };
  },
  "Semaphore.acquire": () => {
    const semaphore = new Semaphore(1);
    return { call: () => semaphore.acquire(), done: () => semaphore.freePermits === 0 };
  },
};

for (const [name, make] of Object.entries(READY)) {
  describe(name, () => {
    it("gives the event loop its turn when this one has lasted too long, and then does the same", () =>
      runTest(async () => {
        const { call, done } = make();
        assert.equal(await givesWay(call), true);
        assert.equal(done?.() ?? true, true);
      }));

    it("does nothing in a cancelled scope, though it need not wait", () =>
      runTest(async () => {
        const { call, done } = make();
        await cancelScope(async (scope) => {
          scope.cancel();
          assert.ok(isCancelled(await errorOf(call())));
        });
        assert.equal(done?.() ?? false, false);
      }));

    it("does nothing if it is cancelled while the event loop has its turn", () =>
      runTest(async () => {
        const { call, done } = make();
        await cancelScope(async (scope) => {
          const gaveWay = givesWay(async () => {
            const ended = errorOf(call());
            scope.cancel();
            assert.ok(isCancelled(await ended));
          });
          await errorOf(gaveWay.then(() => sleep(0)));
        });
        assert.equal(done?.() ?? false, false);
      }));
  });
}

// None of these is done; the error comes as a rejection all the same.
const REFUSED: Readonly<Record<string, () => Promise<unknown>>> = {
  "Barrier.wait": () => {
    const barrier = new Barrier(2);
    barrier.abort();
    return barrier.wait();
  },
  "CapacityLimiter.acquire": () => {
    const limiter = new CapacityLimiter(2);
    limiter.tryAcquire({ onBehalfOf: "me" });
    return limiter.acquire({ onBehalfOf: "me" });
  },
  "Condition.wait": () => new Condition().wait(),
  "Condition.waitFor": () => new Condition().waitFor(() => true),
  "PriorityQueue.put": () => new PriorityQueue<number>({ maxSize: 1 }).put(NaN),
  "Queue.get": () => {
    const queue = queueOf();
    queue.close();
    return queue.get();
  },
  "Queue.put": () => {
    const queue = queueOf();
    queue.close();
    return queue.put(1);
  },
  "QueueProducer.put": () => {
    const producer = queueOf().producer();
    producer.close();
    return producer.put(1);
  },
};

for (const [name, call] of Object.entries(REFUSED)) {
  describe(name, () => {
    it("rejects with what it cannot do, and does not throw it", async () => {
      const promise = call();
      assert.match((await errorOf(promise)).code ?? "", /^MW_ERR_/);
    });
  });
}

// All of these wait, for what the pattern says.
const WAITING: ReadonlyArray<readonly [() => Promise<unknown>, RegExp]> = [
  [() => new Barrier(3).wait(), /waits for Barrier\.wait \(1 of 3 have come\)$/m],
  [
    async () => {
      const limiter = new CapacityLimiter(1);
      limiter.tryAcquire({ onBehalfOf: "other" });
      await limiter.acquire();
    },
    /waits for CapacityLimiter\.acquire \(1 of 1 tokens are borrowed\)$/m,
  ],
  [() => heldCondition().wait(), /waits for Condition\.wait \(to be notified\)$/m],
  [() => heldCondition().waitFor(() => false), /waits for Condition\.wait \(to be notified\)$/m],
  [
    async () => {
      const condition = heldCondition();
      await condition.acquire();
    },
    /waits for Lock\.acquire \(held by task \d+ "waiting"\)$/m,
  ],
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
  [() => firstOf(queueOf()), /waits for Queue\.get \(it is empty\)$/m],
  [() => new LifoQueue({ maxSize: 1 }).get(), /waits for LifoQueue\.get \(it is empty\)$/m],
  [() => new PriorityQueue<number>({ maxSize: 1 }).get(), /waits for PriorityQueue\.get \(it is empty\)$/m],
  [() => queueOf(1).put(2), /waits for Queue\.put \(all 1 places are taken\)$/m],
  [() => queueOf(1).producer().put(2), /waits for Queue\.put \(all 1 places are taken\)$/m],
  [() => queueOf(1).join(), /waits for Queue\.join \(1 items are unfinished\)$/m],
  [
    async () => {
      const limiter = new RateLimiter({ limit: 1, intervalMs: 60_000 });
      await limiter.acquire();
      await limiter.acquire();
    },
    /waits for RateLimiter\.acquire \(1 in 60000 ms; the next in 60000 ms\)$/m,
  ],
  [
    async () => {
      const semaphore = new Semaphore(2);
      await semaphore.acquire();
      await semaphore.acquire();
      await semaphore.acquire();
    },
    /waits for Semaphore\.acquire \(no permit is free\)$/m,
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
