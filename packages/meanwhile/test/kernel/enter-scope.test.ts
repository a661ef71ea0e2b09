// Bodies with a scope of their own: where a cancellation ends, and where it goes on.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  checkpoint,
  coroutine,
  currentScope,
  isCancelled,
  moveOnAfter,
  now,
  shield,
  sleep,
  sleepForever,
  taskGroup,
  timeout,
  UsageError,
} from "meanwhile";
import { enterScope } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { caught } from "./caught.ts";

describe("cancelScope", () => {
  it("returns the value of its body, sync or async", async () => {
    assert.equal(await cancelScope(() => 1), 1);
    assert.equal(await cancelScope(async () => 2), 2);
  });

  it("is the current scope of its body", async () => {
    await cancelScope(async (scope) => {
      assert.equal(currentScope(), scope);
      await sleep(0);
      assert.equal(currentScope(), scope);
    });
  });

  it("starts a lazy coroutine that the body returns inside the scope", async () => {
    let startedIn: unknown;
    const lazy = coroutine(async () => {
      startedIn = currentScope();
    });
    let own: unknown;
    await cancelScope((scope) => {
      own = scope;
      return lazy();
    });
    assert.equal(startedIn, own);
  });

  it("throws what its body throws, also when it is cancelled", async () => {
    const failure = new RangeError("from the body");
    assert.equal(await caught(cancelScope(() => Promise.reject(failure))), failure);
    const error = await caught(
      cancelScope(async (scope) => {
        scope.cancel();
        throw failure;
      }),
    );
    assert.equal(error, failure);
  });

  it("keeps the value of a body that returns in spite of its cancellation", async () => {
    const value = await cancelScope(async (scope) => {
      scope.cancel();
      await caught(checkpoint());
      return "all the same";
    });
    assert.equal(value, "all the same");
  });

  it("absorbs a composite error all of whose leaves are its cancellation", async () => {
    const value = await cancelScope(async (scope) => {
      scope.cancel();
      const [one, two] = [await caught(checkpoint()), await caught(checkpoint())];
      throw new AggregateError([one, new SuppressedError(two, one)]);
    });
    assert.equal(value, undefined);
  });

  it("throws the other error out of a composite one that has a single other leaf", async () => {
    const other = new RangeError("cleanup went wrong");
    const error = await caught(
      cancelScope(async (scope) => {
        scope.cancel();
        throw new SuppressedError(other, await caught(checkpoint()));
      }),
    );
    assert.equal(error, other);
  });

  it("throws a composite error as it is if nobody was cancelled", async () => {
    const both = new AggregateError([new RangeError("one"), new RangeError("two")]);
    assert.equal(await caught(cancelScope(() => Promise.reject(both))), both);
  });

  it("does not absorb the cancellation of another scope", async () => {
    let stray: unknown;
    await cancelScope(async (scope) => {
      scope.cancel();
      stray = await caught(checkpoint());
    });
    assert.equal(await caught(cancelScope(() => Promise.reject(stray as Error))), stray);
    const error = await caught(
      cancelScope((scope) => {
        scope.cancel();
        return Promise.reject(stray);
      }),
    );
    assert.equal(error, stray);
  });

  it("absorbs a cancellation that was made for a scope inside it", async () => {
    const value = await cancelScope(async (outer) => {
      let inside: unknown;
      await cancelScope(async (inner) => {
        inner.cancel();
        inside = await caught(checkpoint());
      });
      outer.cancel();
      throw inside;
    });
    assert.equal(value, undefined);
  });

  it("keeps the async stack of its caller in the error of the body", async () => {
    async function whoCalls(): Promise<void> {
      await cancelScope(async () => {
        await sleep(0);
        throw new RangeError("deep inside");
      });
    }
    assert.match(((await caught(whoCalls())) as Error).stack ?? "", /whoCalls/);
  });
});

describe("enterScope", () => {
  it("tells a value from an absorbed cancellation, and by what it was cancelled", async () => {
    await runTest(async () => {
      assert.deepEqual(await enterScope(() => undefined), { kind: "value", value: undefined });
      const byCall = await enterScope(async (scope) => {
        scope.cancel();
        await checkpoint();
      });
      const byDeadline = await enterScope(() => sleepForever(), { deadline: now() + 1 });
      const bySignal = await enterScope(() => sleepForever(), { signal: AbortSignal.abort() });
      assert.deepEqual(
        [byCall, byDeadline, bySignal].map((ending) => ending.kind === "absorbed" && ending.by),
        ["call", "deadline", "signal"],
      );
      assert.ok(bySignal.kind === "absorbed" && !isCancelled(bySignal.error));
    });
  });

  it("starts the body also past its deadline", async () => {
    let started = false;
    await enterScope(
      () => {
        started = true;
      },
      { deadline: -Infinity },
    );
    assert.equal(started, true);
  });

  it("can be shielded", async () => {
    await cancelScope(async (outer) => {
      outer.cancel();
      const ending = await enterScope(() => checkpoint(), { shielded: true });
      assert.equal(ending.kind, "value");
    });
  });
});

describe("Code that checks nothing itself", () => {
  it("starts its body in a cancelled scope", async () => {
    const started: string[] = [];
    await cancelScope(async (scope) => {
      scope.cancel();
      await shield(() => started.push("shield"));
      await moveOnAfter(10, () => started.push("moveOnAfter"));
      await cancelScope(() => started.push("cancelScope"));
    });
    assert.deepEqual(started, ["shield", "moveOnAfter", "cancelScope"]);
  });
});

describe("A body that is not a function", () => {
  const calls: Record<string, (body: never) => Promise<unknown>> = {
    cancelScope: (body) => cancelScope(body),
    moveOnAfter: (body) => moveOnAfter(10, body),
    shield: (body) => shield(body),
    taskGroup: (body) => taskGroup(body),
    timeout: (body) => timeout(10, body),
  };
  for (const [name, call] of Object.entries(calls)) {
    it(`is refused by ${name}, and a promise given in its place is handled`, async () => {
      const failing = Promise.reject(new RangeError("nobody sees it"));
      const error = await caught(call(failing as never));
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /pass a function that starts the work/);
    });
  }

  it("does not count as a forgotten coroutine", async () => {
    const lazy = coroutine(async () => {});
    await runTest(async () => {
      await assert.rejects(timeout(10, lazy() as never), UsageError);
    });
  });
});
