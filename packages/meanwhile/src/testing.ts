// The public API of meanwhile/testing: this list is it.

export { TestError } from "./errors.ts";
export { assertCheckpoints, assertNoCheckpoints } from "./testing/assert-checkpoints.ts";
export { type BarrierLike, checkBarrier } from "./testing/conformance/check-barrier.ts";
export { checkCondition, type ConditionLike } from "./testing/conformance/check-condition.ts";
export { checkEvent, type EventLike } from "./testing/conformance/check-event.ts";
export { checkLock } from "./testing/conformance/check-lock.ts";
export { checkQueue, type CheckQueueOptions } from "./testing/conformance/check-queue.ts";
export { checkRateLimiter, type RateLimiterLike, type RateLimits } from "./testing/conformance/check-rate-limiter.ts";
export { checkSemaphore } from "./testing/conformance/check-semaphore.ts";
export type { PermitSource } from "./testing/conformance/permits.ts";
export type { QueueLike, QueueOrder } from "./testing/conformance/queue-model.ts";
export type { ConformanceOptions, ConformanceReport } from "./testing/conformance/rules.ts";
export { TestEvent, type TestEventKind } from "./testing/event-log.ts";
export { type ExploreOptions, exploreSchedules } from "./testing/explore.ts";
export { waitUntilIdle } from "./testing/idle.ts";
export type { Model } from "./testing/linearize.ts";
export { MockClock, type MockClockOptions } from "./testing/mock-clock.ts";
export { runTest, type RunTestOptions } from "./testing/run-test.ts";
export type { Injection, Scenario, ScenarioOutcome, TorturePoint } from "./testing/scenario.ts";
export { Sequencer } from "./testing/sequencer.ts";
export { checkSequentially, type SequentialOptions, type SequentialSpec } from "./testing/sequential.ts";
export type { TestOptions } from "./testing/test-options.ts";
export { torture, type TortureOptions, type TortureReport } from "./testing/torture.ts";
