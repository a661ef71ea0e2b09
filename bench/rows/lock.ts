// What handing a lock over costs. 100 tasks take it 1 000 times each and give way once inside.

import { microsecondsEach } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";
import { ENTRIES, Section, TASKS, TURNS } from "../harness/section.ts";

const DONE = Promise.resolve();

const each = (run: () => unknown): Promise<Measured> => microsecondsEach(ENTRIES, run);

async function native(): Promise<Measured> {
  const contend = async (): Promise<void> => {
    let last = DONE;
    const section = new Section(1);
    const inside = async (): Promise<void> => {
      section.enter();
      await DONE;
      section.leave();
    };
    const job = async (): Promise<void> => {
      for (let turn = 0; turn < TURNS; turn++) {
        last = last.then(inside);
        await last;
      }
      section.end();
    };
    await Promise.all(Array.from({ length: TASKS }, job));
    section.check();
  };
  return each(contend);
}

async function asyncMutex(): Promise<Measured> {
  const { Mutex } = await import("async-mutex");
  const contend = async (): Promise<void> => {
    const mutex = new Mutex();
    const section = new Section(1);
    const job = async (): Promise<void> => {
      for (let turn = 0; turn < TURNS; turn++) {
        const release = await mutex.acquire();
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

async function ours(giveWay: () => Promise<void>): Promise<Measured> {
  const { gather, Lock, run } = await import("meanwhile");
  async function contend(): Promise<void> {
    const lock = new Lock();
    const section = new Section(1);
    async function job(): Promise<void> {
      for (let turn = 0; turn < TURNS; turn++) {
        using _held = await lock.acquire();
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
    const semaphore = yield* Semaphore.make(1);
    const section = new Section(1);
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
  name: "lock",
  title: "a lock that 100 tasks want, 100 000 times",
  about:
    "100 tasks take the lock 1 000 times each. Whoever has it gives way once before giving it back, so that everybody else is waiting by then and each turn is a hand-over; " +
    "each child checks that only one was inside, that all had their turns, and that they took turns. In Node giving way is one `await` of a resolved promise, in Effect `yieldNow` (waiting for a promise costs it as much), in asyncio `sleep(0)`. " +
    "That is a whole turn of the event loop for a single task, so ours is measured with its `sleep(0)` too, which is the one to hold beside asyncio's. " +
    "Native is a chain of promises, the lock in one line: nobody can leave the queue, and one failure would fail all. Effect has no lock of its own, but a semaphore with one permit.",
  figures: [{ key: "wall", label: "µs per turn", better: "less" }],
  peers: [
    { kind: "node", name: "native promise chain", packages: [], measure: native },
    { kind: "node", name: "async-mutex", packages: ["async-mutex"], measure: asyncMutex },
    { kind: "node", name: "meanwhile", ours: true, packages: ["meanwhile"], measure: () => ours(() => DONE) },
    { kind: "node", name: "meanwhile, sleep(0)", ours: true, packages: ["meanwhile"], measure: oursSleep },
    { kind: "node", name: "Effect", packages: ["effect"], measure: effect },
    { kind: "python", name: "asyncio", script: "lock.py", modules: [] },
    { kind: "python", name: "uvloop", script: "lock.py", args: ["uvloop"], modules: ["uvloop"] },
  ],
  targets: [
    { ours: "meanwhile", beside: "async-mutex", figure: "wall", compares: "speed", limit: 1 },
    { ours: "meanwhile", beside: "Effect", figure: "wall", compares: "speed", limit: 2 },
    { ours: "meanwhile, sleep(0)", beside: "uvloop", figure: "wall", compares: "speed", limit: 1 },
  ],
};
