// What the tasks of a program share: one or two of each primitive, with what has to hold for each.

import {
  Barrier,
  CapacityLimiter,
  Condition,
  Event,
  LifoQueue,
  Lock,
  PriorityQueue,
  Queue,
  QueueClosedError,
  QueueEmptyError,
  RateLimiter,
  Semaphore,
} from "meanwhile";

import type { Ledger } from "./ledger.ts";

/** How many hold something now, and how many may. */
export class Holders {
  readonly #ledger: Ledger;
  readonly #what: string;
  readonly #most: number;
  #now = 0;

  constructor(ledger: Ledger, what: string, most: number) {
    this.#ledger = ledger;
    this.#what = what;
    this.#most = most;
  }

  enter(): void {
    this.#now += 1;
    if (this.#now > this.#most) this.#ledger.violated(`${this.#now} tasks hold ${this.#what}`);
  }

  leave(): void {
    this.#now -= 1;
  }
}

/** A queue, and what became of each item. */
export class Goods {
  readonly queue: Queue<number>;
  readonly #ledger: Ledger;
  readonly #fates: Array<"offered" | "put" | "refused"> = [];
  readonly #got = new Set<number>();
  // How many were queued when the queue was closed at once.
  #dropped = 0;

  constructor(ledger: Ledger, queue: Queue<number>) {
    this.#ledger = ledger;
    this.queue = queue;
  }

  /** An item that nobody has put yet. */
  newItem(): number {
    return this.#fates.push("offered") - 1;
  }

  put(item: number): void {
    this.#fates[item] = "put";
  }

  refused(item: number): void {
    this.#fates[item] = "refused";
  }

  got(item: number): void {
    if (this.#got.has(item)) this.#ledger.violated(`item ${item} was got twice`);
    if (this.#fates[item] === undefined) this.#ledger.violated(`item ${item} was never put`);
    this.#got.add(item);
  }

  close(immediate: boolean): void {
    if (immediate) this.#dropped += this.queue.size;
    this.queue.close({ immediate });
  }

  /** Nothing runs any more: items put = items got + items left. */
  check(): void {
    this.#takeTheRest();
    let missing = 0;
    this.#fates.forEach((fate, item) => {
      const isThere = this.#got.has(item);
      if (fate === "put" && !isThere) missing += 1;
      if (fate === "refused" && isThere) this.#ledger.violated(`item ${item} was got although its put threw`);
      if (fate === "offered") this.#ledger.violated(`nobody knows whether item ${item} was put`);
    });
    if (missing !== this.#dropped) {
      this.#ledger.violated(`${missing} items were put and are nowhere; ${this.#dropped} were dropped`);
    }
  }

  #takeTheRest(): void {
    try {
      for (;;) this.got(this.queue.tryGet());
    } catch (error) {
      if (!(error instanceof QueueEmptyError || error instanceof QueueClosedError)) throw error;
    }
  }

  look(): void {
    const { size, maxSize, closed, getsWaiting, putsWaiting } = this.queue.statistics();
    if (size > maxSize) this.#ledger.violated(`a queue for ${maxSize} items has ${size}`);
    if (getsWaiting > 0 && (size > 0 || closed)) this.#ledger.violated(`a get waits with ${size} items in the queue`);
    if (putsWaiting > 0 && (size < maxSize || closed)) this.#ledger.violated(`a put waits with room in the queue`);
  }
}

const PERMITS = 2;
const PARTIES = 2;
const RATE = { limit: 2, intervalMs: 10 };

