// What handing a permit over costs. 100 tasks take one of 10 permits 1 000 times each and give way once.

import { microsecondsEach } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";
import { ENTRIES, Section, TASKS, TURNS } from "../harness/section.ts";

const PERMITS = 10;
const DONE = Promise.resolve();

const each = (run: () => unknown): Promise<Measured> => microsecondsEach(ENTRIES, run);

async function asyncMutex(): Promise<Measured> {
  const { Semaphore } = await import("async-mutex");
  const contend = async (): Promise<void> => {
    const semaphore = new Semaphore(PERMITS);
    const section = new Section(PERMITS);
    const job = async (): Promise<void> => {
      for (let turn = 0; turn < TURNS; turn++) {
        const [, release] = await semaphore.acquire();
        try {
          section.enter();
          await DONE;
          section.leave();
        } finally {
          release();
        }
      }
      section.end();
    };
    await Promise.all(Array.from({ length: TASKS }, job));
    section.check();
  };
  return each(contend);
}

async function asyncSema(): Promise<Measured> {
  const { Sema } = await import("async-sema");
  const contend = async (): Promise<void> => {
    const semaphore = new Sema(PERMITS, { capacity: TASKS });
    const section = new Section(PERMITS);
    const job = async (): Promise<void> => {
      for (let turn = 0; turn < TURNS; turn++) {
        await semaphore.acquire();
        try {
          section.enter();
          await DONE;
          section.leave();
        } finally {
          semaphore.release();
        }
      }
      section.end();
    };
    await Promise.all(Array.from({ length: TASKS }, job));
    section.check();
  };
  return each(contend);
}

async function ours(giveWay: () => Promise<void>): Promise<Measured> {
  const { gather, run, Semaphore } = await import("meanwhile");
  async function contend(): Promise<void> {
    const semaphore = new Semaphore(PERMITS);
    const section = new Section(PERMITS);
    async function job(): Promise<void> {
      for (let turn = 0; turn < TURNS; turn++) {
        using _held = await semaphore.acquire();
        section.enter();
        await giveWay();
        section.leave();
      }
      section.end();
    }
    await gather(Array.from({ length: TASKS }, () => job));
    section.check();
  }
  return each(() => run(contend));
}

async function oursSleep(): Promise<Measured> {
  const { sleep } = await import("meanwhile");
  return ours(() => sleep(0));
}

async function effect(): Promise<Measured> {
  const { Effect, Semaphore } = await import("effect");
  const contend = Effect.gen(function* () {
    const semaphore = yield* Semaphore.make(PERMITS);
    const section = new Section(PERMITS);
    const enter = Effect.sync(() => section.enter());
    const leave = Effect.sync(() => section.leave());
    const inside = semaphore.withPermits(1)(Effect.andThen(Effect.andThen(enter, Effect.yieldNow), leave));
    const job = Effect.gen(function* () {
      for (let turn = 0; turn < TURNS; turn++) yield* inside;
      section.end();
    });
    yield* Effect.all(
      Array.from({ length: TASKS }, () => job),
      { concurrency: "unbounded", discard: true },
    );
    section.check();
  });
  return each(() => Effect.runPromise(contend));
}

export const row: Row = {
  name: "semaphore",
  title: "10 permits that 100 tasks want, 100 000 times",
  about:
    "As the row `lock`, with ten permits: 100 tasks take one 1 000 times each and give way once before giving it back, so that each turn is a hand-over. " +
    "The checks are the same too. Ten tasks share a turn of the event loop here, not one.",
  figures: [{ key: "wall", label: "µs per turn", better: "less" }],
  peers: [
    { kind: "node", name: "async-mutex", packages: ["async-mutex"], measure: asyncMutex },
    { kind: "node", name: "async-sema", packages: ["async-sema"], measure: asyncSema },
    { kind: "node", name: "meanwhile", ours: true, packages: ["meanwhile"], measure: () => ours(() => DONE) },
    { kind: "node", name: "meanwhile, sleep(0)", ours: true, packages: ["meanwhile"], measure: oursSleep },
    { kind: "node", name: "Effect", packages: ["effect"], measure: effect },
    { kind: "python", name: "asyncio", script: "semaphore.py", modules: [] },
    { kind: "python", name: "uvloop", script: "semaphore.py", args: ["uvloop"], modules: ["uvloop"] },
  ],
  targets: [
    { ours: "meanwhile", beside: "async-mutex", figure: "wall", compares: "speed", limit: 1 },
    { ours: "meanwhile", beside: "async-sema", figure: "wall", compares: "speed", limit: 1 },
    { ours: "meanwhile", beside: "Effect", figure: "wall", compares: "speed", limit: 2 },
    { ours: "meanwhile, sleep(0)", beside: "asyncio", figure: "wall", compares: "speed", limit: 8 },
  ],
};
