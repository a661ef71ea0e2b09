import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  createTask,
  isCancelled,
  rethrowIfCancelled,
  sleep,
  taskGroup,
  timeout,
  unwrapSingle,
} from "meanwhile";
import { runTest } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";

describe("isCancelled", () => {
  it("is true for the cancellation of the current scope, and of one around it", () =>
    runTest(async () => {
      await cancelScope(async (scope) => {
        scope.cancel();
        const error = await errorOf(sleep(1));
        assert.equal(isCancelled(error), true);
        await cancelScope(async () => {
          assert.equal(isCancelled(error), true);
        });
      });
    }));

  it("is true for the cancellation of an inner scope if the current one was cancelled before that was left", () =>
    runTest(async () => {
      await cancelScope(async (outer) => {
        const error = await errorOf(
          cancelScope(async (inner) => {
            inner.cancel();
            try {
              await sleep(1);
            } finally {
              outer.cancel();
            }
          }),
        );
        assert.equal(isCancelled(error), true);
      });
    }));

  it("is false for the cancellation of an inner scope, of another task, and outside", async () => {
    let kept: unknown;
    await runTest(async () => {
      await cancelScope(async (scope) => {
        scope.cancel();
        kept = await errorOf(sleep(1));
        throw kept;
      });
      assert.equal(isCancelled(kept), false);
      const task = createTask(() => sleep(10));
      task.cancel();
      assert.equal(isCancelled(await errorOf(task)), false);
    });
    assert.equal(isCancelled(kept), false);
  });

  it("is false for a timeout and for what is no error of ours", () =>
    runTest(async () => {
      assert.equal(isCancelled(await errorOf(timeout(1, () => sleep(10)))), false);
      for (const other of [undefined, null, "cancelled", new Error("x"), { name: "AbortError" }]) {
        assert.equal(isCancelled(other), false);
      }
    }));
});

describe("rethrowIfCancelled", () => {
  it("throws the cancellation on, and nothing else", () =>
    runTest(async () => {
      rethrowIfCancelled(new Error("handled here"));
      const result = await cancelScope(async (scope) => {
        scope.cancel();
        try {
          await sleep(1);
        } catch (error) {
          rethrowIfCancelled(error);
          assert.fail("not reached");
        }
      });
      assert.equal(result, undefined);
    }));
});

describe("unwrapSingle", () => {
  it("gives the only error inside, at any depth", () =>
    runTest(async () => {
      const failure = new Error("inner");
      const error = await errorOf(
        taskGroup(() =>
          taskGroup(() => {
            throw failure;
          }),
        ),
      );
      assert.notEqual(error, failure);
      assert.equal(unwrapSingle(error), failure);
    }));

  it("gives back what is no group, or has several errors", () =>
    runTest(async () => {
      const error = await errorOf(
        taskGroup(async (group) => {
          void group.createTask(async () => {
            throw new Error("a");
          });
          await sleep(1).catch(() => {});
          throw new Error("b");
        }),
      );
      assert.equal((error as AggregateError).errors.length, 2);
      assert.equal(unwrapSingle(error), error);
      assert.equal(unwrapSingle("text"), "text");
    }));
});
