// The types of the primitives. Checked by `npm run types`, never run.

import { expectTypeOf } from "expect-type";
import {
  Barrier,
  BoundedSemaphore,
  CapacityLimiter,
  Condition,
  Event,
  LifoQueue,
  Lock,
  type LockStatistics,
  type Permit,
  PriorityQueue,
  type PriorityQueueOptions,
  Queue,
  type QueueProducer,
  RateLimiter,
  Semaphore,
  type Task,
} from "meanwhile";

expectTypeOf<Permit>().toExtend<Disposable>();

// Lock
expectTypeOf(new Lock().acquire()).toEqualTypeOf<Promise<Permit>>();
expectTypeOf(new Lock().tryAcquire()).toEqualTypeOf<Permit | undefined>();
expectTypeOf(new Lock().statistics().owner).toEqualTypeOf<Task<unknown> | undefined>();

// Condition
const condition = new Condition({ lock: new Lock() });
void new Condition();
void new Condition({ lock: undefined });
expectTypeOf(condition.acquire()).toEqualTypeOf<Promise<Permit>>();
expectTypeOf(condition.tryAcquire()).toEqualTypeOf<Permit | undefined>();
expectTypeOf(condition.wait()).toEqualTypeOf<Promise<void>>();
expectTypeOf(condition.waitFor(() => Math.random() > 0.5)).toEqualTypeOf<Promise<true>>();
expectTypeOf(condition.waitFor(() => ["a"].pop())).toEqualTypeOf<Promise<string>>();
expectTypeOf(condition.waitFor((): { a: 1 } | 0 | null => null)).toEqualTypeOf<Promise<{ a: 1 }>>();
expectTypeOf(condition.notify(2)).toEqualTypeOf<void>();
expectTypeOf(condition.statistics().lock).toEqualTypeOf<LockStatistics>();
// @ts-expect-error a lock, not a semaphore
void new Condition({ lock: new Semaphore(1) });
// @ts-expect-error the predicate is a function
condition.waitFor(true);

// Semaphores
expectTypeOf(new Semaphore(1).acquire()).toEqualTypeOf<Promise<Permit>>();
expectTypeOf(new Semaphore(0).release()).toEqualTypeOf<void>();
expectTypeOf<BoundedSemaphore>().toExtend<Semaphore>();
expectTypeOf(new BoundedSemaphore(1).tryAcquire()).toEqualTypeOf<Permit | undefined>();
// @ts-expect-error the number of permits is required
void new Semaphore();
// @ts-expect-error the number of permits is required
void new BoundedSemaphore();

// CapacityLimiter
const limiter = new CapacityLimiter(2);
expectTypeOf(limiter.acquire()).toEqualTypeOf<Promise<Permit>>();
expectTypeOf(limiter.acquire({ onBehalfOf: "ada" })).toEqualTypeOf<Promise<Permit>>();
expectTypeOf(limiter.tryAcquire({ onBehalfOf: limiter })).toEqualTypeOf<Permit | undefined>();
expectTypeOf(limiter.statistics().borrowers).toEqualTypeOf<readonly unknown[]>();
limiter.totalTokens = Infinity;
// @ts-expect-error it is what acquire and release make of it
limiter.borrowedTokens = 0;
// @ts-expect-error null is nobody
limiter.acquire({ onBehalfOf: null });

// RateLimiter
const rate = new RateLimiter({ limit: 1, intervalMs: 1_000 });
expectTypeOf(rate.acquire()).toEqualTypeOf<Promise<void>>();
expectTypeOf(rate.tryAcquire()).toEqualTypeOf<boolean>();
// @ts-expect-error the interval is required
void new RateLimiter({ limit: 1 });

// Barrier
expectTypeOf(new Barrier(2).wait()).toEqualTypeOf<Promise<number>>();
// @ts-expect-error it is broken by abort()
new Barrier(2).broken = true;

// Event
expectTypeOf(new Event().wait()).toEqualTypeOf<Promise<void>>();
// @ts-expect-error the flag is changed by set() and clear()
new Event().isSet = true;

// Queues
const queue = new Queue<number>({ maxSize: Infinity });
expectTypeOf(queue.get()).toEqualTypeOf<Promise<number>>();
expectTypeOf(queue.tryGet()).toEqualTypeOf<number>();
expectTypeOf(queue.producer()).toEqualTypeOf<QueueProducer<number>>();
expectTypeOf(queue.producer().put(1)).toEqualTypeOf<Promise<void>>();
expectTypeOf<QueueProducer<number>>().toExtend<Disposable>();
expectTypeOf(queue).toExtend<AsyncIterable<number>>();
queue.close();
queue.close({ immediate: true });
// @ts-expect-error items have one type
queue.tryPut("text");
// @ts-expect-error items have one type
queue.producer().tryPut("text");
// @ts-expect-error maxSize is required
void new Queue<number>({});
// @ts-expect-error maxSize is required
void new Queue<number>();
expectTypeOf(new LifoQueue<number>({ maxSize: 1 })).toExtend<Queue<number>>();
expectTypeOf(new LifoQueue<number>({ maxSize: 1 }).get()).toEqualTypeOf<Promise<number>>();
// @ts-expect-error maxSize is required
void new LifoQueue<number>({});

// PriorityQueue: what has no order of its own needs a function.
interface Job {
  readonly due: number;
}
expectTypeOf(new PriorityQueue<Job>({ maxSize: 1, compare: (a, b) => a.due - b.due })).toExtend<Queue<Job>>();
expectTypeOf(new PriorityQueue({ maxSize: 1, compare: (a: Job, b: Job) => a.due - b.due }).get()).toEqualTypeOf<
  Promise<Job>
>();
void new PriorityQueue<number>({ maxSize: 1 });
void new PriorityQueue<1 | 2>({ maxSize: 1 });
void new PriorityQueue<string>({ maxSize: 1, compare: undefined });
void new PriorityQueue<bigint>({ maxSize: 1 });
void new PriorityQueue<Date>({ maxSize: 1, compare: (a, b) => b.getTime() - a.getTime() });
expectTypeOf<PriorityQueueOptions<number>["compare"]>().toEqualTypeOf<((a: number, b: number) => number) | undefined>();
// @ts-expect-error jobs are in no order by themselves
void new PriorityQueue<Job>({ maxSize: 1 });
// @ts-expect-error numbers and texts are in no order
void new PriorityQueue<number | string>({ maxSize: 1 });
// @ts-expect-error compare returns a number
void new PriorityQueue<number>({ maxSize: 1, compare: (a, b) => a < b });
