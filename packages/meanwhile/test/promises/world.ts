// What a scenario holds on to, and the books about it: in the end all of it must be free, and nothing lost or doubled.

import assert from "node:assert/strict";

import {
  Barrier,
  BoundedSemaphore,
  CapacityLimiter,
  Condition,
  Event,
  isCancelled,
  LifoQueue,
  Lock,
  type Permit,
  PriorityQueue,
  Queue,
  RateLimiter,
  Semaphore,
  shield,
  sleep,
} from "meanwhile";

export class World {
  readonly lock: Lock = new Lock();
  readonly slots: Semaphore = new Semaphore(2);
  readonly bounded: BoundedSemaphore = new BoundedSemaphore(1);
  readonly tokens: CapacityLimiter = new CapacityLimiter(1);
  readonly condition: Condition = new Condition();
  readonly rate: RateLimiter = new RateLimiter({ limit: 2, intervalMs: 10 });
  readonly barrier: Barrier = new Barrier(3);
  readonly event: Event = new Event();
  readonly queue: Queue<number> = new Queue({ maxSize: 1 });
  readonly sorted: PriorityQueue<number> = new PriorityQueue({ maxSize: 2 });
  readonly stack: LifoQueue<number> = new LifoQueue({ maxSize: 2 });
  readonly abort: AbortController = new AbortController();
  /** What was produced for calls that say they can lose it, and what arrived. */
  produced = 0;
  received = 0;
  #put = 0;
  #got = 0;
  #entered = 0;
  #cleaned = 0;

  /** Work in a block whose cleanup waits. */
  async work(ms: number): Promise<number> {
    this.#entered += 1;
    try {
      await sleep(ms);
      return ms;
    } finally {
      try {
        await shield(() => sleep(1), { timeoutMs: 100 });
      } finally {
        this.#cleaned += 1;
      }
    }
  }

  /** Work while something is held. */
  async holding(acquire: () => Promise<Permit>, ms: number): Promise<void> {
    using held = await acquire();
    await this.work(ms);
    held.release();
  }

  async produce(queue: { put(item: number): Promise<void> }, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await queue.put(i);
      this.#put += 1;
    }
  }

  async consume(queue: Queue<number>, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await queue.get();
      this.#got += 1;
    }
  }

  async drain(queue: Queue<number>): Promise<void> {
    for await (const _ of queue) {
      this.#got += 1;
      queue.taskDone();
    }
  }

  /** What calls that may lose something have lost. */
  get lost(): number {
    return this.produced - this.received;
  }

  check(): void {
    assert.equal(this.#cleaned, this.#entered, "every block that was entered has cleaned up");
    const held = [
      this.lock.locked,
      this.condition.locked,
      this.slots.statistics().freePermits !== 2,
      this.bounded.statistics().freePermits !== 1,
      this.tokens.borrowedTokens !== 0,
    ];
    assert.deepEqual(held, [false, false, false, false, false], "nothing is held any more");
    const queued = this.queue.size + this.sorted.size + this.stack.size;
    assert.equal(this.#put - this.#got, queued, "no item is lost or doubled");
    const waiting = [
      this.lock.statistics().tasksWaiting,
      this.slots.statistics().tasksWaiting,
      this.bounded.statistics().tasksWaiting,
      this.tokens.statistics().tasksWaiting,
      this.condition.statistics().tasksWaiting,
      this.rate.statistics().tasksWaiting,
      this.barrier.statistics().tasksWaiting,
      this.event.statistics().tasksWaiting,
      ...[this.queue, this.sorted, this.stack].flatMap((queue) => {
        const { getsWaiting, putsWaiting } = queue.statistics();
        return [getsWaiting, putsWaiting];
      }),
    ];
    assert.deepEqual(new Set(waiting), new Set([0]), "nobody waits any more");
  }
}

/** For a `catch` that takes everything but what must be let through. */
export function rethrowOurs(error: unknown): void {
  if (isCancelled(error)) throw error;
}
