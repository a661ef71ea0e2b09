// The public API of meanwhile: this list is it.

export {
  BrokenBarrierError,
  CancelledError,
  DeadlockError,
  type ErrorCode,
  QueueClosedError,
  QueueEmptyError,
  QueueFullError,
  TaskCancelledError,
  TaskGroupError,
  TimeoutError,
  UsageError,
  type WarningCode,
} from "./errors.ts";
export { asCompleted } from "./flow/as-completed.ts";
export { type Backoff, chain, exponential, type ExponentialOptions, fixed } from "./flow/backoff.ts";
export { isCancelled, rethrowIfCancelled, unwrapSingle } from "./flow/cancellation-checks.ts";
export { gather, gatherSettled, type ResultOf } from "./flow/gather.ts";
export type { ConcurrencyOptions, Input } from "./flow/jobs.ts";
export type { ForEachOptions, ItemFunction } from "./flow/feeder.ts";
export type { Source } from "./flow/items.ts";
export { forEach, map, type MapOptions } from "./flow/map.ts";
export { any, race } from "./flow/race.ts";
export type { RetryEvent, RetryPolicy } from "./flow/retry-policy.ts";
export { retry, type RetryJob, retrying } from "./flow/retry.ts";
export { wait, type WaitOptions, type WaitResult } from "./flow/wait.ts";
export { checkpoint } from "./kernel/checkpoint.ts";
export type { SignalOption } from "./kernel/children.ts";
export { coroutine, type Coroutine } from "./kernel/coroutine.ts";
export { cancelScope } from "./kernel/enter-scope.ts";
export { cancellable, currentSignal } from "./kernel/foreign.ts";
export { allTasks, createTask, currentScope, currentTask, run, type RunOptions } from "./kernel/run.ts";
export type { CancelScope } from "./kernel/scope.ts";
export { taskGroup, type TaskGroup, type TaskOptions } from "./kernel/task-group.ts";
export type { Job, Task } from "./kernel/task.ts";
export { Barrier, type BarrierStatistics } from "./sync/barrier.ts";
export { BoundedSemaphore } from "./sync/bounded-semaphore.ts";
export { type BorrowOptions, CapacityLimiter, type CapacityLimiterStatistics } from "./sync/capacity-limiter.ts";
export { Condition, type ConditionOptions, type ConditionStatistics, type Truthy } from "./sync/condition.ts";
export { Event, type EventStatistics } from "./sync/event.ts";
export { LifoQueue } from "./sync/lifo-queue.ts";
export { Lock, type LockStatistics } from "./sync/lock.ts";
export type { Permit } from "./sync/permit.ts";
export { type Compare, PriorityQueue, type PriorityQueueOptions } from "./sync/priority-queue.ts";
export type { QueueProducer } from "./sync/queue-producer.ts";
export { Queue, type QueueCloseOptions, type QueueOptions, type QueueStatistics } from "./sync/queue.ts";
export { RateLimiter, type RateLimiterOptions, type RateLimiterStatistics } from "./sync/rate-limiter.ts";
export { Semaphore, type SemaphoreStatistics } from "./sync/semaphore.ts";
export { now, sleep, sleepForever, sleepUntil } from "./time/sleep.ts";
export { moveOnAfter, shield, type ShieldOptions, timeout, timeoutAt, type TimedBody } from "./time/timeouts.ts";
