import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { LoopWatch } from "meanwhile/lowlevel";

/** Keeps the event loop from turning. */
function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

describe("LoopWatch", () => {
  it("tells how long the event loop was blocked since it began, while that is so and later", async () => {
    const first = new LoopWatch();
    const second = new LoopWatch();
    block(200);
    assert.ok(first.blockedMs >= 150);
    await new Promise((resolve) => void setTimeout(resolve, 1));
    const later = new LoopWatch();
    assert.ok(first.blockedMs >= 150);
    assert.ok(second.blockedMs >= 150);
    assert.equal(later.blockedMs, 0);
    for (const watch of [first, second, later]) watch.stop();
  });

  it("can be stopped twice, and leaves the others alone", () => {
    const [one, other] = [new LoopWatch(), new LoopWatch()];
    one.stop();
    one.stop();
    block(200);
    assert.ok(other.blockedMs >= 150);
    other.stop();
  });
});
