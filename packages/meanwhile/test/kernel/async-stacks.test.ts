// Errors know who waited: V8 finds the async functions that wait, if the error is made when they resume.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancellable,
  type CancelledError,
  cancelScope,
  coroutine,
  createTask,
  moveOnAfter,
  sleep,
  sleepForever,
} from "meanwhile";
import { ParkingLot } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { caught } from "./caught.ts";

describe("The stack of an error of a wait", () => {
  it("names the async functions that wait, at any depth", async () => {
    async function innermost(): Promise<void> {
      await sleep(60_000);
    }
    async function middle(): Promise<void> {
      await innermost();
    }
    const error = await cancelScope(async (scope) => {
      setTimeout(() => scope.cancel(), 1);
      return (await caught(middle())) as CancelledError;
    });
    assert.match(error?.stack ?? "", /innermost[^]*middle/);
  });

  it("names them also when the wait was taken over from a scope that ended", async () => {
    async function whoWaits(): Promise<void> {
      await sleep(60_000);
    }
    const error = await cancelScope(async (outer) => {
      let forgotten: Promise<unknown> | undefined;
      await moveOnAfter(60_000, () => {
        forgotten = caught(whoWaits());
      });
      outer.cancel();
      return (await forgotten) as CancelledError;
    });
    assert.match(error?.stack ?? "", /whoWaits/);
  });

  it("of a foreign promise has it too", async () => {
    async function whoWaits(): Promise<void> {
      await cancellable(new Promise(() => {}));
    }
    const error = await cancelScope(async (scope) => {
      setTimeout(() => scope.cancel(), 1);
      return (await caught(whoWaits())) as Error;
    });
    assert.match(error?.stack ?? "", /whoWaits/);
  });

  it("of an awaited task has it too", async () => {
    await runTest(async () => {
      const task = createTask(() => sleepForever());
      async function whoAwaitsTheTask(): Promise<void> {
        await task;
      }
      const waiting = caught(whoAwaitsTheTask());
      await sleep(1);
      task.cancel();
      const error = (await waiting) as Error;
      assert.match(error.stack ?? "", /whoAwaitsTheTask/);
    });
  });

  it("of a coroutine has who awaits it too", async () => {
    const fail = coroutine(async function failing() {
      await sleep(0);
      throw new RangeError("deep");
    });
    async function whoAwaitsTheCoroutine(): Promise<void> {
      await fail();
    }
    const error = (await caught(whoAwaitsTheCoroutine())) as Error;
    assert.match(error.stack ?? "", /at failing [^]*at async whoAwaitsTheCoroutine/);
  });

  it("is that of each waiter when a primitive fails many at once", async () => {
    const lot = new ParkingLot({ describe: () => "the test" });
    async function first(): Promise<void> {
      await lot.park();
    }
    async function second(): Promise<void> {
      await lot.park();
    }
    const waits = Promise.all([caught(first()), caught(second())]);
    lot.failAll(() => new RangeError("closed"));
    const [one, two] = (await waits) as [Error, Error];
    assert.match(one.stack ?? "", /first/);
    assert.match(two.stack ?? "", /second/);
  });
});
