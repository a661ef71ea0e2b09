// Rules 1 and 2: leaves first, parents are held, whatever lies between them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope } from "meanwhile";

import { load, logOf, logOfCancelled } from "./harness.ts";
import type * as programs from "./programs/unwinding.ts";

const { instrumented: program } = await load<typeof programs>("unwinding");

describe("a parent whose children are cancelled", () => {
  it("goes on when the innermost function has cleaned up, level by level", async () => {
    assert.deepEqual(await logOfCancelled(program.threeLevels), [
      "child begins",
      "cancel",
      "child cleans up",
      "child has cleaned up",
      "parent sees CancelledError, ours: true",
      "parent ends",
      "grandparent sees CancelledError, ours: true",
      "grandparent ends",
      "returns",
    ]);
  });
  it("waits for all that Promise.all waits for; they are told in the order they started", async () => {
    assert.deepEqual(await logOfCancelled(program.overAll), [
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "b has cleaned up",
      "a has cleaned up",
      "parent sees CancelledError, ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for all that Promise.race waits for", async () => {
    assert.deepEqual(await logOfCancelled(program.overRace), [
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "a has cleaned up",
      "b has cleaned up",
      "parent sees CancelledError, ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for all that Promise.any waits for; an AggregateError of cancellations is one", async () => {
    assert.deepEqual(await logOfCancelled(program.overAny), [
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "a has cleaned up",
      "b has cleaned up",
      "parent sees AggregateError(CancelledError, CancelledError), ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("gets the outcomes from Promise.allSettled, and is told at its next wait", async () => {
    assert.deepEqual(await logOfCancelled(program.overAllSettled), [
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "a has cleaned up",
      "b has cleaned up",
      "parent goes on",
      "parent ends",
      "returns",
    ]);
  });
  it("waits behind a combinator that was written by hand", async () => {
    assert.deepEqual(await logOfCancelled(program.overHandWritten), [
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "b has cleaned up",
      "a has cleaned up",
      "parent sees AggregateError(CancelledError, CancelledError), ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("waits behind p-map", async () => {
    assert.deepEqual(await logOfCancelled(program.overPMap), [
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "a has cleaned up",
      "b has cleaned up",
      "parent sees CancelledError, ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("waits behind p-limit, which calls what it is given without a trace of who gave it", async () => {
    assert.deepEqual(await logOfCancelled(program.overPLimit), [
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "a has cleaned up",
      "c begins",
      "b has cleaned up",
      "c cleans up",
      "c has cleaned up",
      "parent sees CancelledError, ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for a function that is called back later", async () => {
    assert.deepEqual(await logOfCancelled(program.overCallback), [
      "called back begins",
      "cancel",
      "called back cleans up",
      "called back has cleaned up",
      "parent sees CancelledError, ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for promises it has stored and would await later", async () => {
    assert.deepEqual(await logOfCancelled(program.overLater), [
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "b has cleaned up",
      "a has cleaned up",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for them too where its own wait is for a primitive", async () => {
    assert.deepEqual(await logOfCancelled(program.overOwnWait), [
      "a begins",
      "cancel",
      "a cleans up",
      "a has cleaned up",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for a shield among them", async () => {
    assert.deepEqual(await logOfCancelled(program.overShield), [
      "a begins",
      "cancel",
      "a cleans up",
      "shielded part ends",
      "a has cleaned up",
      "parent sees CancelledError, ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for a scope that foreign code has opened in a later turn", async () => {
    assert.deepEqual(await logOfCancelled(program.overForeignThatOpensScope), [
      "cancel",
      "body of the timeout ends",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for functions that foreign code knows from elsewhere", async () => {
    assert.deepEqual(await logOfCancelled(program.overRegistered), [
      "a begins",
      "b begins",
      "a begins",
      "b begins",
      "cancel",
      "a cleans up",
      "b cleans up",
      "a cleans up",
      "b cleans up",
      "a has cleaned up",
      "a has cleaned up",
      "b has cleaned up",
      "b has cleaned up",
      "parent sees CancelledError, ours: true",
      "parent ends",
      "returns",
    ]);
  });
  it("waits also where its body could not be made a block", async () => {
    assert.deepEqual(await logOfCancelled(program.overFunctionInBlock), [
      "child begins",
      "cancel",
      "child cleans up",
      "child has cleaned up",
      "parent ends",
      "returns",
    ]);
  });
  it("waits for those whose own parent has returned", async () => {
    assert.deepEqual(await logOfCancelled(program.withOrphans), [
      "orphan begins",
      "its parent returns",
      "cancel",
      "orphan cleans up",
      "orphan has cleaned up",
      "grandparent ends",
      "returns",
    ]);
  });
  it("gets the value that arrives during the cleanup of a child, and is told at its next wait", async () => {
    assert.deepEqual(await logOfCancelled(program.withValueDuringCleanup), [
      "cancel",
      "child ends",
      "from the cleanup",
      "parent ends",
      "returns",
    ]);
  });
});

describe("a value that arrives in the turn of the cancellation", () => {
  for (const [name, cancelsFirst] of [
    ["before it", false],
    ["after it", true],
  ] as const) {
    it(`is delivered, and the next wait is told: ${name}`, async () => {
      const log = await logOf((line) =>
        cancelScope(async (scope) => {
          const { promise, resolve } = Promise.withResolvers<string>();
          setImmediate(() => {
            if (cancelsFirst) scope.cancel();
            resolve("value");
            if (!cancelsFirst) scope.cancel();
          });
          await program.withValueOnItsWay(line, { promise });
        }),
      );
      assert.deepEqual(log, ["value", "ends", "returns"]);
    });
  }
});
