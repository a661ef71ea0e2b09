// The queues as things to be raced for: their items, their places, and the end of their work.

import assert from "node:assert/strict";

import { Queue } from "meanwhile";

import type { Subject } from "./hand-off-subjects.ts";

export function queueGet(queue: Queue<number>): Subject {
  let newest = 0;
  let given: number[] = [];
  return {
    take: () => queue.get(),
    give() {
      newest += 1;
      given.push(newest);
      queue.tryPut(newest);
      return newest;
    },
    free: () => queue.size,
    waiting: () => queue.statistics().getsWaiting,
    reset(got) {
      const items = [...(got as number[])];
      while (queue.size > 0) items.push(queue.tryGet());
      assert.deepEqual(
        items.toSorted((a, b) => a - b),
        given,
        "every item that was put is got once",
      );
      given = [];
    },
  };
}

export function queuePut(queue: Queue<number>, places: number): Subject {
  let newest = 0;
  let inside: number[] = [];
  const fill = (): void => {
    while (queue.size < places) {
      newest += 1;
      inside.push(newest);
      queue.tryPut(newest);
    }
  };
  const taken: number[] = [];
  fill();
  return {
    async take() {
      newest += 1;
      const item = newest;
      await queue.put(item);
      return item;
    },
    give: () => void taken.push(queue.tryGet()),
    free: () => places - queue.size,
    waiting: () => queue.statistics().putsWaiting,
    reset(got) {
      while (queue.size > 0) taken.push(queue.tryGet());
      const expected = [...inside, ...(got as number[])];
      assert.deepEqual(
        taken.toSorted((a, b) => a - b),
        expected.toSorted((a, b) => a - b),
        "what is in the queue is what was put by the calls that returned",
      );
      taken.length = 0;
      inside = [];
      fill();
    },
  };
}

export function queueJoin(): Subject {
  const queue = new Queue<number>({ maxSize: 1 });
  const start = (): void => {
    queue.tryPut(1);
    queue.tryGet();
  };
  let came = 0;
  start();
  return {
    take() {
      came += 1;
      return queue.join();
    },
    give() {
      if (queue.statistics().unfinished > 0) queue.taskDone();
    },
    free: () => (queue.statistics().unfinished === 0 ? 1 : 0),
    waiting: () => came,
    reset() {
      came = 0;
      if (queue.statistics().unfinished === 0) start();
    },
  };
}
