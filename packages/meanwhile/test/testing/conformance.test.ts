// The conformance kits: they accept ours and good ones of others, and name the rule that a bad one breaks.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  Barrier,
  BoundedSemaphore,
  CapacityLimiter,
  Condition,
  Event,
  LifoQueue,
  Lock,
  PriorityQueue,
  Queue,
  RateLimiter,
  Semaphore,
} from "meanwhile";
import {
  checkBarrier,
  checkCondition,
  checkEvent,
  checkLock,
  checkQueue,
  checkRateLimiter,
  checkSemaphore,
  type ConformanceOptions,
  type ConformanceReport,
  type TestError,
} from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { type BarrierFault, FaultyBarrier } from "./conformance/faulty-barrier.ts";
import { type ConditionFault, FaultyCondition } from "./conformance/faulty-condition.ts";
import { type EventFault, FaultyEvent } from "./conformance/faulty-event.ts";
import { FaultyQueue, type QueueFault } from "./conformance/faulty-queue.ts";
import { FaultyRateLimiter, type RateLimiterFault } from "./conformance/faulty-rate-limiter.ts";
import { FaultySemaphore, type SemaphoreFault } from "./conformance/faulty-semaphore.ts";
import { DeafEvent, DeafLock, PromiseLock, SlowEvent } from "./conformance/promise-lock.ts";

type Violation = TestError & { readonly rule: string; readonly seed: number; readonly replay: string };

const SEQUENTIAL = "behaves as if calls came one after the other";
const STATISTICS = "statistics return to what they were";

/** Enough for rules that play one scene. */
const FEW = { schedules: 5 };
/** Enough for the one that makes random calls. */
const MANY = { schedules: 60 };

/** Each kit: what accepts, and which rule each fault breaks. */
interface Kit<Fault extends string> {
  readonly name: string;
  readonly ours: Readonly<Record<string, (options: ConformanceOptions) => Promise<ConformanceReport>>>;
  readonly check: (fault: Fault | null, options: ConformanceOptions) => Promise<ConformanceReport>;
  readonly faults: Readonly<Record<Fault, string>>;
}

function describeKit<Fault extends string>({ name, ours, check, faults }: Kit<Fault>): void {
  describe(name, () => {
    for (const [subject, checkOurs] of Object.entries(ours)) {
      it(`accepts our ${subject}`, async () => {
        const { rules, runs } = await checkOurs(FEW);
        assert.ok(runs >= 5 * rules.length);
      });
    }

    it("accepts a good one of somebody else", async () => {
      await check(null, FEW);
    });

    for (const [fault, rule] of Object.entries<string>(faults)) {
      it(`names the rule that one breaks that ${fault}`, async () => {
        const violation = (await errorOf(check(fault as Fault, rule === SEQUENTIAL ? MANY : FEW))) as Violation;
        assert.equal(violation.code, "MW_ERR_RULE_BROKEN", violation.message);
        assert.equal(violation.rule, rule, violation.message);
        assert.match(violation.replay, new RegExp(`MEANWHILE_SEED=${violation.seed}\\b`));
        assert.ok(violation.message.includes(`"${rule}" under seed ${violation.seed}: `));
      });
    }

    it("tries each of its rules with a primitive that breaks it", async () => {
      const { rules } = await check(null, { schedules: 1 });
      assert.deepEqual(new Set(Object.values(faults)), new Set(rules));
    });
  });
}

const PERMIT_FAULTS: Readonly<Record<SemaphoreFault, string>> = {
  "has a count that falls with each call": STATISTICS,
  "gives out one permit too many": "gives out no more permits than there are",
  "has a tryAcquire that is a checkpoint": "tryAcquire never waits",
  "keeps the place of who was cancelled": "a cancelled waiter loses its place and takes nothing",
  "lets newcomers take what was given back": "lets no newcomer overtake a waiter",
  "looks for the cancellation after it has taken the permit": "every acquire is a checkpoint",
  "loses the permit of a waiter that is cancelled after the hand-over":
    "a hand-over and a cancellation in one turn keep all or nothing",
  "passes no checkpoint when a permit is free": "every acquire is a checkpoint",
  "serves the newest first": "serves waiters in the order they asked",
  "takes permits back as often as they come": "a permit that is given back twice counts once",
  "wakes nobody for a permit of tryAcquire": SEQUENTIAL,
};

describeKit<SemaphoreFault>({
  name: "checkLock",
  ours: {
    Lock: (options) => checkLock(() => new Lock(), options),
    Condition: (options) => checkLock(() => new Condition(), options),
    "Semaphore of one": (options) => checkLock(() => new Semaphore(1), options),
  },
  check: (fault, options) => checkLock(() => new FaultySemaphore(1, fault), options),
  faults: PERMIT_FAULTS,
});

