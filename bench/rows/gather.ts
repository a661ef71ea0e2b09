// Row 1: what a task costs that hardly waits. 100 000 jobs, each of which gives way once, all at once.

import { AsyncLocalStorage } from "node:async_hooks";

import { microsecondsEach } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const JOBS = 100_000;
const DONE = Promise.resolve();

async function native(): Promise<Measured> {
  async function job(): Promise<void> {
    await DONE;
  }
  return microsecondsEach(JOBS, () => Promise.all(Array.from({ length: JOBS }, job)));
}

async function nativeWithContext(): Promise<Measured> {
  const storage = new AsyncLocalStorage<object>();
  async function job(): Promise<void> {
    await DONE;
  }
  const start = (): Promise<void> => storage.run({}, job);
  return microsecondsEach(JOBS, () => Promise.all(Array.from({ length: JOBS }, start)));
}

async function oursAwait(): Promise<Measured> {
  const { gather, run } = await import("meanwhile");
  async function job(): Promise<void> {
    await DONE;
  }
  return microsecondsEach(JOBS, () => run(() => gather(Array.from({ length: JOBS }, () => job))));
}

async function oursCheckpoint(): Promise<Measured> {
  const { checkpoint, gather, run } = await import("meanwhile");
  async function job(): Promise<void> {
    await checkpoint();
  }
  return microsecondsEach(JOBS, () => run(() => gather(Array.from({ length: JOBS }, () => job))));
}

async function oursSleep(): Promise<Measured> {
  const { gather, run, sleep } = await import("meanwhile");
  async function job(): Promise<void> {
    await sleep(0);
  }
  return microsecondsEach(JOBS, () => run(() => gather(Array.from({ length: JOBS }, () => job))));
}

async function effect(): Promise<Measured> {
  const { Effect } = await import("effect");
  const items = Array.from({ length: JOBS }, (_, index) => index);
  const program = Effect.forEach(items, () => Effect.yieldNow, { concurrency: "unbounded" });
  return microsecondsEach(JOBS, () => Effect.runPromise(program));
}

async function effection(): Promise<Measured> {
  const { all, run, until } = await import("effection");
  return microsecondsEach(JOBS, () => run(() => all(Array.from({ length: JOBS }, () => until(DONE)))));
}

export const row: Row = {
  name: "gather",
  title: "gather 100 000 jobs that yield once",
  about:
    "Every job is an async function with one `await` of a resolved promise, started by the peer's own combinator; the time includes making and joining the tasks. " +
    "`native + context` runs each job in its own AsyncLocalStorage context, which is the least a runtime must do to know its current task. " +
    "Peers with a scheduler of their own yield to it: Effect `yieldNow`, asyncio `sleep(0)`; Effection waits for a resolved promise. " +
    "Ours is measured with the same `await` as native, with `checkpoint()`, which also looks for cancellation and gives the event loop its turn every 5 ms, " +
    "and with `sleep(0)`, which gives it a turn each time, as asyncio's does. Effection takes seconds, so it is measured in two rounds.",
  figures: [{ key: "wall", label: "µs per job", better: "less" }],
  peers: [
    { kind: "node", name: "native Promise.all", packages: [], measure: native },
    { kind: "node", name: "native + context", packages: [], measure: nativeWithContext },
    { kind: "node", name: "meanwhile", ours: true, packages: ["meanwhile"], measure: oursAwait },
    { kind: "node", name: "meanwhile, checkpoint()", ours: true, packages: ["meanwhile"], measure: oursCheckpoint },
    { kind: "node", name: "meanwhile, sleep(0)", ours: true, packages: ["meanwhile"], measure: oursSleep },
    { kind: "node", name: "Effect", packages: ["effect"], measure: effect },
    { kind: "node", name: "Effection", rounds: 2, packages: ["effection"], measure: effection },
    { kind: "python", name: "asyncio", script: "gather.py", modules: [] },
    { kind: "python", name: "uvloop", script: "gather.py", args: ["uvloop"], modules: ["uvloop"] },
  ],
  targets: [
    { ours: "meanwhile", beside: "native + context", figure: "wall", compares: "cost", limit: 1.5 },
    { ours: "meanwhile, checkpoint()", beside: "Effect", figure: "wall", compares: "speed", limit: 2 },
    { ours: "meanwhile, sleep(0)", beside: "uvloop", figure: "wall", compares: "speed", limit: 8 },
  ],
};
