// The primitives without items as things to be raced for.

import assert from "node:assert/strict";

import { Barrier, CapacityLimiter, Condition, Event, Lock, type Permit, RateLimiter, type Semaphore } from "meanwhile";

import type { Subject } from "./hand-off-subjects.ts";

interface PermitSource {
  readonly acquire: () => Promise<Permit>;
  readonly tryAcquire: () => Permit | undefined;
  readonly free: () => number;
  readonly waiting: () => number;
}

function permits(count: number, { acquire, tryAcquire, free, waiting }: PermitSource): Subject {
  const held: Permit[] = [];
  const takeAll = (): void => {
    for (let permit = tryAcquire(); permit !== undefined; permit = tryAcquire()) held.push(permit);
    assert.equal(held.length, count, "every permit is free or held");
  };
  takeAll();
  return {
    take: acquire,
    give: () => held.shift()?.release(),
    free,
    waiting,
    reset(got) {
      held.push(...(got as Permit[]));
      takeAll();
    },
  };
}

export function lock(): Subject {
  const one = new Lock();
  return permits(1, {
    acquire: () => one.acquire(),
    tryAcquire: () => one.tryAcquire(),
    free: () => (one.locked ? 0 : 1),
    waiting: () => one.statistics().tasksWaiting,
  });
}

export function semaphore(one: Semaphore): Subject {
  return permits(3, {
    acquire: () => one.acquire(),
    tryAcquire: () => one.tryAcquire(),
    free: () => one.freePermits,
    waiting: () => one.statistics().tasksWaiting,
  });
}

export function capacityLimiter(): Subject {
  const one = new CapacityLimiter(3);
  return permits(3, {
    acquire: () => one.acquire({ onBehalfOf: {} }),
    tryAcquire: () => one.tryAcquire({ onBehalfOf: {} }),
    free: () => one.availableTokens,
    waiting: () => one.statistics().tasksWaiting,
  });
}

export function event(): Subject {
  const one = new Event();
  return {
    take: () => one.wait(),
    give: () => one.set(),
    free: () => (one.isSet ? 1 : 0),
    waiting: () => one.statistics().tasksWaiting,
    reset: () => one.clear(),
  };
}

export function condition(): Subject {
  const one = new Condition();
  let held: Permit | undefined;
  return {
    async take() {
      using _ = await one.acquire();
      await one.wait();
      assert.equal(one.locked, true, "the lock is held when wait returns");
    },
    async begin() {
      held = await one.acquire();
    },
    give: () => one.notify(),
    end: () => held?.release(),
    free: () => 0,
    waiting: () => one.statistics().tasksWaiting,
    reset: () => assert.equal(one.locked, false, "everybody has given the lock back"),
  };
}

export function barrier(): Subject {
  const parties = 5;
  const one = new Barrier(parties);
  return {
    take: () => one.wait(),
    give() {
      const missing = parties - one.statistics().tasksWaiting;
      // They come last, and go on with the others.
      for (let i = 0; i < missing; i++) one.wait().then(undefined, assert.ifError);
    },
    free: () => 0,
    waiting: () => one.statistics().tasksWaiting,
    reset: () => assert.equal(one.broken, false),
  };
}

export function rateLimiter(): Subject {
  const limit = 3;
  const one = new RateLimiter({ limit, intervalMs: 10 });
  const takeAll = (): number => {
    let taken = 0;
    while (one.tryAcquire()) taken += 1;
    return taken;
  };
  takeAll();
  return {
    take: () => one.acquire(),
    give: () => assert.fail("only time gives"),
    free: () => one.statistics().available,
    waiting: () => one.statistics().tasksWaiting,
    reset: (got) => assert.equal(got.length + takeAll(), limit, "the limit is used up, and no more"),
  };
}