describeKit<SemaphoreFault>({
  name: "checkSemaphore",
  ours: {
    Semaphore: (options) => checkSemaphore((permits) => new Semaphore(permits), options),
    BoundedSemaphore: (options) => checkSemaphore((permits) => new BoundedSemaphore(permits), options),
    CapacityLimiter: (options) => checkSemaphore((tokens) => new CapacityLimiter(tokens), options),
  },
  check: (fault, options) => checkSemaphore((permits) => new FaultySemaphore(permits, fault), options),
  faults: PERMIT_FAULTS,
});

describeKit<QueueFault>({
  name: "checkQueue",
  ours: {
    Queue: (options) => checkQueue((maxSize) => new Queue<number>({ maxSize }), options),
    LifoQueue: (options) =>
      checkQueue((maxSize) => new LifoQueue<number>({ maxSize }), { ...options, order: "newest" }),
    PriorityQueue: (options) =>
      checkQueue((maxSize) => new PriorityQueue<number>({ maxSize }), { ...options, order: "smallest" }),
  },
  check: (fault, options) => checkQueue((maxSize) => new FaultyQueue(maxSize, fault), options),
  faults: {
    "adds the item of a put that was cancelled": "a cancelled put loses its place and adds nothing",
    "has a count that falls with each call": STATISTICS,
    "drops what is queued when it is closed": "closing ends every wait, and keeps what is queued",
    "gives the newest first": "gives items in their order",
    "has a tryGet that is a checkpoint": "tryPut and tryGet never wait",
    "holds one item too many": "holds no more items than its size",
    "keeps the place of a get that was cancelled": "a cancelled get loses its place and takes nothing",
    "leaves gets waiting when it is closed": "closing ends every wait, and keeps what is queued",
    "lets newcomers get what was put": "lets no newcomer overtake a waiting get",
    "lets newcomers put where there is room": "lets no newcomer overtake a waiting put",
    "loses an item that meets a cancellation": "an item that meets the cancellation of a get is not lost",
    "loses room that meets a cancellation": "room that meets the cancellation of a put is not lost",
    "passes no checkpoint when there is room": "every put and get is a checkpoint",
    "serves the newest get first": "serves gets in the order they asked",
    "serves the newest put first": "serves puts in the order they asked",
    "wakes nobody after a tryGet": SEQUENTIAL,
  },
});

describeKit<EventFault>({
  name: "checkEvent",
  ours: { Event: (options) => checkEvent(() => new Event(), options) },
  check: (fault, options) => checkEvent(() => new FaultyEvent(fault), options),
  faults: {
    "has a count that falls with each call": STATISTICS,
    "does not remember that it was set": "waits until it is set",
    "forgets those who wait when it is unset": SEQUENTIAL,
    "keeps the flag when it is unset": "waits again after it was unset",
    "looks again when it was woken": "wakes those who wait although it is unset in the same turn",
    "passes no checkpoint when it is set": "every wait is a checkpoint",
    "stops waking at one who was cancelled": "a cancelled waiter leaves, and the others are woken",
    "wakes one after the other": "a wake-up that meets a cancellation reaches the others",
    "wakes only one": "wakes everybody who waits",
  },
});

describeKit<ConditionFault>({
  name: "checkCondition",
  ours: { Condition: (options) => checkCondition(() => new Condition(), options) },
  check: (fault, options) => checkCondition(() => new FaultyCondition(fault), options),
  faults: {
    "has a count that falls with each call": STATISTICS,
    "does not take the lock again": "holds the lock when a wait returns",
    "does not take the lock again when it was cancelled": "holds the lock when a wait is cancelled",
    "gives the lock back before it looks for the cancellation":
      "every wait is a checkpoint, after which the lock is held",
    "keeps the lock while it waits": "gives the lock back while it waits",
    "keeps the place of who was cancelled": "a cancelled waiter is not notified",
    "loses a notification that meets a cancellation": "a notification that meets a cancellation is not lost",
    "notifies everybody": "notifies those who have waited longest, as many as it is told",
    "notifies the newest first": "notifies those who have waited longest, as many as it is told",
  },
});

