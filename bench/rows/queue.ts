// What handing an item over costs. 100 000 items from one task to another, through a queue of 100 places.

import { check, microsecondsEach } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const ITEMS = 100_000;
const PLACES = 100;
const SUM = (ITEMS * (ITEMS - 1)) / 2;

const each = (run: () => unknown): Promise<Measured> => microsecondsEach(ITEMS, run);

async function ours(): Promise<Measured> {
  const { gather, Queue, run } = await import("meanwhile");
  async function handOver(): Promise<void> {
    const queue = new Queue<number>({ maxSize: PLACES });
    let sum = 0;
    await gather([
      async () => {
        for (let item = 0; item < ITEMS; item++) await queue.put(item);
      },
      async () => {
        for (let got = 0; got < ITEMS; got++) sum += await queue.get();
      },
    ]);
    check("sum of the items", sum, SUM);
  }
  return each(() => run(handOver));
}

async function oursIterated(): Promise<Measured> {
  const { gather, Queue, run } = await import("meanwhile");
  async function handOver(): Promise<void> {
    const queue = new Queue<number>({ maxSize: PLACES });
    let sum = 0;
    await gather([
      async () => {
        for (let item = 0; item < ITEMS; item++) await queue.put(item);
        queue.close();
      },
      async () => {
        for await (const item of queue) sum += item;
      },
    ]);
    check("sum of the items", sum, SUM);
  }
  return each(() => run(handOver));
}

async function webStreams(): Promise<Measured> {
  const handOver = async (): Promise<void> => {
    const places = new CountQueuingStrategy({ highWaterMark: PLACES });
    const { readable, writable } = new TransformStream<number, number>({}, places, places);
    let sum = 0;
    const put = async (): Promise<void> => {
      const writer = writable.getWriter();
      for (let item = 0; item < ITEMS; item++) {
        await writer.ready;
        // Not awaited: that would wait until the item is through, and so for each of them.
        writer.write(item).catch(() => {});
      }
      await writer.close();
    };
    const get = async (): Promise<void> => {
      for await (const item of readable) sum += item;
    };
    await Promise.all([put(), get()]);
    check("sum of the items", sum, SUM);
  };
  return each(handOver);
}

async function effect(): Promise<Measured> {
  const { Effect, Queue } = await import("effect");
  const program = Effect.gen(function* () {
    const queue = yield* Queue.bounded<number>(PLACES);
    let sum = 0;
    const put = Effect.gen(function* () {
      for (let item = 0; item < ITEMS; item++) yield* Queue.offer(queue, item);
    });
    const get = Effect.gen(function* () {
      for (let got = 0; got < ITEMS; got++) sum += yield* Queue.take(queue);
    });
    yield* Effect.all([put, get], { concurrency: "unbounded", discard: true });
    check("sum of the items", sum, SUM);
  });
  return each(() => Effect.runPromise(program));
}

export const row: Row = {
  name: "queue",
  title: "100 000 items through a queue of 100 places",
  about:
    "One task puts the numbers, another gets them and adds them up; the sum is checked. Each item is put and got by a call of its own: " +
    "Effect can also take all that is there at once, which is another piece of work. Who waits how often is the peer's own affair: in asyncio a task goes on " +
    "until the queue is full or empty, ours and Effect's change over for nearly each item. " +
    "`for await` reads ours until it is closed. Web streams are the bounded queue that the platform has: a TransformStream that transforms nothing.",
  figures: [{ key: "wall", label: "µs per item", better: "less" }],
  peers: [
    { kind: "node", name: "web streams", packages: [], measure: webStreams },
    { kind: "node", name: "meanwhile", ours: true, packages: ["meanwhile"], measure: ours },
    { kind: "node", name: "meanwhile, for await", ours: true, packages: ["meanwhile"], measure: oursIterated },
    { kind: "node", name: "Effect", packages: ["effect"], measure: effect },
    { kind: "python", name: "asyncio", script: "bounded_queue.py", modules: [] },
    { kind: "python", name: "uvloop", script: "bounded_queue.py", args: ["uvloop"], modules: ["uvloop"] },
  ],
  targets: [
    { ours: "meanwhile", beside: "Effect", figure: "wall", compares: "speed", limit: 2 },
    { ours: "meanwhile", beside: "asyncio", figure: "wall", compares: "speed", limit: 8 },
  ],
};
