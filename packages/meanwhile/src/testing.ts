// The public API of meanwhile/testing: this list is it.

export { TestError } from "./errors.ts";
export { waitUntilIdle } from "./testing/idle.ts";
export { MockClock, type MockClockOptions } from "./testing/mock-clock.ts";
export { runTest, type RunTestOptions } from "./testing/run-test.ts";
