// `node:events`: one event, and one after the other.

import assert from "node:assert/strict";
import { EventEmitter, on, once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";

import type { Scenario } from "../driver.ts";
import type { World } from "../world.ts";

/** Emits numbers, a turn of the event loop between them. */
function numbers(world: World, atMost: number): EventEmitter {
  const emitter = new EventEmitter();
  let newest = 0;
  const emit = (): void => {
    newest += 1;
    emitter.emit("number", newest);
    if (newest < atMost) setImmediate(emit);
  };
  setImmediate(emit);
  world.afterwards(() => assert.equal(emitter.listenerCount("number") + emitter.listenerCount("error"), 0));
  return emitter;
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  "events.once": {
    run: async (world) => {
      const emitter = numbers(world, 50);
      const me = world.root.begins("once");
      const controller = new AbortController();
      const { signal } = controller;
      try {
        const [first] = (await once(emitter, "number", { signal })) as [number];
        const [second] = (await once(emitter, "number", { signal })) as [number];
        return second - first;
      } finally {
        me.cleansUp();
        controller.abort();
        await turn();
        me.ends();
      }
    },
  },
  "events.on": {
    run: async (world) => {
      const emitter = numbers(world, 50);
      const me = world.root.begins("on");
      let sum = 0;
      try {
        for await (const [number] of on(emitter, "number") as AsyncIterable<[number]>) {
          sum += number;
          if (number === 3) break;
          await turn();
        }
        return sum;
      } finally {
        me.cleansUp();
        await turn();
        me.ends();
      }
    },
  },
  "events.on, when no event comes any more": {
    isEndless: true,
    run: async (world) => {
      const emitter = numbers(world, 2);
      const me = world.root.begins("on");
      try {
        for await (const _ of on(emitter, "number"));
      } finally {
        me.cleansUp();
        await turn();
        me.ends();
      }
    },
  },
  "events.on, read by a generator": {
    run: async (world) => {
      const emitter = numbers(world, 50);
      async function* doubled(): AsyncGenerator<number, void> {
        const me = world.root.begins("generator");
        try {
          for await (const [number] of on(emitter, "number") as AsyncIterable<[number]>) yield number * 2;
        } finally {
          me.cleansUp();
          await turn();
          me.ends();
        }
      }
      let sum = 0;
      for await (const number of doubled()) {
        sum += number;
        if (number === 6) break;
        await turn();
      }
      return sum;
    },
  },
};
