// Row 2: what a sleeping task costs. 100 000 tasks sleep for 1 to 100 ms, the same times for every peer.
//
// The wall time is nearly all sleep, so the row counts what the computer does meanwhile: the CPU time of the process,
// all threads, per task. Beside it stands how late the last task ends: wall time above the longest sleep, per task.

import { costOf, sleepTimes } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const TASKS = 100_000;
const LONGEST_MS = 100;

const times = (): number[] => sleepTimes(TASKS);

async function costPerTask(work: () => unknown): Promise<Measured> {
  const { cpuMs, wallMs } = await costOf(work);
  return { cpu: (cpuMs * 1000) / TASKS, late: ((wallMs - LONGEST_MS) * 1000) / TASKS };
}

async function native(): Promise<Measured> {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const all = times();
  const job = async (ms: number): Promise<void> => {
    await sleep(ms);
  };
  return costPerTask(() => Promise.all(all.map(job)));
}

async function ours(): Promise<Measured> {
  const { gather, run, sleep } = await import("meanwhile");
  const all = times();
  const job = (ms: number) => async (): Promise<void> => {
    await sleep(ms);
  };
  return costPerTask(() => run(() => gather(all.map(job))));
}

async function effect(): Promise<Measured> {
  const { Effect } = await import("effect");
  const program = Effect.forEach(times(), (ms) => Effect.sleep(ms), { concurrency: "unbounded" });
  return costPerTask(() => Effect.runPromise(program));
}

async function effection(): Promise<Measured> {
  const { all, run, sleep } = await import("effection");
  const ms = times();
  return costPerTask(() => run(() => all(ms.map((one) => sleep(one)))));
}

export const row: Row = {
  name: "sleep",
  title: "100 000 tasks sleeping 1 to 100 ms",
  about:
    "CPU time of the whole process per task, from making the tasks to joining the last one: wall time would show the longest sleep and little else. " +
    "How late the last task ended is given beside it. All peers sleep for the same seeded whole milliseconds, for which Node keeps one list of timers each: its best case. " +
    "Native is an async function that awaits a promise made of `setTimeout`; it cannot be cancelled. Effection takes seconds, so it is measured in two rounds.",
  figures: [
    { key: "cpu", label: "CPU µs per task", better: "less" },
    { key: "late", label: "µs late per task", better: "less" },
  ],
  peers: [
    { kind: "node", name: "native timers", packages: [], measure: native },
    { kind: "node", name: "meanwhile", ours: true, packages: ["meanwhile"], measure: ours },
    { kind: "node", name: "Effect", packages: ["effect"], measure: effect },
    { kind: "node", name: "Effection", rounds: 2, packages: ["effection"], measure: effection },
    { kind: "python", name: "asyncio", script: "sleep.py", modules: [] },
  ],
  targets: [{ ours: "meanwhile", beside: "native timers", figure: "cpu", compares: "cost", limit: 1 }],
};
