// Everything in sync/ that hands something over, and the kernel's own hand-offs, seen the same way: somebody stands in
// line, somebody gives, and afterwards every thing is accounted for.

import { BoundedSemaphore, LifoQueue, PriorityQueue, Queue, Semaphore } from "meanwhile";

import { groupStart, parkingLot } from "./hand-off-kernel.ts";
import { barrier, capacityLimiter, condition, event, lock, rateLimiter, semaphore } from "./hand-off-primitives.ts";
import { queueGet, queueJoin, queuePut } from "./hand-off-queues.ts";

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
