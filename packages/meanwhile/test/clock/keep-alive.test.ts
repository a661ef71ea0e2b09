import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { keepAlive } from "../../src/clock/keep-alive.ts";

/** Whether something holds the process; null on hosts that cannot tell. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}

describe("keepAlive", () => {
  it("holds the process with one timer until the last holder lets go", () => {
    const before = timers();
    const first = keepAlive();
    const second = keepAlive();
    assert.equal(timers(), before + 1);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    assert.equal(timers(), before + 1);
    second[Symbol.dispose]();
    assert.equal(timers(), before);
  });

  it("can hold again after it has let go", () => {
    const before = timers();
    for (let i = 0; i < 3; i++) {
      using held = keepAlive();
      assert.equal(timers(), before + 1);
      void held;
    }
    assert.equal(timers(), before);
  });
});