describeKit<BarrierFault>({
  name: "checkBarrier",
  ours: { Barrier: (options) => checkBarrier((parties) => new Barrier(parties), options) },
  check: (fault, options) => checkBarrier((parties) => new FaultyBarrier(parties, fault), options),
  faults: {
    "has a count that falls with each call": STATISTICS,
    "counts who was cancelled": "a cancelled caller has not come",
    "gives everybody the same number": "gives those who go on together different numbers, if it gives any",
    "is left by one who was let go and is cancelled":
      "the last to come and a cancellation in one turn let all go on or keep all",
    "lets everybody go on when one is missing": "lets nobody go on before all have come",
    "lets others go on together with those who came": "those who come next are another round",
    "passes no checkpoint for the last one": "every wait is a checkpoint",
  },
});

describeKit<RateLimiterFault>({
  name: "checkRateLimiter",
  ours: { RateLimiter: (options) => checkRateLimiter((limits) => new RateLimiter(limits), options) },
  check: (fault, options) => checkRateLimiter((limits) => new FaultyRateLimiter(limits, fault), options),
  faults: {
    "has a count that falls with each call": STATISTICS,
    "counts who was cancelled": "a cancelled caller is not counted",
    "has a tryAcquire that is a checkpoint": "tryAcquire never waits",
    "lets newcomers take what others wait for": "lets no newcomer overtake a waiter",
    "lets one more happen as soon as its share of the interval is over": "lets no more happen in any interval than may",
    "passes no checkpoint when it may happen": "every acquire is a checkpoint",
    "serves the newest first": "lets happen what may, in the order they asked",
  },
});

describe("A kit", () => {
  const violationOf = async (check: Promise<ConformanceReport>): Promise<Violation> =>
    (await errorOf(check)) as Violation;

  it("accepts a lock that is made of plain promises", async () => {
    const { rules } = await checkLock(() => new PromiseLock(), FEW);
    assert.ok(rules.includes("a hand-over and a cancellation in one turn keep all or nothing"));
    assert.ok(rules.includes(SEQUENTIAL));
  });

  it("names the rule that a lock breaks whose plain promises are not cancelled", async () => {
    const deaf = (looksBefore: boolean): Promise<Violation> =>
      violationOf(checkLock(() => new DeafLock({ looksBefore }), { ...FEW, timeoutMs: 5_000 }));
    assert.equal((await deaf(false)).rule, "every acquire is a checkpoint");
    assert.equal((await deaf(true)).rule, "a cancelled waiter loses its place and takes nothing");
  });

  it("does not wait for a call that a cancellation does not end", async () => {
    const { rule, message } = await violationOf(checkEvent(() => new DeafEvent(), { ...FEW, timeoutMs: 5_000 }));
    assert.equal(rule, "a cancelled waiter leaves, and the others are woken");
    assert.match(message, /the callers have to be \[waits, cancelled, waits\], and are \[waits, waits, waits\]/);
  });

  // Bun does not tell of timers.
  const skip = process.versions["bun"] !== undefined;
  it("is patient with a primitive that works in real time", { skip }, async () => {
    await checkEvent(() => new SlowEvent(), { schedules: 2 });
  });

  it("accepts permits that refuse to be given back twice", async () => {
    const strict = (permit: Disposable): Disposable => {
      let isHeld = true;
      return {
        [Symbol.dispose]: () => {
          assert.ok(isHeld, "is held");
          isHeld = false;
          permit[Symbol.dispose]();
        },
      };
    };
    const create = (): { acquire(): Promise<Disposable>; tryAcquire(): Disposable | undefined } => {
      const lock = new Lock();
      return {
        acquire: async () => strict(await lock.acquire()),
        tryAcquire: () => {
          const permit = lock.tryAcquire();
          return permit === undefined ? undefined : strict(permit);
        },
      };
    };
    await checkLock(create, FEW);
  });

  it("finds statistics that go on counting a waiter who was cancelled", async () => {
    class Leaking extends Lock {
      waiting = 0;

      override async acquire(): ReturnType<Lock["acquire"]> {
        this.waiting += 1;
        const permit = await super.acquire();
        this.waiting -= 1;
        return permit;
      }

      override statistics(): ReturnType<Lock["statistics"]> {
        return { ...super.statistics(), tasksWaiting: this.waiting };
      }
    }
    const { rule, message } = await violationOf(checkLock(() => new Leaking(), FEW));
    assert.equal(rule, STATISTICS);
    assert.match(message, /they were \{.*tasksWaiting: 0 \} and are \{.*tasksWaiting: 1 \}/);
  });

  it("finds a semaphore that is wrong only with more than two permits", async () => {
    const create = (permits: number): FaultySemaphore =>
      new FaultySemaphore(permits, permits > 2 ? "lets newcomers take what was given back" : null);
    assert.equal((await violationOf(checkSemaphore(create, FEW))).rule, "lets no newcomer overtake a waiter");
  });
});
