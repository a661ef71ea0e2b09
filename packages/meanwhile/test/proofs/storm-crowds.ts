// What the workers in a storm do: rounds of each primitive that end by themselves as long as others do their rounds too.

import assert from "node:assert/strict";

import {
  any,
  Barrier,
  BoundedSemaphore,
  CapacityLimiter,
  checkpoint,
  Condition,
  Event,
  forEach,
  gather,
  LifoQueue,
  Lock,
  map,
  moveOnAfter,
  type Permit,
  PriorityQueue,
  Queue,
  race,
  RateLimiter,
  Semaphore,
  shield,
  sleep,
  taskGroup,
} from "meanwhile";
import { ParkingLot } from "meanwhile/lowlevel";

/** One round of a worker. */
export type Round = () => Promise<unknown>;

/** The rounds of one crowd. Each is done by workers that stay and by some that are cancelled all the time. */
export interface Crowd {
  readonly rounds: readonly Round[];
  /** How many workers of each kind stay. Default: 2. */
  readonly workers?: number;
  /** Fails unless everything was given back. Called when all have left. */
  readonly check?: () => void;
}

const pause = (): Promise<void> => sleep(1);

/** A resource for at most `most` at once. */
function guarded(most: number, acquire: () => Promise<Permit>, free: () => number): Crowd {
  let inside = 0;
  const round = async (): Promise<void> => {
    using _ = await acquire();
    inside += 1;
    try {
      assert.ok(inside <= most, `${inside} are inside`);
      await pause();
    } finally {
      inside -= 1;
    }
  };
  return { rounds: [round], check: () => assert.equal(free(), most, "everything was given back") };
}

function lock(): Crowd {
  const one = new Lock();
  return guarded(
    1,
    () => one.acquire(),
    () => (one.locked ? 0 : 1),
  );
}

function semaphore(one: Semaphore): Crowd {
  return guarded(
    2,
    () => one.acquire(),
    () => one.freePermits,
  );
}

function capacityLimiter(): Crowd {
  const one = new CapacityLimiter(2);
  return guarded(
    2,
    () => one.acquire(),
    () => one.availableTokens,
  );
}

function queue(one: Queue<number>): Crowd {
  let [put, got] = [0, 0];
  return {
    rounds: [
      async () => {
        await one.put(0);
        put += 1;
        await pause();
      },
      async () => {
        await one.get();
        got += 1;
        await pause();
      },
    ],
    check: () => assert.equal(put - got, one.size, "no item was lost or doubled"),
  };
}

function event(): Crowd {
  const one = new Event();
  const set = async (): Promise<void> => {
    one.set();
    one.clear();
    await pause();
  };
  return { rounds: [() => one.wait(), set] };
}

function condition(): Crowd {
  const one = new Condition();
  const wait = async (): Promise<void> => {
    using _ = await one.acquire();
    await one.wait();
    assert.equal(one.locked, true, "the lock is held when wait returns");
  };
  const notify = async (): Promise<void> => {
    {
      using _ = await one.acquire();
      one.notify(2);
    }
    await pause();
  };
  return { rounds: [wait, notify], check: () => assert.equal(one.locked, false, "the lock was given back") };
}

function barrier(): Crowd {
  const one = new Barrier(2);
  return { rounds: [() => one.wait().then(pause)] };
}

function rateLimiter(): Crowd {
  const one = new RateLimiter({ limit: 5, intervalMs: 5 });
  return { rounds: [() => one.acquire()] };
}

function parkingLot(): Crowd {
  const lot = new ParkingLot({ describe: () => "the storm" });
  const unpark = async (): Promise<void> => {
    lot.unpark();
    await pause();
  };
  return { rounds: [() => lot.park(), unpark] };
}

function groupStart(): Crowd {
  const round = (): Promise<unknown> =>
    taskGroup(async (group) => {
      const value = await group.start<number>(async (started) => {
        await pause();
        started(1);
        await pause();
      });
      assert.equal(value, 1);
    });
  return { rounds: [round] };
}

// Every combinator joins what it cancels, so a round ends with nothing of it left.
function combinators(): Crowd {
  let open = 0;
  const work = async (): Promise<void> => {
    open += 1;
    try {
      await pause();
    } finally {
      await shield(checkpoint);
      open -= 1;
    }
  };
  const drain = async (): Promise<void> => {
    for await (const _ of map([1, 2, 3], work, { concurrency: 2 }));
  };
  return {
    rounds: [
      () => gather([work, work]),
      () => race([work, () => sleep(50)]),
      () => any([work, work]),
      () => forEach([1, 2, 3], work, { concurrency: 2 }),
      drain,
      () => moveOnAfter(1, () => work().then(work)),
    ],
    workers: 1,
    check: () => assert.equal(open, 0, "everything that was begun has cleaned up"),
  };
}

/** A crowd for everything that can be waited for. */
export const CROWDS: Readonly<Record<string, () => Crowd>> = {
  Barrier: barrier,
  BoundedSemaphore: () => semaphore(new BoundedSemaphore(2)),
  CapacityLimiter: capacityLimiter,
  Condition: condition,
  Event: event,
  LifoQueue: () => queue(new LifoQueue({ maxSize: 2 })),
  Lock: lock,
  ParkingLot: parkingLot,
  PriorityQueue: () => queue(new PriorityQueue({ maxSize: 2 })),
  Queue: () => queue(new Queue({ maxSize: 2 })),
  RateLimiter: rateLimiter,
  Semaphore: () => semaphore(new Semaphore(2)),
  "group.start": groupStart,
  "the combinators": combinators,
};
