// Rule 7: `for await`, generators, and who closes what.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "./harness.ts";
import type * as programs from "./programs/iteration.ts";

const { instrumented: program } = await load<typeof programs>("iteration");

describe("for await that is interrupted while it waits for an item", () => {
  it("waits for the cleanup of an instrumented generator", async () => {
    assert.deepEqual(await logOf(program.overGenerator), [
      "item 1",
      "item 2",
      "generator cleans up",
      "generator ends",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("leaves a generator that is stuck", async () => {
    assert.deepEqual(await logOf(program.foreignGenerator), [
      "item 1",
      "item 2",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("calls return() once and does not wait for it", async () => {
    assert.deepEqual(await logOf(program.iteratorByHand), [
      "item 1",
      "item 2",
      "return is called",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("leaves an iterator that cannot be told", async () => {
    assert.deepEqual(await logOf(program.iteratorWithoutReturn), [
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("does not mind an iterator that cannot be closed", async () => {
    assert.deepEqual(await logOf(program.iteratorThatCannotBeClosed), [
      "return is called",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("does not mind an iterator that fails to close", async () => {
    assert.deepEqual(await logOf(program.iteratorThatFailsToClose), [
      "return is called",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("destroys a Node stream", async () => {
    assert.deepEqual(await logOf(program.stream), [
      "item a",
      "destroyed with null",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "destroyed: true",
      "returns",
    ]);
  });
  it("closes a sync iterator of promises", async () => {
    assert.deepEqual(await logOf(program.promises), [
      "item a",
      "item b",
      "the sync generator is closed",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("leaves it to a primitive to end its own wait", async () => {
    assert.deepEqual(await logOf(program.queueAndOwnIterators), ["item 1", "item 2", "consumer ends", "returns"]);
  });
});

describe("for await that is left from its body", () => {
  it("waits for the cleanup of the generator, and is not in cleanup afterwards", async () => {
    assert.deepEqual(await logOf(program.breaks), [
      "item 1",
      "item 2",
      "generator cleans up",
      "generator ends",
      "after the loop",
      "item 1",
      "generator cleans up",
      "generator ends",
      "returns",
    ]);
  });
  it("leaves an iterator that cannot be told", async () => {
    assert.deepEqual(await logOf(program.breaksWithoutReturn), ["item 1", "after the loop", "returns"]);
  });
  it("waits for the cleanup of the generator before the error goes on", async () => {
    assert.deepEqual(await logOf(program.throwsInBody), [
      "generator cleans up",
      "generator ends",
      "caught RangeError",
      "returns",
    ]);
  });
  it("waits for the cleanup of the generator before the cancellation goes on", async () => {
    assert.deepEqual(await logOf(program.cancelledInBody), [
      "item 1",
      "generator cleans up",
      "generator ends",
      "consumer ends",
      "returns",
    ]);
  });
  it("is held until the generator has cleaned up", async () => {
    assert.deepEqual(await logOf(program.cancelledWhileClosing), [
      "item 1",
      "generator ends",
      "the loop ends",
      "consumer ends",
      "returns",
    ]);
  });
  it("lets a foreign iterator close when the cancellation comes then", async () => {
    assert.deepEqual(await logOf(program.foreignIteratorCancelledWhileClosing), [
      "item 1",
      "closed",
      "the loop ends",
      "returns",
    ]);
  });
  it("has the iterator closed once by the language", async () => {
    assert.deepEqual(await logOf(program.interruptedInBodyOfOwnIterator), ["item 1", "return is called", "returns"]);
  });
});

describe("for await", () => {
  it("closes a sync iterator whose promise rejects", async () => {
    assert.deepEqual(await logOf(program.promiseThatRejects), [
      "the sync generator is closed",
      "the loop throws RangeError, ours: false",
      "consumer ends",
      "RangeError",
      "returns",
    ]);
  });
  it("refuses what cannot be iterated", async () => {
    assert.deepEqual(await logOf(program.whatCannotBeIterated), [
      "TypeError: Cannot read properties of null (reading 'Symbol(Symbol.asyncIterator)')",
      "TypeError: Cannot read properties of undefined (reading 'Symbol(Symbol.asyncIterator)')",
      "TypeError: __mw.it(...) is not a function or its return value is not async iterable",
      "TypeError: __mw.it(...) is not a function or its return value is not async iterable",
      "TypeError: __mw.it(...) is not a function or its return value is not async iterable",
      "TypeError: Result of the Symbol.asyncIterator method is not an object",
      "TypeError: undefined is not a function",
      "TypeError: Iterator result 1 is not an object",
      "TypeError: Iterator result 1 is not an object",
      "RangeError: next",
      "returns",
    ]);
  });
});

describe("a generator", () => {
  it("cleans up after the one it delegates to", async () => {
    assert.deepEqual(await logOf(program.delegates), [
      "item 1",
      "item 2",
      "generator cleans up",
      "generator ends",
      "outer cleans up",
      "outer ends",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("that goes on after it has delegated is waited for", async () => {
    assert.deepEqual(await logOf(program.goesOnAfterDelegating), [
      "item 1",
      "item 2",
      "two",
      "item a",
      "item b",
      "outer ends",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("refuses to delegate to what cannot be iterated", async () => {
    assert.deepEqual(await logOf(program.delegatesToWhatCannot), [
      "TypeError: Cannot read properties of null (reading 'Symbol(Symbol.asyncIterator)')",
      "TypeError: Cannot read properties of undefined (reading 'Symbol(Symbol.asyncIterator)')",
      "TypeError: yield* (intermediate value)(intermediate value) is not async iterable",
      "TypeError: Result of the Symbol.asyncIterator method is not an object",
      "TypeError: yield* (intermediate value)(intermediate value) is not async iterable",
      "TypeError: Iterator result 1 is not an object",
      "returns",
    ]);
  });
  it("hands return() and throw() on to the one it delegates to", async () => {
    assert.deepEqual(await logOf(program.delegatesReturnAndThrow), [
      '{"value":1,"done":false}',
      "inner sees RangeError",
      '{"value":2,"done":false}',
      "inner ends",
      "outer ends",
      '{"done":true}',
      "outer ends",
      '{"value":{},"done":true}',
      "outer ends",
      "TypeError: The iterator does not provide a 'throw' method.",
      "returns",
    ]);
  });
  it("awaits the promises it yields", async () => {
    assert.deepEqual(await logOf(program.yieldsPromises), [
      "item a",
      "item b",
      "generator sees RangeError",
      "item undefined",
      "sent undefined",
      "the loop ends",
      "consumer ends",
      "generator ends",
      "the loop throws CancelledError, ours: true",
      "consumer ends",
      "returns",
    ]);
  });
  it("belongs to whoever asks for the next value", async () => {
    assert.deepEqual(await logOf(program.resumedByAnotherTask), [
      'first task: {"value":1,"done":false}',
      "generator ends",
      "second task ends",
      "returns",
    ]);
  });
  it("that is closed at a yield ends there", async () => {
    assert.deepEqual(await logOf(program.closedAtYield), ['{"done":true}', '{"done":true}', "late", "returns"]);
  });
});
