// Cancellation of very deep and very wide trees.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { CancelledError, cancelScope, gather, sleepForever } from "meanwhile";

describe("A cancelled scope", () => {
  it("reaches a scope nested ten thousand deep", async () => {
    const nest = async (depth: number): Promise<void> => {
      if (depth === 0) await sleepForever();
      // Each level gets a turn of its own: the depth is that of the scopes, not of the stack.
      await Promise.resolve();
      await cancelScope(() => nest(depth - 1));
    };
    let left = false;
    await cancelScope(async (scope) => {
      setTimeout(() => scope.cancel(), 1);
      try {
        await nest(10_000);
      } finally {
        left = true;
      }
    });
    assert.equal(left, true);
  });

  it("interrupts a hundred thousand sleeping tasks", async () => {
    let cancelled = 0;
    await cancelScope((scope) =>
      gather([
        ...Array.from({ length: 100_000 }, () => async () => {
          try {
            await sleepForever();
          } catch (error) {
            if (error instanceof CancelledError) cancelled += 1;
            throw error;
          }
        }),
        () => scope.cancel(),
      ]),
    );
    assert.equal(cancelled, 100_000);
  });
});
