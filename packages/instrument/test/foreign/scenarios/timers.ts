// `node:timers/promises`.

import { scheduler, setImmediate as turn, setInterval, setTimeout as wait } from "node:timers/promises";

import type { Scenario } from "../driver.ts";

export const scenarios: Readonly<Record<string, Scenario>> = {
  "waits one after the other": {
    run: async ({ root }) => {
      const me = root.begins("waits");
      const controller = new AbortController();
      const { signal } = controller;
      try {
        await wait(1, undefined, { signal });
        await scheduler.wait(1, { signal });
        await scheduler.yield();
        return await wait(1, "waited", { signal });
      } finally {
        me.cleansUp();
        controller.abort();
        await turn();
        me.ends();
      }
    },
  },
  "a wait that is far too long": {
    isEndless: true,
    run: async ({ root }) => {
      const me = root.begins("wait");
      const controller = new AbortController();
      try {
        await wait(1_000_000, undefined, { signal: controller.signal });
      } finally {
        me.cleansUp();
        controller.abort();
        me.ends();
      }
    },
  },
  "a timeout by a race": {
    run: async ({ root }) => {
      const me = root.begins("race");
      const controller = new AbortController();
      const { signal } = controller;
      try {
        return await Promise.race([wait(1_000_000, "late", { signal }), wait(2, "in time", { signal })]);
      } finally {
        me.cleansUp();
        controller.abort();
        me.ends();
      }
    },
  },
  "a loop over setInterval": {
    run: async ({ root }) => {
      const me = root.begins("loop");
      let count = 0;
      try {
        for await (const step of setInterval(1, 2)) {
          count += step;
          if (count === 6) break;
          await turn();
        }
        return count;
      } finally {
        me.cleansUp();
        await turn();
        me.ends();
      }
    },
  },
};
