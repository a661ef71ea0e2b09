// Rules 3 and 4: whose cancellation it is, and promises that nobody awaits.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "./harness.ts";
import type * as programs from "./programs/failures.ts";

const { instrumented: program } = await load<typeof programs>("failures");

describe("a promise of another scope", () => {
  it("is not waited for by a scope that is cancelled", async () => {
    assert.deepEqual(await logOf(program.whoWaitsForAnothersPromise), [
      "who waited for it ends",
      "the work ends",
      "returns",
    ]);
  });
  it("fails for everybody else when its owner is cancelled, with what is not their cancellation", async () => {
    assert.deepEqual(await logOf(program.withCacheWhoseOwnerIsCancelled), [
      "load ends",
      "another task sees CancelledError, ours: false",
      "returns",
    ]);
  });
});

describe("an AggregateError", () => {
  it("of our cancellations alone is our cancellation", async () => {
    assert.deepEqual(await logOf(program.withAggregateOfCancellations), [
      "load ends",
      "load ends",
      "AggregateError(CancelledError, CancelledError), ours: true",
      "the scope gives undefined",
      "returns",
    ]);
  });
  it("with one other error is that error", async () => {
    assert.deepEqual(await logOf(program.withAggregateOfOtherErrors), [
      "load ends",
      "RangeError, ours: false",
      "returns",
    ]);
  });
});

describe("a call that nobody awaits", () => {
  it("may end in our cancellation without an unhandled rejection", async () => {
    assert.deepEqual(await logOf(program.whoIsAwaitedByNobody), ["load ends", "goes on", "returns"]);
  });
  it("belongs to the scope around when its own has been left", async () => {
    assert.deepEqual(await logOf(program.whoOutlivesItsScope), [
      "the inner scope ends",
      "load ends",
      "the outer scope ends",
      "returns",
    ]);
  });
  it("belongs to the owner's scope when its task has ended", async () => {
    assert.deepEqual(await logOf(program.whoOutlivesItsTask), [
      "the task ends",
      "the group ends",
      "load ends",
      "the scope ends",
      "returns",
    ]);
  });
});
