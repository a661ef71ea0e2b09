// The kernel's own hand-offs as things to be raced for.

import assert from "node:assert/strict";

import { createTask, Event, taskGroup, type TaskGroup } from "meanwhile";
import { ParkingLot } from "meanwhile/lowlevel";

import type { Subject } from "./hand-off-subjects.ts";

export function parkingLot(): Subject {
  const lot = new ParkingLot<number, number>({ describe: () => "the race" });
  let newest = 0;
  return {
    take: (waiter) => lot.park(waiter),
    give([first]) {
      assert.equal(lot.peek(), first, "the cargo is that of the first in line");
      newest += 1;
      assert.equal(lot.unpark(newest), first !== undefined);
      return newest;
    },
    free: () => 0,
    waiting: () => lot.size,
    reset: () => {},
  };
}

interface Starting {
  readonly say: (value: number) => void;
  readonly leave: Event;
}

// A starting job stands in line; its call of `started` hands it to the group.
export async function groupStart(): Promise<Subject> {
  const opened = Promise.withResolvers<TaskGroup>();
  const closing = new Event();
  const owner = createTask(() =>
    taskGroup(async (group) => {
      opened.resolve(group);
      await closing.wait();
    }),
  );
  const group = await opened.promise;
  const jobs = new Map<number, Starting>();
  let newest = 0;
  let [handedOver, left] = [0, 0];
  return {
    take: (waiter) =>
      group.start<number>(async (say) => {
        const leave = new Event();
        jobs.set(waiter, { say, leave });
        await leave.wait();
        left += 1;
      }),
    give(line) {
      newest += 1;
      for (const [waiter, { say }] of jobs) {
        if (waiter === line[0]) say(newest);
        // Cancelled, or handed over before: whatever these say now comes too late.
        else if (!line.includes(waiter)) say(-1);
      }
      return newest;
    },
    free: () => 0,
    waiting: () => jobs.size,
    reset(got) {
      handedOver += got.length;
      for (const { leave } of jobs.values()) leave.set();
      jobs.clear();
    },
    async close() {
      closing.set();
      await owner;
      assert.equal(left, handedOver, "the jobs in the group are those whose call returned");
    },
  };
}
