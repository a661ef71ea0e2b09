// Frames in nested scopes, groups, timeouts and shields.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "./harness.ts";
import type * as programs from "./programs/scopes.ts";

const { instrumented: program } = await load<typeof programs>("scopes");

describe("a scope inside a function", () => {
  it("is cancelled alone: the function around goes on", async () => {
    assert.deepEqual(await logOf(program.innerTimeoutAlone), [
      "b ends",
      "a ends",
      "the outer scope goes on",
      "outer ends",
      "returns",
    ]);
  });
  it("gives way to the cancellation of one further out", async () => {
    assert.deepEqual(await logOf(program.outerWhileInnerUnwinds), [
      "inner ends",
      "outer sees CancelledError, ours: true",
      "returns",
    ]);
  });
  it("is not told of by its promise to those outside", async () => {
    assert.deepEqual(await logOf(program.frameInTwoScopes), [
      "of the inner scope ends",
      "the outer scope sees CancelledError, ours: false",
      "returns",
    ]);
  });
  it("ends foreign waits at its deadline", async () => {
    assert.deepEqual(await logOf(program.timeoutOfForeignWait, { isRealTime: true }), [
      "body ends",
      "TimeoutError, ours: false",
      "body ends",
      "moves on with undefined",
      "returns",
    ]);
  });
  it("that is cancelled is left when all that runs in it has ended", async () => {
    assert.deepEqual(await logOf(program.leftWhenAllHaveEnded), ["a ends", "b ends", "the scope is left", "returns"]);
  });
  it("of a task too", async () => {
    assert.deepEqual(await logOf(program.taskEndsWhenAllHaveEnded), [
      "a ends",
      "b ends",
      "TaskCancelledError",
      "c ends",
      "done: true",
      "the group is left",
      "returns",
    ]);
  });
  it("of what was not given as a literal", async () => {
    // Of two calls that have no caller with a frame, the first one waits for the other: it could be the caller.
    assert.deepEqual(await logOf(program.ownersWaitForTheirCode), [
      "b ends",
      "a ends",
      "the task has ended",
      "c ends",
      "d ends",
      "the group is left",
      "returns",
    ]);
  });
  it("of what a function gave away that has ended", async () => {
    assert.deepEqual(await logOf(program.givenAwayByOneThatHasEnded), ["called later", "called later, too", "returns"]);
  });
  it("and of a group", async () => {
    assert.deepEqual(await logOf(program.groupIsLeftWhenAllHaveEnded), [
      "a ends",
      "b ends",
      "the group is left",
      "returns",
    ]);
  });
  it("shields what is in it, and the function around waits", async () => {
    assert.deepEqual(await logOf(program.shieldBelow), ["a ends", "saved", "parent ends", "returns"]);
  });
});

describe("a task group", () => {
  it("waits for the cleanup of its tasks and its body", async () => {
    assert.deepEqual(await logOf(program.groupOfForeignWaits), [
      "body ends",
      "second task ends",
      "first task ends",
      "the group ends",
      "returns",
    ]);
  });
  it("cancels the foreign waits of the others when a task fails", async () => {
    assert.deepEqual(await logOf(program.failingChildOfGroup), [
      "first task ends",
      "body ends",
      "AggregateError(RangeError)",
      "returns",
    ]);
  });
});
