// Checkpoints: cancellation gets in, and the event loop gets its turn.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  checkpoint,
  isCancelled,
  Lock,
  moveOnAfter,
  now,
  Semaphore,
  sleep,
  taskGroup,
  timeout,
} from "meanwhile";
import { currentScopeNode, enterCheckpoint, giveWay, throwIfCancelled, turnIsOver } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { BUDGET_MS } from "../../src/kernel/turn.ts";
import { caught } from "./caught.ts";

/** Whether one of the next turns has time left; a machine with much to do takes the time of some. */
async function hasFreshTurn(): Promise<boolean> {
  for (let turns = 0; turns < 1_000; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setImmediate(resolve));
    if (!turnIsOver(currentScopeNode().runner)) return true;
  }
  return false;
}

/** Uses up the budget of this turn. */
function compute(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

/** Calls `step` until a timer of 1 ms fires; fails if it never does. */
async function untilTimerFires(step: () => Promise<unknown>): Promise<void> {
  const timer = { fired: false };
  setTimeout(() => (timer.fired = true), 1);
  for (let steps = 0; steps < 2e6; steps++) {
    if (timer.fired) return;
    await step();
  }
  assert.fail("the timer was starved");
}

describe("A loop of calls that need not wait", () => {
  it("lets timers fire between checkpoints", () => untilTimerFires(checkpoint));

  it("lets timers fire between uncontended calls", async () => {
    const lock = new Lock();
    const slots = new Semaphore(1);
    await untilTimerFires(async () => {
      using held = await lock.acquire();
      using slot = await slots.acquire();
      assert.ok(held && slot);
    });
  });

  it("lets timers fire under a mock clock too", () => runTest(() => untilTimerFires(checkpoint)));

  it("ends at a deadline, although the timer of the clock comes late", async () => {
    const started = performance.now();
    const result = await moveOnAfter(2, async () => {
      for (;;) {
        compute(1);
        await checkpoint();
      }
    });
    assert.equal(result, undefined);
    assert.ok(performance.now() - started < 200);
  });
});

describe("checkpoint", () => {
  it("does not wait while the turn has budget", async () => {
    const order: string[] = [];
    // On a busy machine the budget may be gone after the first line.
    for (let tries = 0; tries < 20 && order[0] !== "checkpoints"; tries++) {
      await sleep(0);
      order.length = 0;
      setImmediate(() => order.push("event loop"));
      await checkpoint();
      await checkpoint();
      order.push("checkpoints");
      await sleep(0);
    }
    assert.deepEqual(order, ["checkpoints", "event loop"]);
  });

  it("gives way once the turn has lasted 5 ms", async () => {
    await sleep(0);
    const order: string[] = [];
    await checkpoint(); // notes the start of the turn
    setImmediate(() => order.push("event loop"));
    compute(BUDGET_MS);
    await checkpoint();
    order.push("after it");
    assert.deepEqual(order, ["event loop", "after it"]);
  });

  it("counts each turn of the event loop anew", async () => {
    assert.ok(await hasFreshTurn());
    compute(BUDGET_MS);
    assert.equal(turnIsOver(currentScopeNode().runner), true);
    assert.ok(await hasFreshTurn());
  });

  it("throws in a cancelled scope, before and after it gave way", async () => {
    await cancelScope(async (scope) => {
      scope.cancel();
      assert.ok(isCancelled(await caught(checkpoint())));
      assert.ok(isCancelled(await caught(giveWay())));
      assert.throws(throwIfCancelled, isCancelled);
      assert.throws(enterCheckpoint, isCancelled);
    });
    await cancelScope(async (scope) => {
      turnIsOver(currentScopeNode().runner);
      compute(BUDGET_MS);
      const turn = checkpoint();
      scope.cancel();
      assert.ok(isCancelled(await caught(turn)));
    });
  });

  it("leaves the event loop its turns where cancelled code goes on to wait", async () => {
    await taskGroup(async (group) => {
      const task = group.createTask(() => 1);
      await task;
      await cancelScope(async (scope) => {
        scope.cancel();
        const join = async (): Promise<number> => await task;
        for (const wait of [checkpoint, giveWay, async () => await enterCheckpoint(), () => sleep(1), join]) {
          await untilTimerFires(async () => assert.ok(isCancelled(await caught(wait()))));
        }
      });
    });
  });

  it("lets pass what is not cancelled", () => {
    assert.equal(throwIfCancelled(), undefined);
  });
});

describe("enterCheckpoint", () => {
  it("costs nothing while the turn has budget, and gives way after", async () => {
    await sleep(0);
    assert.equal(enterCheckpoint(), null);
    compute(BUDGET_MS);
    const turn = enterCheckpoint();
    assert.ok(turn instanceof Promise);
    await turn;
  });
});

describe("Giving way", () => {
  it("wakes everybody who gave way in one turn together, in order", async () => {
    const order: string[] = [];
    setImmediate(() => setImmediate(() => order.push("next turn")));
    await Promise.all(["a", "b", "c"].map((name) => giveWay().then(() => order.push(name))));
    await sleep(0);
    assert.deepEqual(order, ["a", "b", "c", "next turn"]);
  });

  it("looks at deadlines with the clock itself, so that one that is due comes before the wake", async () => {
    // Right after a timer the loop looks at immediates before it looks at timers again.
    await new Promise((resolve) => setTimeout(resolve, 1));
    await cancelScope(async (scope) => {
      scope.deadline = now() + 1;
      compute(3);
      assert.ok(isCancelled(await caught(giveWay())));
    });
  });

  it("cancels one who gave way and leaves the others", async () => {
    const woken: string[] = [];
    await Promise.all([
      cancelScope(async (scope) => {
        queueMicrotask(() => scope.cancel());
        await giveWay();
        woken.push("cancelled");
      }),
      timeout(60_000, () => giveWay().then(() => woken.push("other"))),
    ]);
    assert.deepEqual(woken, ["other"]);
  });
});
