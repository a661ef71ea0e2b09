// An interpreter of plans: each function of a plan is an activation of an instrumented function.

import { cancelScope, Event, isCancelled, shield, taskGroup } from "meanwhile";
import pLimit from "p-limit";
import pMap from "p-map";

import type { Activation } from "../plans.ts";
import { never, settleInOrder, turns } from "./foreign.ts";

export async function activate(me: Activation): Promise<string> {
  me.begins();
  try {
    await waitFor(me);
    me.resumes();
    if (me.plan.throws) throw new RangeError("of the plan");
    return "value";
  } catch (error) {
    me.catches(error, isCancelled(error));
    throw error;
  } finally {
    me.cleansUp();
    if (me.plan.cleanupTurns > 0) await cleanUp(me);
    me.ends();
  }
}

async function cleanUp(me: Activation): Promise<void> {
  const { cleanupTurns } = me.plan;
  if (cleanupTurns % 2 === 0) await turns(cleanupTurns / 2);
  else await Promise.all([turns(1), turns(cleanupTurns)]);
}

function all(me: Activation): Array<Promise<string>> {
  return me.children().map((child) => activate(child));
}

// One frame for the statement, so that the activation itself is a parent two levels up.
async function waitFor(me: Activation): Promise<unknown> {
  switch (me.plan.kind) {
    case "never":
      return await (me.isShielded ? turns(1) : never());
    case "event":
      return await (me.isShielded ? turns(1) : new Event().wait());
    case "turns":
      return await turns(me.plan.number);
    case "value":
      return await Promise.resolve(me.plan.number);
    case "sequence":
      for (const child of me.children()) await activate(child);
      break;
    case "all":
      return await Promise.all(all(me));
    case "race":
      return await Promise.race([...all(me), turns(20)]);
    case "any":
      return await Promise.any(all(me));
    case "allSettled":
      return await Promise.allSettled(all(me));
    case "byHand": {
      const promises = all(me);
      // Looked at one after the other: a later one may have failed by then.
      for (const promise of promises) promise.catch(() => {});
      return await settleInOrder(promises);
    }
    case "pMap":
      return await pMap(me.children(), activate, { concurrency: 2 });
    case "pLimit": {
      const limit = pLimit(2);
      return await Promise.all(me.children().map((child) => limit(activate, child)));
    }
    case "stored": {
      const stored = all(me);
      for (const promise of stored) promise.catch(() => {});
      await turns(me.plan.number);
      return await Promise.all(stored);
    }
    case "orphans":
      for (const promise of all(me)) promise.catch(() => {});
      return await turns(me.plan.number);
    case "shield":
      return await shield(() => Promise.all(all(me)));
    case "scope":
      return await cancelScope(async (scope) => {
        cancelIn(me.plan.number, () => scope.cancel());
        await Promise.all(all(me));
      });
    case "group":
      return await taskGroup(async (group) => {
        const [first, ...others] = me.children();
        for (const child of others) group.createTask(() => activate(child));
        if (first !== undefined) await activate(first);
      });
    case "generator":
      for await (const item of items(me)) if (item === me.plan.number) break;
  }
  return undefined;
}

function cancelIn(count: number, cancel: () => void): void {
  if (count === 0) cancel();
  else setImmediate(cancelIn, count - 1, cancel);
}

async function* items(me: Activation): AsyncGenerator<number, void> {
  let count = 0;
  for (const child of me.children()) {
    await activate(child);
    yield (count += 1);
  }
}

/** Runs a plan until it has ended, or is cancelled after some turns. */
export async function runPlan(root: Activation, cancelAfter: number): Promise<void> {
  await cancelScope(async (scope) => {
    cancelIn(cancelAfter, () => scope.cancel());
    try {
      await activate(root);
    } catch (error) {
      root.catches(error, isCancelled(error));
    }
    // Those that run although nobody waits for them.
    scope.cancel();
    await never();
  });
}
