// The fair queue under every primitive: order, hand-over, and what a cancelled waiter leaves behind.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { CancelledError, cancelScope, isCancelled, sleepForever, taskGroup } from "meanwhile";
import { ParkingLot } from "meanwhile/lowlevel";

import { caught } from "./caught.ts";

const TARGET = { describe: () => "the test" };

describe("ParkingLot", () => {
  it("wakes the longest waiter first, each with its value", async () => {
    const lot = new ParkingLot<number>(TARGET);
    const waits = [lot.park(), lot.park(), lot.park()];
    assert.equal(lot.size, 3);
    assert.deepEqual(
      [1, 2, 3, 4].map((value) => lot.unpark(value)),
      [true, true, true, false],
    );
    assert.equal(lot.size, 0);
    assert.deepEqual(await Promise.all(waits), [1, 2, 3]);
  });

  it("shows what the longest waiter brought along", async () => {
    const lot = new ParkingLot<void, string>(TARGET);
    assert.equal(lot.peek(), undefined);
    const waits = [lot.park("first"), lot.park("second")];
    assert.equal(lot.peek(), "first");
    lot.unpark();
    assert.equal(lot.peek(), "second");
    lot.unpark();
    await Promise.all(waits);
  });

  it("wakes everybody who waits now, and nobody who comes then", async () => {
    const lot = new ParkingLot(TARGET);
    const again = (async () => {
      await lot.park();
      await lot.park();
    })();
    const once = lot.park();
    assert.equal(lot.unparkAll(), 2);
    await once;
    assert.equal(lot.size, 1);
    assert.equal(lot.unparkAll(), 1);
    assert.equal(lot.unparkAll(), 0);
    await again;
  });

  it("fails everybody who waits now, each with an error of its own", async () => {
    const lot = new ParkingLot(TARGET);
    const waits = [caught(lot.park()), caught(lot.park())];
    lot.failAll(() => new RangeError("closed"));
    assert.equal(lot.size, 0);
    const errors = await Promise.all(waits);
    assert.ok(errors.every((error) => error instanceof RangeError));
    assert.notEqual(errors[0], errors[1]);
    lot.failAll(() => new RangeError("nobody"));
  });

  it("forgets a cancelled waiter, its cargo and its place", async () => {
    const lot = new ParkingLot<string, string>(TARGET);
    const others = { before: lot.park("before"), after: undefined as Promise<string> | undefined };
    await cancelScope(async (scope) => {
      const wait = caught(lot.park("cancelled"));
      others.after = lot.park("after");
      scope.cancel("gone");
      // Both of the scope leave; the one before it stays.
      assert.deepEqual([lot.size, lot.peek()], [1, "before"]);
      const error = await wait;
      assert.ok(isCancelled(error) && error instanceof CancelledError);
      assert.ok(isCancelled(await caught(others.after)));
    });
    lot.unpark("value");
    assert.equal(await others.before, "value");
  });

  it("passes a wake to the next waiter when the longest one is cancelled first in the same tick", async () => {
    const lot = new ParkingLot<string>(TARGET);
    const outcome = await taskGroup(async (group) => {
      const victim = group.createTask(() => lot.park());
      const next = group.createTask(() => lot.park());
      group.createTask(async () => {
        victim.cancel();
        lot.unpark("for the next");
      });
      return next;
    });
    assert.equal(outcome, "for the next");
  });

  it("takes nobody in who is cancelled", async () => {
    const lot = new ParkingLot(TARGET);
    await cancelScope(async (scope) => {
      scope.cancel();
      await caught(lot.park());
      assert.equal(lot.size, 0);
      await sleepForever();
    });
  });
});
