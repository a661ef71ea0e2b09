// What a task costs that does nothing: 1 000 000 of them are made, and joined.

import { AsyncLocalStorage } from "node:async_hooks";

import type { Fiber as Fibers } from "effect";

import { check, microsecondsOnce } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const TASKS = 1_000_000;

/** What every task does: it counts itself. */
class Count {
  done = 0;
  readonly job = async (): Promise<void> => {
    this.done += 1;
  };
}

async function each(create: (tasks: number, count: Count) => PromiseLike<unknown>): Promise<Measured> {
  return microsecondsOnce(TASKS, async (tasks) => {
    const count = new Count();
    await create(tasks, count);
    check("tasks done", count.done, tasks);
  });
}

async function native(): Promise<Measured> {
  return each((tasks, { job }) => Promise.all(Array.from({ length: tasks }, job)));
}

async function nativeWithContext(): Promise<Measured> {
  const storage = new AsyncLocalStorage<object>();
  return each((tasks, { job }) => Promise.all(Array.from({ length: tasks }, () => storage.run({}, job))));
}

async function oursTaskGroup(): Promise<Measured> {
  const { run, taskGroup } = await import("meanwhile");
  return each((tasks, { job }) =>
    run(() =>
      taskGroup((group) => {
        for (let task = 0; task < tasks; task++) group.createTask(job);
      }),
    ),
  );
}

async function oursGather(): Promise<Measured> {
  const { gather, run } = await import("meanwhile");
  return each((tasks, { job }) => run(() => gather(Array.from({ length: tasks }, () => job))));
}

async function effectForEach(): Promise<Measured> {
  const { Effect } = await import("effect");
  return each((tasks, count) => {
    const job = Effect.sync(() => {
      count.done += 1;
    });
    const items = Array.from({ length: tasks }, (_, index) => index);
    return Effect.runPromise(Effect.forEach(items, () => job, { concurrency: "unbounded" }));
  });
}

async function effectFork(): Promise<Measured> {
  const { Effect, Fiber } = await import("effect");
  return each((tasks, count) => {
    const job = Effect.sync(() => {
      count.done += 1;
    });
    const program = Effect.gen(function* () {
      const fibers: Fibers.Fiber<void>[] = [];
      for (let task = 0; task < tasks; task++) fibers.push(yield* Effect.forkChild(job));
      yield* Fiber.joinAll(fibers);
    });
    return Effect.runPromise(program);
  });
}

export const row: Row = {
  name: "create",
  title: "1 000 000 tasks that return at once",
  about:
    "Making the tasks, running them and joining the last one, once: after a warm-up with a tenth of them, so that the peak memory is that of one million. " +
    "A job counts itself and returns, and the count is checked. Native is a call of an async function and `Promise.all`: nothing is made but a promise, and nothing knows of the task. " +
    "A task group starts its tasks in the next microtask, so all exist at once; so do those of Effect `forkChild`, which are joined by `joinAll`, of asyncio and of trio. " +
    "`gather`, `forEach` of Effect and native start each as they make it; in Effect a job that never waits has then ended before the next one is made. The Python peers take long, so they are measured in three rounds.",
  figures: [{ key: "wall", label: "µs per task", better: "less" }],
  peers: [
    { kind: "node", name: "native Promise.all", packages: [], measure: native },
    { kind: "node", name: "native + context", packages: [], measure: nativeWithContext },
    { kind: "node", name: "meanwhile taskGroup", ours: true, packages: ["meanwhile"], measure: oursTaskGroup },
    { kind: "node", name: "meanwhile gather", ours: true, packages: ["meanwhile"], measure: oursGather },
    { kind: "node", name: "Effect forkChild", packages: ["effect"], measure: effectFork },
    { kind: "node", name: "Effect forEach", packages: ["effect"], measure: effectForEach },
    { kind: "python", name: "asyncio", rounds: 3, script: "create.py", modules: [] },
    { kind: "python", name: "trio", rounds: 3, script: "trio_create.py", modules: ["trio"] },
  ],
  targets: [
    { ours: "meanwhile gather", beside: "native + context", figure: "wall", compares: "cost", limit: 1.5 },
    { ours: "meanwhile taskGroup", beside: "Effect forkChild", figure: "wall", compares: "speed", limit: 2 },
    { ours: "meanwhile taskGroup", beside: "asyncio", figure: "wall", compares: "speed", limit: 8 },
    { ours: "meanwhile taskGroup", beside: "asyncio", figure: "peakMb", compares: "cost", limit: 1 },
  ],
};
