import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { expectWarning } from "../../../tools/test-setup.ts";
import * as errors from "../src/errors.ts";
import { CANCELLATION, type Cancellation, CancelledError, TaskCancelledError } from "../src/errors.ts";
import * as api from "../src/index.ts";

function cancelledBy(reason: unknown): CancelledError {
  const cancellation: Cancellation = { scope: {}, reason, by: "call", origin: { stack: "at cancel" } };
  return new CancelledError(cancellation);
}

describe("CancelledError", () => {
  it("carries the reason and the place of the cancel() call", () => {
    const error = cancelledBy("enough");
    assert.equal(error.name, "CancelledError");
    assert.equal(error.code, "MW_ERR_CANCELLED");
    assert.equal(error.reason, "enough");
    assert.equal(error.cancelledAt, "at cancel");
    assert.equal(error.cause, undefined);
  });

  it("says the reason in its message, whatever it is", () => {
    const hostile = {
      toString(): never {
        throw new Error("no");
      },
    };
    const messages = [undefined, "enough", "", 5, null, Symbol("s"), hostile, Object.create(null), new Error("")];
    assert.deepEqual(
      messages.map((reason) => cancelledBy(reason).message),
      [
        "Cancelled",
        "Cancelled: enough",
        "Cancelled",
        "Cancelled: 5",
        "Cancelled: null",
        "Cancelled: Symbol(s)",
        "Cancelled",
        "Cancelled",
        "Cancelled",
      ],
    );
  });

  it("has an error given as the reason as its cause", () => {
    const reason = new Error("disk full");
    const error = cancelledBy(reason);
    assert.equal(error.message, "Cancelled: disk full");
    assert.equal(error.cause, reason);
  });

  it("does not show the cancellation itself to those who print or copy it", () => {
    const error = cancelledBy("enough");
    assert.equal(Object.keys(error).includes("reason"), false);
    assert.equal(Object.getOwnPropertyDescriptor(error, CANCELLATION)?.enumerable, false);
  });
});

describe("TaskCancelledError", () => {
  it("says what was awaited, and why it was cancelled if there is a reason", () => {
    const cause = cancelledBy("enough");
    const error = new TaskCancelledError('task "a"', cause);
    assert.equal(error.message, 'Cannot await task "a": it was cancelled (Cancelled: enough)');
    assert.equal(error.cause, cause);
    assert.equal(new TaskCancelledError("x", cancelledBy(undefined)).message, "Cannot await x: it was cancelled");
    assert.equal(new TaskCancelledError("x", new Error("AbortError")).message, "Cannot await x: it was cancelled");
  });
});

describe("warn", () => {
  it("emits a process warning with its code, and the detail if there is one", async () => {
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    errors.warn("MW_WARN_SUPPRESSED", "without");
    errors.warn("MW_WARN_SUPPRESSED", "with", "the stack");
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      warnings.seen.map((warning) => [warning.name, warning.message, (warning as { detail?: string }).detail]),
      [
        ["MeanwhileWarning", "without", undefined],
        ["MeanwhileWarning", "with", "the stack"],
      ],
    );
  });
});

describe("The errors of the core", () => {
  it("have their class name as their name and a code of the right form", () => {
    const made = [
      new errors.UsageError("MW_ERR_EMPTY", "m"),
      cancelledBy(1),
      new TaskCancelledError("x", undefined),
      new errors.TimeoutError("m"),
      new errors.TaskGroupError("MW_ERR_TASK_GROUP", [1], "m"),
      new errors.DeadlockError("m"),
      new errors.QueueClosedError("m"),
      new errors.QueueFullError("m"),
      new errors.QueueEmptyError("m"),
      new errors.InternalError("m"),
    ];
    for (const error of made) {
      assert.equal(error.name, error.constructor.name);
      assert.match(error.code, /^MW_ERR_[A-Z_]+$/);
      assert.ok(error instanceof Error);
      assert.match(error.stack ?? "", new RegExp(error.name));
    }
  });

  it("are all exported, except those that no caller catches apart", () => {
    const classes = Object.entries(errors).filter(
      ([, value]) => typeof value === "function" && value.name.endsWith("Error"),
    );
    const hidden = classes.map(([name]) => name).filter((name) => !(name in api));
    assert.deepEqual(hidden.toSorted(), ["InternalError", "TestError"]);
  });
});
