// Streams of Node and of the web.

import assert from "node:assert/strict";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as turn } from "node:timers/promises";
import { createGzip } from "node:zlib";

import type { Activity } from "../activity.ts";
import type { Scenario } from "../driver.ts";
import type { World } from "../world.ts";

async function* letters(around: Activity): AsyncGenerator<string, void> {
  const me = around.begins("source", { mayOutlive: true });
  try {
    for (const letter of ["a", "b", "c"]) {
      await turn();
      yield letter;
    }
  } finally {
    me.cleansUp();
    await turn();
    me.ends();
  }
}

async function* capitals(source: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  for await (const letter of source) {
    await turn();
    yield String(letter).toUpperCase();
  }
}

function destroyedAfterwards<Stream extends Readable | Writable>(world: World, stream: Stream): Stream {
  world.afterwards(() => assert.equal(stream.destroyed, true));
  return stream;
}

/** Waits for the streams, and gives them up if it is left. */
async function through(world: World, use: (signal: AbortSignal, me: Activity) => Promise<unknown>): Promise<void> {
  const me = world.root.begins("pipeline");
  const controller = new AbortController();
  try {
    await use(controller.signal, me);
  } finally {
    me.cleansUp();
    controller.abort();
    await turn();
    me.ends();
  }
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  "a pipeline of streams": {
    run: async (world) => {
      const kept: string[] = [];
      await through(world, (signal) =>
        pipeline(
          destroyedAfterwards(world, Readable.from(["a", "b", "c"])),
          new Transform({
            objectMode: true,
            transform: (letter, _, done) => setImmediate(done, null, String(letter).toUpperCase()),
          }),
          destroyedAfterwards(
            world,
            new Writable({
              objectMode: true,
              write: (letter, _, done) => done(void kept.push(String(letter)) as never),
            }),
          ),
          { signal },
        ),
      );
      return kept;
    },
  },
  "a pipeline of generators": {
    run: async (world) => {
      const kept: string[] = [];
      await through(world, (signal, me) =>
        pipeline(
          letters(me),
          capitals,
          async (source: AsyncIterable<string>) => {
            for await (const letter of source) kept.push(letter);
          },
          { signal },
        ),
      );
      return kept;
    },
  },
  "a pipeline into a file": {
    run: async (world) => {
      const file = join(world.place.folder, "zipped");
      const me = world.root.begins("file");
      const target = destroyedAfterwards(world, createWriteStream(file));
      try {
        await through(world, (signal) =>
          pipeline(destroyedAfterwards(world, createReadStream(world.place.file)), createGzip(), target, { signal }),
        );
        return target.bytesWritten > 0;
      } finally {
        me.cleansUp();
        await rm(file, { force: true });
        me.ends();
      }
    },
  },
  "a loop over a stream": {
    run: async (world) => {
      const stream = destroyedAfterwards(world, Readable.from(letters(world.root)));
      const me = world.root.begins("loop");
      let text = "";
      try {
        for await (const letter of stream) {
          text += String(letter);
          await turn();
        }
        return text;
      } finally {
        me.cleansUp();
        await turn();
        me.ends();
      }
    },
  },
  "a loop over a file": {
    run: async (world) => {
      let text = "";
      for await (const part of destroyedAfterwards(world, createReadStream(world.place.file, { highWaterMark: 8 }))) {
        text += String(part);
        await turn();
      }
      return text;
    },
  },
  "a loop over a stream that stalls": {
    isEndless: true,
    run: async (world) => {
      const stream = destroyedAfterwards(world, new Readable({ read: () => {} }));
      stream.push("a");
      for await (const _ of stream) await turn();
    },
  },
  "a loop over a stream of the web": {
    run: async (world) => {
      let cancelled = 0;
      let next = 0;
      const stream = new ReadableStream<number>({
        pull: async (controller) => {
          next += 1;
          await turn();
          if (next > 3) controller.close();
          else controller.enqueue(next);
        },
        cancel: () => void (cancelled += 1),
      });
      world.afterwards(() => assert.ok(next > 3 || cancelled === 1 || !stream.locked));
      let sum = 0;
      for await (const number of stream) {
        sum += number;
        await turn();
      }
      return sum;
    },
  },
};
