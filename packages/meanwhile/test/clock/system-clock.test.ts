import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { SystemClock } from "../../src/clock/system-clock.ts";

function rung(clock: SystemClock, deadline: number): Promise<number> {
  return new Promise((resolve) => clock.setAlarm(deadline, () => resolve(clock.now())));
}

describe("SystemClock", () => {
  it("tells the time of performance.now()", () => {
    const before = performance.now();
    const now = new SystemClock().now();
    assert.ok(before <= now && now <= performance.now());
  });

  it("rings at or after the deadline, at most a timer's imprecision early", async () => {
    const clock = new SystemClock();
    const deadline = clock.now() + 5;
    assert.ok((await rung(clock, deadline)) >= deadline - 1);
  });

  it("rings soon for a deadline that has passed", async () => {
    await rung(new SystemClock(), -1_000);
  });

  it("has one alarm: a new one replaces the old", async () => {
    const clock = new SystemClock();
    clock.setAlarm(clock.now() + 1, () => assert.fail("the replaced alarm has rung"));
    await rung(clock, clock.now() + 4);
  });

  it("forgets a cleared alarm, which then keeps nothing alive", async () => {
    const clock = new SystemClock();
    clock.setAlarm(clock.now() + 1, () => assert.fail("the cleared alarm has rung"));
    clock.clearAlarm();
    clock.clearAlarm();
    await rung(new SystemClock(), clock.now() + 4);
  });

  it("does not ring at once for a deadline beyond the longest timer", async () => {
    const clock = new SystemClock();
    clock.setAlarm(clock.now() + 1e12, () => assert.fail("rung at once"));
    await rung(new SystemClock(), clock.now() + 4);
    clock.clearAlarm();
  });
});
