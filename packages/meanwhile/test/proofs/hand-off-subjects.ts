// Everything in sync/ that hands something over, and the kernel's own hand-offs, seen the same way: somebody stands in
// line, somebody gives, and afterwards every thing is accounted for.

import assert from "node:assert/strict";

import {
  Barrier,
  BoundedSemaphore,
  CapacityLimiter,
  Condition,
  createTask,
  Event,
  LifoQueue,
  Lock,
  type Permit,
  PriorityQueue,
  Queue,
  RateLimiter,
  Semaphore,
  taskGroup,
  type TaskGroup,
} from "meanwhile";
import { ParkingLot } from "meanwhile/lowlevel";

/** One thing to be raced for. In its first state there is nothing to take. */
export interface Subject {
  /** The call that is raced: waits for a thing and returns what identifies it, if anything does. */
  take(waiter: number): Promise<unknown>;
  /** Hands over, now; `line` is who should be in line, the longest first. Returns what identifies the thing, if anything does. */
  give(line: readonly number[]): unknown;
  /** How many things anybody could take now. */
  free(): number;
  /** How many stand in line; where that cannot be seen, how many have come. */
  waiting(): number;
  /** Called when all stand in line, before the first hand-off. */
  begin?(): Promise<void>;
  /** Called after the last hand-off. */
  end?(): void;
  /** Goes back to the first state. Fails unless what was `got` and what is free is everything that was given. */
  reset(got: readonly unknown[]): void;
  /** Ends what lives between races. */
  close?(): Promise<void>;
}

/** One row of the table. */
export interface HandOff {
  readonly make: () => Subject | Promise<Subject>;
  /** How many things can be given in one race. */
  readonly things: number;
  /** Whether giving once reaches everybody who waits; those get numbers or nothing. Default: the first in line. */
  readonly toAll?: boolean;
  /** Whether what nobody waits for stays there. Default: it does. */
  readonly keeps?: boolean;
  /** Whether the last thing that was kept is taken first. Default: the first. */
  readonly newestFirst?: boolean;
  /** Whether somebody may come while things are handed over. Default: yes. */
  readonly newcomers?: boolean;
  /** Whether a call that gives the event loop a turn, because this one has lasted long, could not be told from one in line. */
  readonly givesWayUnseen?: boolean;
  /** Time itself gives, all things at once, so many milliseconds after the last time. */
  readonly givesEveryMs?: number;
  /** Whether `waiting` counts those who have come, because the line cannot be seen. */
  readonly lineIsHidden?: boolean;
}

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

function lock(): Subject {
  const one = new Lock();
  return permits(1, {
    acquire: () => one.acquire(),
    tryAcquire: () => one.tryAcquire(),
    free: () => (one.locked ? 0 : 1),
    waiting: () => one.statistics().tasksWaiting,
  });
}

function semaphore(one: Semaphore): Subject {
  return permits(3, {
    acquire: () => one.acquire(),
    tryAcquire: () => one.tryAcquire(),
    free: () => one.freePermits,
    waiting: () => one.statistics().tasksWaiting,
  });
}

function capacityLimiter(): Subject {
  const one = new CapacityLimiter(3);
  return permits(3, {
    acquire: () => one.acquire({ onBehalfOf: {} }),
    tryAcquire: () => one.tryAcquire({ onBehalfOf: {} }),
    free: () => one.availableTokens,
    waiting: () => one.statistics().tasksWaiting,
  });
}

function queueGet(queue: Queue<number>): Subject {
  let newest = 0;
  let given: number[] = [];
  return {
    take: () => queue.get(),
    give() {
      newest += 1;
      given.push(newest);
      queue.tryPut(newest);
      return newest;
    },
    free: () => queue.size,
    waiting: () => queue.statistics().getsWaiting,
    reset(got) {
      const items = [...(got as number[])];
      while (queue.size > 0) items.push(queue.tryGet());
      assert.deepEqual(
        items.toSorted((a, b) => a - b),
        given,
        "every item that was put is got once",
      );
      given = [];
    },
  };
}

function queuePut(queue: Queue<number>, places: number): Subject {
  let newest = 0;
  let inside: number[] = [];
  const fill = (): void => {
    while (queue.size < places) {
      newest += 1;
      inside.push(newest);
      queue.tryPut(newest);
    }
  };
  const taken: number[] = [];
  fill();
  return {
    async take() {
      newest += 1;
      const item = newest;
      await queue.put(item);
      return item;
    },
    give: () => void taken.push(queue.tryGet()),
    free: () => places - queue.size,
    waiting: () => queue.statistics().putsWaiting,
    reset(got) {
      while (queue.size > 0) taken.push(queue.tryGet());
      const expected = [...inside, ...(got as number[])];
      assert.deepEqual(
        taken.toSorted((a, b) => a - b),
        expected.toSorted((a, b) => a - b),
        "what is in the queue is what was put by the calls that returned",
      );
      taken.length = 0;
      inside = [];
      fill();
    },
  };
}

