// Whose cancellation is an error? Every shape an error can have.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, checkpoint, isCancelled, rethrowIfCancelled, sleep, TaskGroupError } from "meanwhile";
import { cancellationOf } from "meanwhile/lowlevel";

import { unwrapCancellation } from "../../src/kernel/cancellation.ts";
import { caught } from "./caught.ts";

/** The error of a cancelled scope that has been left. */
async function someCancellation(): Promise<unknown> {
  let error: unknown;
  await cancelScope(async (scope) => {
    scope.cancel();
    error = await caught(checkpoint());
  });
  return error;
}

describe("cancellationOf", () => {
  it("finds it in a CancelledError and in an AbortError that was made of one", async () => {
    const error = await someCancellation();
    const cancellation = cancellationOf(error);
    assert.ok(cancellation !== null);
    const abort = Object.assign(new Error("aborted", { cause: error }), { name: "AbortError" });
    assert.equal(cancellationOf(abort), cancellation);
  });

  it("finds it in a composite error all of whose leaves are cancellations", async () => {
    const [one, two] = [await someCancellation(), await someCancellation()];
    const composite = new AggregateError([one, new SuppressedError(two, new AggregateError([one]))]);
    assert.equal(cancellationOf(composite), cancellationOf(one));
  });

  it("finds none in anything else", async () => {
    const error = await someCancellation();
    const others: readonly unknown[] = [
      undefined,
      null,
      "Cancelled",
      new Error("Cancelled"),
      new Error("wraps one", { cause: error }),
      new DOMException("aborted by somebody else", "AbortError"),
      Object.assign(new Error("aborted", { cause: "a text" }), { name: "AbortError" }),
      Object.assign(new Error("aborted", { cause: null }), { name: "AbortError" }),
      Object.assign(new Error("aborted", { cause: new Error("timeout") }), { name: "AbortError" }),
      new AggregateError([]),
      new AggregateError([error, new Error("other")]),
      new AggregateError([error, "a text"]),
      new AggregateError([error, null]),
      new SuppressedError(new Error("other"), error),
      Object.assign(new Error("only looks like one"), { name: "SuppressedError" }),
      Object.assign(new Error("half of one"), { name: "SuppressedError", suppressed: error }),
    ];
    for (const other of others) assert.equal(cancellationOf(other), null);
  });

  it("is not led in circles", async () => {
    const circle = new AggregateError([await someCancellation()]);
    circle.errors.push(circle);
    assert.notEqual(cancellationOf(circle), null);
    const empty = new AggregateError([null]);
    empty.errors = [empty];
    assert.equal(cancellationOf(empty), null);
  });

  it("knows a SuppressedError by its name, for hosts that have it from a polyfill", async () => {
    const error = await someCancellation();
    const polyfill = Object.assign(new Error("two"), { name: "SuppressedError", error, suppressed: error });
    assert.notEqual(cancellationOf(polyfill), null);
  });
});

describe("unwrapCancellation", () => {
  it("leaves what is not composite", async () => {
    const error = await someCancellation();
    for (const plain of [undefined, null, "text", new Error("other"), error, new AggregateError([])]) {
      assert.equal(unwrapCancellation(plain), plain);
    }
  });

  it("gives one cancellation for a composite of cancellations, a CancelledError if there is one", async () => {
    const error = await someCancellation();
    const abort = Object.assign(new Error("aborted", { cause: error }), { name: "AbortError" });
    assert.equal(unwrapCancellation(new AggregateError([abort, error])), error);
    assert.equal(unwrapCancellation(new AggregateError([abort, abort])), abort);
  });

  it("gives the single other error", async () => {
    const [error, other] = [await someCancellation(), new RangeError("other")];
    assert.equal(unwrapCancellation(new SuppressedError(other, error)), other);
    assert.equal(unwrapCancellation(new AggregateError([error, "just a text"])), "just a text");
  });

  it("leaves a composite of several other errors, or of only one and nothing else", async () => {
    const error = await someCancellation();
    const several = new AggregateError([error, new RangeError("one"), new RangeError("two")]);
    assert.equal(unwrapCancellation(several), several);
    const single = new AggregateError([new RangeError("one")]);
    assert.equal(unwrapCancellation(single), single);
  });

  it("leaves a circle", () => {
    const circle = new AggregateError([null]);
    circle.errors = [circle];
    assert.equal(unwrapCancellation(circle), circle);
  });
});

describe("isCancelled", () => {
  it("is true for the current scope and those around it, at any depth", async () => {
    await cancelScope(async (outer) => {
      await cancelScope(async (inner) => {
        outer.cancel();
        const error = await caught(checkpoint());
        assert.equal(isCancelled(error), true);
        assert.throws(() => rethrowIfCancelled(error));
        inner.cancel();
        assert.equal(isCancelled(await caught(sleep(1))), true);
      });
    });
  });

  it("is false once the scope has been left, for other errors, and for none", async () => {
    assert.equal(isCancelled(await someCancellation()), false);
    assert.equal(isCancelled(new Error("other")), false);
    assert.equal(isCancelled(undefined), false);
    rethrowIfCancelled(new TaskGroupError("MW_ERR_TASK_GROUP", [], ""));
  });
});
