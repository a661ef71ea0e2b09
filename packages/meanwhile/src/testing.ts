// The public API of meanwhile/testing: this list is it.

export { TestError } from "./errors.ts";
export { assertCheckpoints, assertNoCheckpoints } from "./testing/assert-checkpoints.ts";
export { TestEvent, type TestEventKind } from "./testing/event-log.ts";
export { type ExploreOptions, exploreSchedules } from "./testing/explore.ts";
export { waitUntilIdle } from "./testing/idle.ts";
export { MockClock, type MockClockOptions } from "./testing/mock-clock.ts";
export { runTest, type RunTestOptions, type TestOptions } from "./testing/run-test.ts";
export type { Injection, Scenario, ScenarioOutcome, TorturePoint } from "./testing/scenario.ts";
export { Sequencer } from "./testing/sequencer.ts";
export { torture, type TortureOptions, type TortureReport } from "./testing/torture.ts";
