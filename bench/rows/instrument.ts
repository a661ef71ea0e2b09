// What instrumentation costs: the same code inside of run(), as it is and transformed.

import { plainAndInstrumented } from "../harness/instrumented.ts";
import { check, costOf, peakMb } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const TASKS = 100;
const WAITS = 500;
const CALLS = 100_000;
const WAITING = 200_000;

// Waits for what comes later: a promise that is settled in a microtask of its own.
async function waits(): Promise<number> {
  let waited = 0;
  for (let i = 0; i < WAITS; i++) {
    await new Promise<void>(queueMicrotask);
    waited += 1;
  }
  return waited;
}

// Could wait, and does not.
async function returns(wait: Promise<void> | null): Promise<number> {
  if (wait !== null) await wait;
  return 1;
}

async function suspended(until: Promise<void>): Promise<void> {
  await until;
}

async function measure(): Promise<Measured> {
  const { gather, run } = await import("meanwhile");
  return run(async () => {
    const waiting = await costOf(async () => {
      const counts = await gather(Array.from({ length: TASKS }, () => waits));
      check(
        "waits",
        counts.reduce((a, b) => a + b),
        TASKS * WAITS,
      );
    });
    let calls: Promise<number>[] = [];
    const calling = await costOf(() => {
      calls = [];
      for (let i = 0; i < CALLS; i++) calls.push(returns(null));
    });
    check("values", (await Promise.all(calls)).length, CALLS);
    return {
      wait: (waiting.wallMs * 1000) / (TASKS * WAITS),
      call: (calling.wallMs * 1000) / CALLS,
      bytes: await bytesEach(),
    };
  });
}

/** Memory of a function that is suspended, its promise included. */
async function bytesEach(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = process.memoryUsage().heapUsed;
  const held = Array.from({ length: WAITING }, () => suspended(promise));
  const bytes = (process.memoryUsage().heapUsed - before) / WAITING;
  resolve();
  await Promise.all(held);
  return peakMb() > 0 ? bytes : Number.NaN;
}

export const row: Row = {
  name: "instrument",
  title: "every await: plain code, and the same code instrumented",
  about:
    "The same functions in one run of meanwhile, as they are and transformed by `@meanwhile/instrument`. A wait is an `await` of a promise that is settled in a later microtask, 100 tasks at once, " +
    "the making of the promise included in both. A call is that of an async function that could wait and does not. Bytes are those of the heap for each of 200 000 suspended functions that wait for one promise, " +
    "garbage of their making included. None of it needs a change in the code, which cannot be cancelled at these awaits without it.",
  figures: [
    { key: "wait", label: "µs per wait", better: "less" },
    { key: "call", label: "µs per call", better: "less" },
    { key: "bytes", label: "bytes per suspended function", better: "less" },
  ],
  peers: plainAndInstrumented(measure),
  targets: [
    { ours: "instrumented", beside: "plain", figure: "wait", compares: "added", limit: 0.3 },
    { ours: "instrumented", beside: "plain", figure: "call", compares: "added", limit: 0.15 },
    { ours: "instrumented", beside: "plain", figure: "bytes", compares: "added", limit: 1_024 },
  ],
};
