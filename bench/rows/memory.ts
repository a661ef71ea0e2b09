// Row 3: what a sleeping task weighs. A million tasks sleep at once; the figures come from the peak memory of the process.

import { AsyncLocalStorage } from "node:async_hooks";

import { check, peakMb } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const TASKS = 1_000_000;
// Longer than any peer takes to make a million tasks, so that all are asleep at once.
const SLEEP_MS = 15_000;

async function asleepAtOnce(work: () => Promise<unknown>, countAsleep: () => number): Promise<Measured> {
  const beforeMb = peakMb();
  const done = work();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, countAsleep())), 100);
  await done;
  clearInterval(watch);
  check("tasks asleep at once; make the sleep longer", most, TASKS);
  return { bytes: ((peakMb() - beforeMb) * 2 ** 20) / TASKS };
}

async function native(): Promise<Measured> {
  let asleep = 0;
  async function job(): Promise<void> {
    asleep += 1;
    await new Promise((resolve) => setTimeout(resolve, SLEEP_MS));
    asleep -= 1;
  }
  return asleepAtOnce(
    () => Promise.all(Array.from({ length: TASKS }, job)),
    () => asleep,
  );
}

async function nativeWithContext(): Promise<Measured> {
  const storage = new AsyncLocalStorage<object>();
  let asleep = 0;
  async function job(): Promise<void> {
    asleep += 1;
    await new Promise((resolve) => setTimeout(resolve, SLEEP_MS));
    asleep -= 1;
  }
  const start = (): Promise<void> => storage.run({}, job);
  return asleepAtOnce(
    () => Promise.all(Array.from({ length: TASKS }, start)),
    () => asleep,
  );
}

async function ours(): Promise<Measured> {
  const { gather, run, sleep } = await import("meanwhile");
  let asleep = 0;
  async function job(): Promise<void> {
    asleep += 1;
    await sleep(SLEEP_MS);
    asleep -= 1;
  }
  return asleepAtOnce(
    () => run(() => gather(Array.from({ length: TASKS }, () => job))),
    () => asleep,
  );
}

async function effect(): Promise<Measured> {
  const { Effect } = await import("effect");
  let asleep = 0;
  const job = Effect.andThen(
    Effect.andThen(
      Effect.sync(() => (asleep += 1)),
      Effect.sleep(SLEEP_MS),
    ),
    Effect.sync(() => (asleep -= 1)),
  );
  const items = Array.from({ length: TASKS }, (_, index) => index);
  const program = Effect.forEach(items, () => job, { concurrency: "unbounded" });
  return asleepAtOnce(
    () => Effect.runPromise(program),
    () => asleep,
  );
}

export const row: Row = {
  name: "memory",
  title: "1 000 000 sleeping tasks",
  about:
    "Peak memory is the most that the process ever had in RAM (`VmHWM`), from its start to the end of the last task, the program and its libraries included. " +
    "Bytes per task are that without the peak of the same process just before it makes the first task, with everything loaded, which is the peak of an empty program; " +
    "a task's share of the lists of jobs and results is in them, and so is garbage that was not collected in time. Three rounds, for they differ little. " +
    "Each child checks that all tasks were asleep at the same time. Every job is an async function that sleeps once; " +
    "native cannot cancel a sleep, nor tell who is asleep.",
  figures: [{ key: "bytes", label: "bytes per task", better: "less" }],
  rounds: 3,
  peers: [
    { kind: "node", name: "native timers", packages: [], measure: native },
    { kind: "node", name: "native + context", packages: [], measure: nativeWithContext },
    { kind: "node", name: "meanwhile", ours: true, packages: ["meanwhile"], measure: ours },
    { kind: "node", name: "Effect", packages: ["effect"], measure: effect },
    { kind: "python", name: "asyncio", script: "memory.py", modules: [] },
  ],
  targets: [{ ours: "meanwhile", beside: "native timers", figure: "peakMb", compares: "cost", limit: 0.8 }],
};
