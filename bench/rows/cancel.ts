// What cancelling costs. 100 000 tasks sleep, all are cancelled at once, and the figure ends when the last has ended.

import { setImmediate as turn } from "node:timers/promises";

import { check, microsecondsOfPart } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const TASKS = 100_000;
// Longer than any repetition takes.
const SLEEP_MS = 120_000;

/** How many tasks are asleep, and how many have cleaned up. */
class Count {
  asleep = 0;
  cleanedUp = 0;

  async allAsleep(): Promise<void> {
    while (this.asleep < TASKS) await turn();
  }
}

/** Milliseconds from `cancel` to the end of `ended`, which has to come after the last cleanup. */
async function timeToEnd(count: Count, cancel: () => void, ended: PromiseLike<unknown>): Promise<number> {
  const startedAt = performance.now();
  cancel();
  await ended;
  const ms = performance.now() - startedAt;
  check("tasks that have cleaned up", count.cleanedUp, TASKS);
  return ms;
}

const each = (work: () => Promise<number>): Promise<Measured> => microsecondsOfPart(TASKS, work);

// The least that can be written by hand: one listener, and a set of those who are to be told.
async function native(): Promise<Measured> {
  return each(async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const sleepers = new Set<() => void>();
    signal.addEventListener("abort", () => {
      for (const interrupt of sleepers) interrupt();
    });
    const sleep = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const interrupt = (): void => {
          clearTimeout(timer);
          sleepers.delete(interrupt);
          reject(signal.reason);
        };
        const wake = (): void => {
          sleepers.delete(interrupt);
          resolve();
        };
        const timer = setTimeout(wake, SLEEP_MS);
        sleepers.add(interrupt);
      });
    return cancelNative(sleep, () => controller.abort());
  });
}

// A signal for each task; with one for all, starting them takes minutes: see `about`.
async function nativeWithSignals(): Promise<Measured> {
  return each(async () => {
    const controllers: AbortController[] = [];
    const sleep = (): Promise<void> => {
      const controller = new AbortController();
      controllers.push(controller);
      return abortableSleep(controller.signal);
    };
    const reason = new DOMException("cancelled", "AbortError");
    return cancelNative(sleep, () => {
      for (const controller of controllers) controller.abort(reason);
    });
  });
}

function abortableSleep(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const interrupt = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const wake = (): void => {
      signal.removeEventListener("abort", interrupt);
      resolve();
    };
    const timer = setTimeout(wake, SLEEP_MS);
    signal.addEventListener("abort", interrupt, { once: true });
  });
}

async function cancelNative(sleep: () => Promise<void>, cancel: () => void): Promise<number> {
  const count = new Count();
  async function job(): Promise<void> {
    count.asleep += 1;
    try {
      await sleep();
    } finally {
      count.cleanedUp += 1;
    }
  }
  const ended = Promise.allSettled(Array.from({ length: TASKS }, job));
  await count.allAsleep();
  return timeToEnd(count, cancel, ended);
}

async function ours(): Promise<Measured> {
  const { run, sleep, taskGroup } = await import("meanwhile");
  async function cancelled(): Promise<number> {
    const count = new Count();
    async function job(): Promise<void> {
      count.asleep += 1;
      try {
        await sleep(SLEEP_MS);
      } finally {
        count.cleanedUp += 1;
      }
    }
    const { promise: started, resolve: hasStarted } = Promise.withResolvers<() => void>();
    const ended = taskGroup(async (group) => {
      for (let task = 0; task < TASKS; task++) group.createTask(job);
      hasStarted(() => group.cancel());
    });
    const cancel = await started;
    await count.allAsleep();
    return timeToEnd(count, cancel, ended);
  }
  return each(() => run(cancelled));
}

async function effect(): Promise<Measured> {
  const { Effect, Fiber } = await import("effect");
  const tasks = Array.from({ length: TASKS }, (_, index) => index);
  return each(async () => {
    const count = new Count();
    const job = Effect.ensuring(
      Effect.andThen(
        Effect.sync(() => (count.asleep += 1)),
        Effect.sleep(SLEEP_MS),
      ),
      Effect.sync(() => (count.cleanedUp += 1)),
    );
    const fiber = Effect.runFork(Effect.forEach(tasks, () => job, { concurrency: "unbounded", discard: true }));
    await count.allAsleep();
    const { promise: ended, resolve: hasEnded } = Promise.withResolvers<unknown>();
    return timeToEnd(count, () => hasEnded(Effect.runPromise(Fiber.interrupt(fiber))), ended);
  });
}

export const row: Row = {
  name: "cancel",
  title: "cancelling 100 000 sleeping tasks at once",
  about:
    "From the one call that cancels them all to the moment when their owner has seen the last one end; making them and letting them fall asleep is not in the figure. " +
    "Each task counts in its own `finally` (Effect: `ensuring`), and each child checks that all had when the owner went on. Ours cancels the task group that the tasks are in; " +
    "Effect interrupts the fiber of a `forEach`, asyncio the task with a TaskGroup, trio the scope of a nursery. " +
    "Native with signals gives each task an AbortController and calls them one after another: with one signal for all, each `addEventListener` looks for its like among those before it, " +
    "so that 100 000 of them take minutes. Native with one listener keeps a set of functions to call, and is the least that can be written by hand. " +
    "Neither knows its tasks; `Promise.allSettled` waits for them. Since only a part of the work counts, it is repeated for a second, and for three that count.",
  figures: [{ key: "wall", label: "µs per task", better: "less" }],
  peers: [
    { kind: "node", name: "native, one listener", packages: [], measure: native },
    { kind: "node", name: "native, signals", packages: [], measure: nativeWithSignals },
    { kind: "node", name: "meanwhile", ours: true, packages: ["meanwhile"], measure: ours },
    { kind: "node", name: "Effect", packages: ["effect"], measure: effect },
    { kind: "python", name: "asyncio", script: "cancel.py", modules: [] },
    { kind: "python", name: "trio", rounds: 3, script: "trio_cancel.py", modules: ["trio"] },
  ],
  targets: [
    { ours: "meanwhile", beside: "native, signals", figure: "wall", compares: "speed", limit: 1 },
    { ours: "meanwhile", beside: "Effect", figure: "wall", compares: "speed", limit: 2 },
    { ours: "meanwhile", beside: "asyncio", figure: "wall", compares: "speed", limit: 8 },
  ],
};
