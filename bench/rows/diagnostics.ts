// What it costs to be looked at: the same jobs without diagnostics, with each level of them, and with other tools.

import { createHook } from "node:async_hooks";

import { check, microsecondsEach } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const JOBS = 10_000;
const AT_ONCE = 100;
const WAITS = 3;

/** Each job is a task that parses a little, waits three times and holds one of fifty permits meanwhile. */
async function jobs(around: (job: () => Promise<void>) => Promise<void> = (job) => job()): Promise<Measured> {
  const { map, run, Semaphore, sleep } = await import("meanwhile");
  const text = JSON.stringify(Array.from({ length: 50 }, (_, id) => ({ id, name: `item ${id}` })));
  const items = Array.from({ length: JOBS }, (_, index) => index);
  return microsecondsEach(JOBS, async () => {
    let waits = 0;
    const permits = new Semaphore(AT_ONCE / 2);
    const work = async (): Promise<void> => {
      JSON.parse(text);
      using _permit = await permits.acquire();
      for (let i = 0; i < WAITS; i++) {
        await sleep(0);
        waits += 1;
      }
    };
    await run(async () => {
      for await (const _ of map(items, () => around(work), { concurrency: AT_ONCE }));
    });
    check("waits", waits, JOBS * WAITS);
  });
}

async function withLevel(level: 0 | 1 | 2 | 3): Promise<Measured> {
  const { startDiagnostics } = await import("meanwhile/diagnostics");
  const diagnostics = startDiagnostics({ level, report: false });
  await diagnostics.ready;
  const measured = await jobs();
  await diagnostics[Symbol.asyncDispose]();
  return measured;
}

/** The least that a tool on async_hooks does: it counts. */
async function withAsyncHooks(): Promise<Measured> {
  let made = 0;
  const hook = createHook({ init: () => (made += 1), before: () => {}, after: () => {}, destroy: () => {} }).enable();
  const measured = await jobs();
  hook.disable();
  check("whether promises were seen", Number(made > JOBS), 1);
  return measured;
}

interface Tracer {
  startActiveSpan(name: string, run: (span: { end(): void }) => Promise<void>): Promise<void>;
}

/** A span for each job, batched, and handed to nobody. */
async function withOpenTelemetry(): Promise<Measured> {
  const names = {
    api: "@opentelemetry/api",
    sdk: "@opentelemetry/sdk-trace-node",
    base: "@opentelemetry/sdk-trace-base",
  };
  const [api, sdk, base] = await Promise.all([import(names.api), import(names.sdk), import(names.base)]);
  const exporter = {
    export: (_: unknown, done: (result: { code: number }) => void) => done({ code: 0 }),
    shutdown: async () => {},
  };
  const provider = new sdk.NodeTracerProvider({ spanProcessors: [new base.BatchSpanProcessor(exporter)] });
  provider.register();
  const tracer: Tracer = api.trace.getTracer("bench");
  const measured = await jobs((job) =>
    tracer.startActiveSpan("job", async (span) => {
      await job();
      span.end();
    }),
  );
  await provider.shutdown();
  return measured;
}

const OPEN_TELEMETRY = ["@opentelemetry/api", "@opentelemetry/sdk-trace-node", "@opentelemetry/sdk-trace-base"];

export const row: Row = {
  name: "diagnostics",
  title: "10 000 jobs that are looked at",
  about:
    "Each job is a task that parses 1.4 KB of JSON, takes one of 50 permits and waits three times for the next turn; 100 are in progress at once, and the waits are counted. " +
    "Level 0 is the watchdog alone; 1 the table of tasks, 2 also the ring of events, 3 also one creation stack in 16. The tables are read by nobody meanwhile. " +
    "Beside it what else one can switch on: `async_hooks` with four hooks that do nothing but count, and OpenTelemetry JS with a span for each job, batched and exported to nowhere.",
  figures: [{ key: "wall", label: "µs per job", better: "less" }],
  peers: [
    { kind: "node", name: "no diagnostics", ours: true, packages: ["meanwhile"], measure: () => jobs() },
    { kind: "node", name: "watchdog", ours: true, packages: ["meanwhile"], measure: () => withLevel(0) },
    { kind: "node", name: "level 1", ours: true, packages: ["meanwhile"], measure: () => withLevel(1) },
    { kind: "node", name: "level 2", ours: true, packages: ["meanwhile"], measure: () => withLevel(2) },
    { kind: "node", name: "level 3", ours: true, packages: ["meanwhile"], measure: () => withLevel(3) },
    { kind: "node", name: "async_hooks", packages: [], measure: withAsyncHooks },
    { kind: "node", name: "OpenTelemetry", packages: OPEN_TELEMETRY, measure: withOpenTelemetry },
  ],
  targets: [
    { ours: "watchdog", beside: "no diagnostics", figure: "wall", compares: "cost", limit: 1.01 },
    { ours: "level 1", beside: "no diagnostics", figure: "wall", compares: "cost", limit: 1.03 },
    { ours: "level 2", beside: "no diagnostics", figure: "wall", compares: "cost", limit: 1.05 },
    { ours: "level 3", beside: "no diagnostics", figure: "wall", compares: "cost", limit: 1.1 },
  ],
};
