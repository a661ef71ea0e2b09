// Statements that use what the tasks of a program share.

import { currentTask, now, type Permit, QueueClosedError, QueueEmptyError, QueueFullError } from "meanwhile";

import type { Handlers, Step } from "./machine.ts";
import type { Goods, Holders } from "./things.ts";

/** Takes a permit, runs a body, and gives it back. */
async function holding(
  { machine }: Step,
  call: string,
  holders: Holders,
  acquire: () => Promise<Permit>,
  inside: () => Promise<void>,
): Promise<void> {
  using permit = await machine.perform(call, acquire);
  holders.enter();
  try {
    await inside();
  } finally {
    holders.leave();
    void permit;
  }
}

function holdingBody(step: Step, call: string, holders: Holders, acquire: () => Promise<Permit>): Promise<void> {
  return holding(step, call, holders, acquire, () => step.machine.run(step.body(0), step.around));
}

function holdingCondition(step: Step, inside: () => Promise<void>): Promise<void> {
  const { condition, holders } = step.machine.things;
  return holding(step, "condition.acquire", holders.condition, () => condition.acquire(), inside);
}

function goodsOf({ machine, number }: Step): Goods {
  const { queues } = machine.things;
  return queues[number(0) % queues.length] as Goods;
}

function pick<T>(pair: readonly [T, T], index: number): T {
  return index === 0 ? pair[0] : pair[1];
}

/** Lets errors of an expected class pass for an answer. */
function refusedWith(error: unknown, ...classes: ReadonlyArray<new (message: string) => Error>): void {
  if (!classes.some((each) => error instanceof each)) throw error;
}

/** Statements of this file. */
export const SYNC: Handlers<
  | "lock"
  | "semaphore"
  | "limiter"
  | "notified"
  | "notify"
  | "put"
  | "get"
  | "tryPut"
  | "tryGet"
  | "close"
  | "waitEvent"
  | "setEvent"
  | "clearEvent"
  | "barrier"
  | "rate"
> = {
  lock(step) {
    const { locks, holders } = step.machine.things;
    const lock = pick(locks, step.number(0));
    return holdingBody(step, "lock.acquire", pick(holders.locks, step.number(0)), () => lock.acquire());
  },

  semaphore(step) {
    const { semaphore, holders } = step.machine.things;
    return holdingBody(step, "semaphore.acquire", holders.semaphore, () => semaphore.acquire());
  },

  limiter(step) {
    const { limiter, holders } = step.machine.things;
    return holdingBody(step, "limiter.acquire", holders.limiter, () => limiter.acquire({ onBehalfOf: {} }));
  },

  notified(step) {
    const { machine } = step;
    const { condition, holders, notices } = machine.things;
    return holdingCondition(step, async () => {
      holders.condition.leave();
      try {
        await machine.perform("condition.wait", () => condition.wait());
        notices.taken += 1;
      } finally {
        holders.condition.enter();
        if (condition.statistics().lock.owner !== currentTask()) {
          machine.ledger.violated("condition.wait ended without its lock");
        }
      }
    });
  },

  notify(step) {
    const { condition, notices } = step.machine.things;
    return holdingCondition(step, async () => {
      const count = step.number(0) === 0 ? Infinity : step.number(0);
      notices.given += Math.min(count, condition.statistics().tasksWaiting);
      condition.notify(count);
    });
  },

  async put(step) {
    const goods = goodsOf(step);
    const item = goods.newItem();
    try {
      await step.machine.perform("queue.put", () => goods.queue.put(item));
      goods.put(item);
    } catch (error) {
      goods.refused(item);
      throw error;
    }
  },

  async get(step) {
    const goods = goodsOf(step);
    goods.got(await step.machine.perform("queue.get", () => goods.queue.get()));
  },

  async tryPut(step) {
    const goods = goodsOf(step);
    const item = goods.newItem();
    try {
      goods.queue.tryPut(item);
      goods.put(item);
    } catch (error) {
      goods.refused(item);
      refusedWith(error, QueueFullError, QueueClosedError);
    }
  },

  async tryGet(step) {
    const goods = goodsOf(step);
    try {
      goods.got(goods.queue.tryGet());
    } catch (error) {
      refusedWith(error, QueueEmptyError, QueueClosedError);
    }
  },

  async close(step) {
    goodsOf(step).close(step.number(1) === 1);
  },

  async waitEvent({ machine, number }) {
    const { events, sets } = machine.things;
    const before = pick(sets, number(0));
    const wasSet = pick(events, number(0)).isSet;
    await machine.perform("event.wait", () => pick(events, number(0)).wait());
    if (!wasSet && pick(sets, number(0)) === before)
      machine.ledger.violated("event.wait ended and the event was not set");
  },

  async setEvent({ machine, number }) {
    const { events, sets } = machine.things;
    sets[number(0) === 0 ? 0 : 1] += 1;
    pick(events, number(0)).set();
  },

  async clearEvent({ machine, number }) {
    pick(machine.things.events, number(0)).clear();
  },

  async barrier({ machine }) {
    const { things } = machine;
    await machine.perform("barrier.wait", () => things.barrier.wait());
    things.passedBarrier += 1;
  },

  async rate({ machine }) {
    const { things } = machine;
    await machine.perform("rateLimiter.acquire", () => things.rate.acquire(), "time");
    things.passes.push(now());
  },
};