/** Everything that is shared. */
export class Things {
  readonly locks: readonly [Lock, Lock] = [new Lock(), new Lock()];
  readonly semaphore: Semaphore = new Semaphore(PERMITS);
  readonly limiter: CapacityLimiter = new CapacityLimiter(PERMITS);
  readonly condition: Condition = new Condition();
  readonly events: readonly [Event, Event] = [new Event(), new Event()];
  readonly barrier: Barrier = new Barrier(PARTIES);
  readonly rate: RateLimiter = new RateLimiter(RATE);
  readonly queues: readonly Goods[];
  readonly holders: {
    readonly locks: readonly [Holders, Holders];
    readonly condition: Holders;
    readonly semaphore: Holders;
    readonly limiter: Holders;
  };
  /** How often each event was set. */
  readonly sets: [number, number] = [0, 0];
  /** How many waits on the condition were notified, and how many returned. */
  readonly notices: { given: number; taken: number } = { given: 0, taken: 0 };
  /** How many have gone through the barrier. */
  passedBarrier = 0;
  /** When the rate limiter let somebody pass. */
  readonly passes: number[] = [];
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    const queues = [
      new Queue<number>({ maxSize: 1 }),
      new PriorityQueue<number>({ maxSize: 2 }),
      new LifoQueue<number>({ maxSize: 2 }),
    ];
    this.queues = queues.map((queue) => new Goods(ledger, queue));
    this.holders = {
      locks: [new Holders(ledger, "the first lock", 1), new Holders(ledger, "the second lock", 1)],
      condition: new Holders(ledger, "the lock of the condition", 1),
      semaphore: new Holders(ledger, "the semaphore", PERMITS),
      limiter: new Holders(ledger, "the limiter", PERMITS),
    };
  }

  /** Nobody waits for what is free. */
  look(): void {
    const { semaphore, limiter, barrier, rate } = this;
    for (const lock of [...this.locks.map((each) => each.statistics()), this.condition.statistics().lock]) {
      this.#expect(lock.locked || lock.tasksWaiting === 0, "somebody waits for a free lock");
    }
    this.#expect(
      semaphore.freePermits === 0 || semaphore.statistics().tasksWaiting === 0,
      "a free permit is waited for",
    );
    this.#expect(
      limiter.availableTokens === 0 || limiter.statistics().tasksWaiting === 0,
      "a free token is waited for",
    );
    this.#expect(barrier.statistics().tasksWaiting < PARTIES, "all parties have come and wait");
    this.#expect(rate.statistics().available === 0 || rate.statistics().tasksWaiting === 0, "a pass is waited for");
    for (const event of this.events) {
      this.#expect(!event.isSet || event.statistics().tasksWaiting === 0, "somebody waits for an event that is set");
    }
    for (const goods of this.queues) goods.look();
  }

  /** Nothing runs any more: nobody holds anything, nobody waits, nothing was lost or made up. */
  check(): void {
    const { semaphore, limiter, condition } = this;
    for (const lock of [...this.locks.map((each) => each.statistics()), condition.statistics().lock]) {
      this.#expect(!lock.locked && lock.tasksWaiting === 0, "a lock is held by nobody");
    }
    const { freePermits, tasksWaiting } = semaphore.statistics();
    this.#expect(freePermits === PERMITS && tasksWaiting === 0, `only ${freePermits} permits are left`);
    this.#expect(limiter.availableTokens === PERMITS, `only ${limiter.availableTokens} tokens are left`);
    const lines = [limiter, condition, this.barrier, ...this.events].map((each) => each.statistics().tasksWaiting);
    this.#expect(
      lines.every((waiting) => waiting === 0),
      `${lines.join()} wait although nobody is left`,
    );
    const queues = this.queues.map(({ queue }) => queue.statistics());
    this.#expect(
      queues.every((queue) => queue.getsWaiting + queue.putsWaiting === 0),
      "a queue is waited for by nobody",
    );
    this.#expect(this.notices.taken <= this.notices.given, "a wait on a condition ended without a notice");
    this.#expect(this.passedBarrier % PARTIES === 0, `${this.passedBarrier} went through a barrier for ${PARTIES}`);
    const tooEarly = this.passes.some((at, i) => at - (this.passes[i - RATE.limit] ?? -Infinity) < RATE.intervalMs);
    this.#expect(!tooEarly, `the rate limiter let pass at ${this.passes.join()}`);
    for (const goods of this.queues) goods.check();
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#ledger.violated(otherwise);
  }
}