function queueJoin(): Subject {
  const queue = new Queue<number>({ maxSize: 1 });
  const start = (): void => {
    queue.tryPut(1);
    queue.tryGet();
  };
  let came = 0;
  start();
  return {
    take() {
      came += 1;
      return queue.join();
    },
    give() {
      if (queue.statistics().unfinished > 0) queue.taskDone();
    },
    free: () => (queue.statistics().unfinished === 0 ? 1 : 0),
    waiting: () => came,
    reset() {
      came = 0;
      if (queue.statistics().unfinished === 0) start();
    },
  };
}

function event(): Subject {
  const one = new Event();
  return {
    take: () => one.wait(),
    give: () => one.set(),
    free: () => (one.isSet ? 1 : 0),
    waiting: () => one.statistics().tasksWaiting,
    reset: () => one.clear(),
  };
}

function condition(): Subject {
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

function barrier(): Subject {
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

function rateLimiter(): Subject {
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

function parkingLot(): Subject {
  const lot = new ParkingLot<number, number>({ describe: () => "the race" });
  let newest = 0;
  return {
    take: (waiter) => lot.park(waiter),
    give([first]) {
      assert.equal(lot.peek(), first, "the cargo is that of the first in line");
      newest += 1;
      assert.equal(lot.unpark(newest), first !== undefined);
      return newest;
    },
    free: () => 0,
    waiting: () => lot.size,
    reset: () => {},
  };
}

interface Starting {
  readonly say: (value: number) => void;
  readonly leave: Event;
}

// A starting job stands in line; its call of `started` hands it to the group.
async function groupStart(): Promise<Subject> {
  const opened = Promise.withResolvers<TaskGroup>();
  const closing = new Event();
  const owner = createTask(() =>
    taskGroup(async (group) => {
      opened.resolve(group);
      await closing.wait();
    }),
  );
  const group = await opened.promise;
  const jobs = new Map<number, Starting>();
  let newest = 0;
  let [handedOver, left] = [0, 0];
  return {
    take: (waiter) =>
      group.start<number>(async (say) => {
        const leave = new Event();
        jobs.set(waiter, { say, leave });
        await leave.wait();
        left += 1;
      }),
    give(line) {
      newest += 1;
      for (const [waiter, { say }] of jobs) {
        if (waiter === line[0]) say(newest);
        // Cancelled, or handed over before: whatever these say now comes too late.
        else if (!line.includes(waiter)) say(-1);
      }
      return newest;
    },
    free: () => 0,
    waiting: () => jobs.size,
    reset(got) {
      handedOver += got.length;
      for (const { leave } of jobs.values()) leave.set();
      jobs.clear();
    },
    async close() {
      closing.set();
      await owner;
      assert.equal(left, handedOver, "the jobs in the group are those whose call returned");
    },
  };
}

/** Everything that hands something over, by what is exported and the call that waits. */
export const HAND_OFFS: Readonly<Record<string, HandOff>> = {
  "Barrier.wait": { make: barrier, things: 1, toAll: true, keeps: false, newcomers: false, givesWayUnseen: true },
  "BoundedSemaphore.acquire": { make: () => semaphore(new BoundedSemaphore(3)), things: 3 },
  "CapacityLimiter.acquire": { make: capacityLimiter, things: 3 },
  // A newcomer would stand in the line of the lock, which the one who notifies holds.
  "Condition.wait": { make: condition, things: 3, keeps: false, newcomers: false },
  "Event.wait": { make: event, things: 1, toAll: true },
  "LifoQueue.get": { make: () => queueGet(new LifoQueue({ maxSize: 9 })), things: 3, newestFirst: true },
  "LifoQueue.put": { make: () => queuePut(new LifoQueue({ maxSize: 3 }), 3), things: 3 },
  "Lock.acquire": { make: lock, things: 1 },
  "ParkingLot.park": { make: parkingLot, things: 3, keeps: false, newcomers: false },
  "PriorityQueue.get": { make: () => queueGet(new PriorityQueue({ maxSize: 9 })), things: 3 },
  "PriorityQueue.put": { make: () => queuePut(new PriorityQueue({ maxSize: 3 }), 3), things: 3 },
  "Queue.get": { make: () => queueGet(new Queue({ maxSize: 9 })), things: 3 },
  "Queue.join": { make: queueJoin, things: 1, toAll: true, lineIsHidden: true, givesWayUnseen: true },
  "Queue.put": { make: () => queuePut(new Queue({ maxSize: 3 }), 3), things: 3 },
  "RateLimiter.acquire": { make: rateLimiter, things: 3, newcomers: false, givesEveryMs: 10 },
  "Semaphore.acquire": { make: () => semaphore(new Semaphore(3)), things: 3 },
  "group.start": { make: groupStart, things: 3, keeps: false, newcomers: false, lineIsHidden: true },
};
