// What a director decides, in place of chance.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  type CancelScope,
  checkpoint,
  createTask,
  Event,
  gather,
  isCancelled,
  Lock,
  moveOnAfter,
  run,
  sleep,
} from "meanwhile";
import { currentScopeNode, type Director, enterCheckpoint, throwIfCancelled } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";

/** Decides nothing until told otherwise: the latest to be ready resumes first. */
function directorOf(decisions: Partial<Director>): Director & { readonly ready: Array<() => void> } {
  const ready: Array<() => void> = [];
  return {
    ready,
    checkpoint: () => undefined,
    turnIsOver: () => false,
    random: () => 0,
    resume(_scope, go) {
      ready.push(go);
      setImmediate(() => ready.pop()?.());
    },
    ...decisions,
  };
}

async function directed<T>(decisions: Partial<Director>, body: () => Promise<T>): Promise<T> {
  const { runner } = currentScopeNode();
  runner.director = directorOf(decisions);
  try {
    return await body();
  } finally {
    runner.director = null;
  }
}

const inTurn = (body: () => Promise<void>) => () => runTest(body);

describe("A director", () => {
  it(
    "decides who resumes next",
    inTurn(async () => {
      const order: number[] = [];
      await directed({}, async () => {
        const open = new Event();
        await gather([
          ...[1, 2, 3].map((number) => async () => {
            await open.wait();
            order.push(number);
          }),
          async () => open.set(),
        ]);
      });
      assert.deepEqual(order, [3, 2, 1]);
    }),
  );

  it(
    "decides when a started task begins, in the context of its creator",
    inTurn(async () => {
      const order: string[] = [];
      await directed({}, async () => {
        const tasks = ["first", "second"].map((name) => createTask(async () => order.push(name)));
        for (const task of tasks) await task;
      });
      assert.deepEqual(order, ["second", "first"]);
    }),
  );

  it(
    "does not undo a hand-over: what was given before a cancellation is delivered",
    inTurn(async () => {
      await directed({}, async () => {
        const lock = new Lock();
        const held = await lock.acquire();
        const result = await moveOnAfter(1_000, async (scope) => {
          const [permit] = await gather([
            () => lock.acquire(),
            async () => {
              await checkpoint();
              held.release();
              scope.cancel();
            },
          ]);
          permit.release();
          return "got it";
        });
        assert.equal(result, "got it");
        assert.equal(lock.locked, false);
      });
    }),
  );

  it(
    "decides when the turn of the event loop is over",
    inTurn(async () => {
      let isOver = false;
      await directed({ turnIsOver: () => isOver }, async () => {
        const order: string[] = [];
        const look = async (what: string): Promise<void> => {
          setImmediate(() => order.push("event loop"));
          await checkpoint();
          order.push(what);
        };
        await look("at once");
        assert.deepEqual(order, ["at once"]);
        isOver = true;
        await look("after a turn");
        assert.deepEqual(order, ["at once", "event loop", "event loop", "after a turn"]);
      });
    }),
  );

  it(
    "makes checkpoints fail before they have an effect",
    inTurn(async () => {
      const fault = new Error("a fault");
      const lock = new Lock();
      const task = createTask(() => sleep(1));
      await sleep(0); // now it sleeps
      await directed({ checkpoint: () => fault }, async () => {
        for (const call of [() => lock.acquire(), checkpoint, () => sleep(1), () => sleep(0), async () => task]) {
          assert.equal(await errorOf(call()), fault);
        }
        assert.throws(enterCheckpoint, fault);
        assert.throws(throwIfCancelled, fault);
      });
      await task;
      assert.equal(lock.locked, false);
    }),
  );

  it(
    "cancels at a checkpoint, which then throws",
    inTurn(async () => {
      const cancel = (scope: CancelScope): undefined => {
        scope.cancel("at the first one");
      };
      await directed({ checkpoint: cancel }, async () => {
        await moveOnAfter(1_000, async () => assert.ok(isCancelled(await errorOf(checkpoint()))));
      });
    }),
  );

  it(
    "decides for the runs inside its run too, and for no other",
    inTurn(async () => {
      await directed({}, async () => {
        const { director } = currentScopeNode().runner;
        await run(async () => assert.equal(currentScopeNode().runner.director, director));
      });
      await run(async () => assert.equal(currentScopeNode().runner.director, null));
    }),
  );
});
