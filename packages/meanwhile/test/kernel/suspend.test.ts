// The suspension point: how a wait ends, once, and what the error of its end knows.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { CancelledError, cancelScope, isCancelled, now, sleep } from "meanwhile";
import { addInstrument, suspend, suspension, currentScopeNode, type Waiter, wakeAt } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { caught } from "./caught.ts";

function newWaiter(): { promise: Promise<string>; waiter: Waiter<string> } {
  return suspension<string>(currentScopeNode(), { describe: () => "the test" });
}

describe("A wait", () => {
  it("ends once: by the first of wake, fail and cancellation", async () => {
    const woken = newWaiter();
    assert.equal(woken.waiter.settled, false);
    assert.equal(woken.waiter.wake("first"), true);
    assert.equal(woken.waiter.settled, true);
    assert.equal(woken.waiter.wake("second"), false);
    assert.equal(woken.waiter.fail(new RangeError("too late")), false);
    assert.equal(await woken.promise, "first");

    const failed = newWaiter();
    const failure = new RangeError("first");
    assert.equal(failed.waiter.fail(failure), true);
    assert.equal(failed.waiter.wake("too late"), false);
    assert.equal(await caught(failed.promise), failure);

    await cancelScope(async (scope) => {
      const cancelled = newWaiter();
      scope.cancel();
      assert.equal(cancelled.waiter.wake("too late"), false);
      assert.ok(isCancelled(await caught(cancelled.promise)));
    });
  });

  it("registers nothing in a cancelled scope", async () => {
    let registered = false;
    await cancelScope(async (scope) => {
      scope.cancel();
      await suspend(() => {
        registered = true;
        return undefined;
      });
    });
    assert.equal(registered, false);
  });

  it("fails with what its registration throws", async () => {
    const failure = new RangeError("cannot register");
    const wait = suspend(() => {
      throw failure;
    });
    assert.equal(await caught(wait), failure);
  });

  it("may be woken while it registers", async () => {
    assert.equal(
      await suspend<string>((waiter) => {
        waiter.wake("at once");
        return undefined;
      }),
      "at once",
    );
  });

  it("is taken back when cancelled, in the stack of the canceller", async () => {
    const order: string[] = [];
    await cancelScope(async (scope) => {
      const wait = caught(
        suspend(() => () => {
          order.push("taken back");
        }),
      );
      scope.cancel();
      order.push("cancel returned");
      await wait;
      order.push("resumed");
    });
    assert.deepEqual(order, ["taken back", "cancel returned", "resumed"]);
  });

  it("goes on if taking it back is not possible now, and is asked again by a scope further out", async () => {
    let asked = 0;
    await cancelScope(async (outer) => {
      await cancelScope(async (inner) => {
        let waiter: Waiter<string> | undefined;
        const wait = suspend<string>((given) => {
          waiter = given;
          return () => {
            asked += 1;
            return "wait";
          };
        });
        inner.cancel();
        outer.cancel();
        assert.equal(waiter?.wake("in the end"), true);
        assert.equal(await wait, "in the end");
      });
    });
    assert.equal(asked, 2);
  });

  it("can be woken by the clock of its run", async () => {
    await runTest(async () => {
      await suspend<void>((waiter) => {
        wakeAt(waiter, now() + 10);
        return undefined;
      });
      assert.equal(now(), 10);
    });
  });

  it("leaves the clock when it ends before its time", async () => {
    await runTest(async () => {
      let waiter: Waiter<void> | undefined;
      const wait = suspend<void>((given) => {
        waiter = given;
        wakeAt(given, now() + 10);
        return undefined;
      });
      waiter?.wake(undefined);
      await wait;
      wakeAt(waiter as Waiter<void>, now() + 10); // over: nothing to wake
      await sleep(5);
      assert.equal(now(), 5);
    });
  });

  it("is shown to instruments from its start to its end", async () => {
    const seen: string[] = [];
    {
      using instrument = addInstrument({
        suspended: (waiter) => void seen.push(`suspended in ${waiter.target.describe()}`),
        resumed: (waiter) => void seen.push(`resumed from ${waiter.target.describe()}`),
      });
      assert.ok(instrument);
      await suspend<void>((waiter) => {
        setImmediate(() => waiter.wake());
        return undefined;
      });
    }
    assert.deepEqual(seen, ["suspended in suspend()", "resumed from suspend()"]);
  });
});

describe("The error of a wait", () => {
  it("is made when the waiting code resumes, one for each waiter", async () => {
    let made = 0;
    const both = [newWaiter(), newWaiter()];
    for (const { waiter } of both) waiter.failWith(() => new RangeError(`${++made}`));
    assert.equal(made, 0);
    const errors = await Promise.all(both.map(({ promise }) => caught(promise)));
    assert.deepEqual(
      errors.map((error) => (error as Error).message),
      ["1", "2"],
    );
  });

  it("names the outermost cancellation even if that comes after the wait was interrupted", async () => {
    await cancelScope(async (outer) => {
      await cancelScope(async (inner) => {
        const wait = caught(sleep(60_000));
        inner.cancel("inner");
        outer.cancel("outer");
        const error = await wait;
        assert.ok(error instanceof CancelledError);
        assert.equal(error.reason, "outer");
      });
    });
  });
});
