// Rule 6: cleanup that was not written for meanwhile.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { allowWarnings, expectWarning } from "../../../../tools/test-setup.ts";
import { load, logOf } from "./harness.ts";
import type * as programs from "./programs/cleanup.ts";

const { instrumented: program } = await load<typeof programs>("cleanup");

const expectWarnings = ["MW_WARN_CLEANUP_INTERRUPTED", "MW_WARN_STILL_SUSPENDED"] as const;

describe("a foreign wait in cleanup", () => {
  it("goes on in finally and in what is called from there", async () => {
    assert.deepEqual(await logOf(program.inFinally), ["half closed", "closed", "finally ends", "returns"]);
  });
  it("goes on in catch", async () => {
    assert.deepEqual(await logOf(program.inCatch), ["half closed", "closed", "rethrows", "returns"]);
  });
  it("goes on in disposers, one after the other", async () => {
    assert.deepEqual(await logOf(program.inDisposer), ["half closed", "closed", "half closed", "closed", "returns"]);
  });
  it("goes on in whatever await using disposes of", async () => {
    const closed = ["half closed", "closed"];
    assert.deepEqual(await logOf(program.ofAwaitUsing), [
      ...closed,
      "left",
      ...closed,
      "left",
      ...closed,
      ...closed,
      "left",
      "returns",
    ]);
  });
  it("goes on for an `await using` in the head of a loop", async () => {
    const one = ["half closed", "closed", "left"];
    assert.deepEqual(await logOf(program.ofLoopHeads), [...one, ...one, "returns"]);
  });
  it("is none after the block of await using", async () => {
    assert.deepEqual(await logOf(program.afterAwaitUsing), [
      "object",
      "half closed",
      "closed",
      "the block is left",
      "returns",
    ]);
  });
  it("goes on when the cancellation comes in the middle of it", async () => {
    assert.deepEqual(await logOf(program.whenCancelledDuringIt), ["RangeError", "handled", "returns"]);
  });
  it("goes on when a scope further out is cancelled too", async () => {
    assert.deepEqual(await logOf(program.cancelledTwice), ["cleaned up", "returns"]);
  });
  it("is none after a catch that has swallowed the cancellation", async () => {
    assert.deepEqual(await logOf(program.afterSwallowing), ["swallows CancelledError", "returns"]);
  });
  it("goes on in a function whose scope was left, until graceMs are over", async () => {
    await using late = allowWarnings("MW_WARN_STILL_SUSPENDED");
    await using warnings = expectWarning("MW_WARN_CLEANUP_INTERRUPTED");
    assert.deepEqual(await logOf(program.ofOrphanAfterItsScope, { graceMs: 5, expectWarnings }), [
      "the inner scope was left",
      "the orphan has cleaned up",
      "goes on",
      "returns",
    ]);
    assert.match(
      (await warnings.first()).message,
      /^Cleanup after a cancellation took longer than 5 ms and is interrupted at cleans \(.*cleanup\.ts:\d+:\d+\); give it/,
    );
    assert.equal(warnings.seen.length, 1);
    assert.ok(late);
  });
  it("is interrupted when graceMs are over, and so is each later one", async () => {
    await using late = allowWarnings("MW_WARN_STILL_SUSPENDED");
    await using warnings = expectWarning("MW_WARN_CLEANUP_INTERRUPTED");
    assert.deepEqual(await logOf(program.thatTakesTooLong, { graceMs: 5, expectWarnings }), [
      "the cleanup sees CancelledError, ours: true",
      "the cleanup ends",
      "later: CancelledError",
      "returns",
    ]);
    assert.match(
      (await warnings.first()).message,
      /^Cleanup after a cancellation took longer than 5 ms and is interrupted at shut \(.*cleanup\.ts:\d+:\d+\); give it/,
    );
    assert.equal(warnings.seen.length, 1);
    assert.ok(late);
  });
});

describe("a resource of await using that cannot be opened", () => {
  it("makes no cleanup of what comes after it", async () => {
    assert.deepEqual(await logOf(program.ofNoResource), ["RangeError", "returns"]);
  });
});

describe("graceMs without end", () => {
  it("let cleanup take its time", async () => {
    assert.deepEqual(await logOf(program.inFinally, { graceMs: Infinity }), await logOf(program.inFinally));
  });
});

describe("a wait of ours in cleanup", () => {
  it("throws at once, if it is not shielded", async () => {
    assert.deepEqual(await logOf(program.withOwnWaits), [
      "an own wait throws CancelledError",
      "shielded it does not",
      "returns",
    ]);
  });
  it("is not interrupted by graceMs in a shield", async () => {
    await using late = allowWarnings("MW_WARN_STILL_SUSPENDED");
    assert.deepEqual(await logOf(program.thatTakesTooLongInShield, { graceMs: 5, expectWarnings }), [
      "the shield ends",
      "returns",
    ]);
    assert.ok(late);
  });
});
