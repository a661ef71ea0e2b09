// p-map, p-limit and p-queue.

import { setImmediate as turn } from "node:timers/promises";

import pLimit from "p-limit";
import pMap, { pMapIterable } from "p-map";
import PQueue from "p-queue";

import type { Activity } from "../activity.ts";
import type { Scenario } from "../driver.ts";

async function work(around: Activity, number: number): Promise<number> {
  const me = around.begins(`work on ${number}`);
  try {
    for (let left = number; left > 0; left -= 1) await turn();
    return number * 10;
  } finally {
    me.cleansUp();
    await turn();
    me.ends();
  }
}

function over<T>(name: string, body: (me: Activity) => Promise<T>): Scenario {
  return {
    run: async ({ root }) => {
      const me = root.begins(name);
      try {
        return await body(me);
      } finally {
        me.cleansUp();
        await turn();
        me.ends();
      }
    },
  };
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  "p-map": over("p-map", (me) => pMap([3, 1, 2, 1], (number) => work(me, number), { concurrency: 2 })),
  "p-map that collects errors": over("p-map", (me) =>
    pMap([2, 1, 1], (number) => work(me, number), { concurrency: 2, stopOnError: false }),
  ),
  pMapIterable: over("pMapIterable", async (me) => {
    let sum = 0;
    for await (const value of pMapIterable([2, 1, 1], (number) => work(me, number), { concurrency: 2 })) {
      sum += value;
      await turn();
    }
    return sum;
  }),
  "p-limit": over("p-limit", (me) => {
    const limit = pLimit(2);
    return Promise.all([3, 1, 2].map((number) => limit(work, me, number)));
  }),
  "p-limit of p-limit": over("outer", (me) => {
    const outer = pLimit(2);
    const inner = pLimit(1);
    return Promise.all([1, 2, 1].map((number) => outer(() => inner(() => work(me, number)))));
  }),
  "p-queue": over("p-queue", async (me) => {
    const queue = new PQueue({ concurrency: 2 });
    return await Promise.all([3, 1, 2].map((number) => queue.add(() => work(me, number))));
  }),
  "p-queue, waited for": over("p-queue", async (me) => {
    const queue = new PQueue({ concurrency: 2 });
    const values: number[] = [];
    for (const number of [2, 1, 1]) {
      queue
        .add(() => work(me, number), { priority: number })
        .then((value) => values.push(value))
        .catch(() => {});
    }
    await queue.onIdle();
    return values.length;
  }),
};
