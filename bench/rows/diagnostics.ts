// What it costs to be looked at: the same jobs without diagnostics, with each level of them, and with other tools.

import { createHook } from "node:async_hooks";
import { once } from "node:events";
import { Agent, createServer, get } from "node:http";
import type { AddressInfo } from "node:net";

import { check } from "../harness/measuring.ts";
import type { Measured, Row, Target } from "../harness/row.ts";

const JOBS = 10_000;
const REQUESTS = 1_000;
const REQUESTS_AT_ONCE = 20;
const WARM_UPS = 5;
const REPETITIONS = 15;
const AT_ONCE = 100;
const WAITS = 3;

const TEXT = JSON.stringify(Array.from({ length: 50 }, (_, id) => ({ id, name: `item ${id}` })));

/** What a tool does around each job. */
type Around = (job: () => Promise<void>) => Promise<void>;

const nothingAround: Around = (job) => job();

async function both(around: Around = nothingAround): Promise<Measured> {
  return { ...(await jobs(around)), ...(await requests(around)) };
}

/**
 * The processor time of all threads for the work, in the median of many repetitions. What is compared differs by a few
 * percent, and one repetition in which the machine was busy with others would outweigh that in a mean.
 */
async function usualCpuMs(work: () => Promise<void>): Promise<number> {
  for (let i = 0; i < WARM_UPS; i++) await work();
  const costs: number[] = [];
  for (let i = 0; i < REPETITIONS; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1_000);
  }
  return costs.toSorted((one, other) => one - other)[REPETITIONS >> 1] ?? Infinity;
}

/** Each job is a task that parses a little, waits three times and holds one of fifty permits meanwhile. */
async function jobs(around: Around): Promise<Measured> {
  const { map, run, Semaphore, sleep } = await import("meanwhile");
  const items = Array.from({ length: JOBS }, (_, index) => index);
  const cpuMs = await usualCpuMs(async () => {
    let waits = 0;
    const permits = new Semaphore(AT_ONCE / 2);
    const work = async (): Promise<void> => {
      JSON.parse(TEXT);
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
  return { job: (cpuMs * 1_000) / JOBS };
}

/** Each job is a task that asks a server in the same process for that JSON, with a timeout, and parses it. */
async function requests(around: Around): Promise<Measured> {
  const { cancellable, map, run, timeout } = await import("meanwhile");
  const server = createServer((_, response) => response.end(TEXT)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent({ keepAlive: true, maxSockets: REQUESTS_AT_ONCE });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo;
  const items = Array.from({ length: REQUESTS }, (_, index) => index);
  const cpuMs = await usualCpuMs(async () => {
    let parsed = 0;
    const work = async (): Promise<void> => {
      const text = await timeout(10_000, () => cancellable((signal) => textFrom(port, agent, signal)));
      const answer: unknown = JSON.parse(text);
      parsed += Array.isArray(answer) ? answer.length : 0;
    };
    await run(async () => {
      for await (const _ of map(items, () => around(work), { concurrency: REQUESTS_AT_ONCE }));
    });
    check("items", parsed, REQUESTS * 50);
  });
  agent.destroy();
  server.close();
  return { request: (cpuMs * 1_000) / REQUESTS };
}

function textFrom(port: number, agent: Agent, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get({ host: "127.0.0.1", port, agent, signal }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve(text));
  }).on("error", reject);
  return promise;
}

async function withLevel(level: 0 | 1 | 2 | 3): Promise<Measured> {
  const { startDiagnostics } = await import("meanwhile/diagnostics");
  const diagnostics = startDiagnostics({ level, report: false });
  await diagnostics.ready;
  const measured = await both();
  await diagnostics[Symbol.asyncDispose]();
  return measured;
}

/** The least that a tool on async_hooks does: it counts. */
async function withAsyncHooks(): Promise<Measured> {
  let made = 0;
  const hook = createHook({ init: () => (made += 1), before: () => {}, after: () => {}, destroy: () => {} }).enable();
  const measured = await both();
  hook.disable();
  check("whether promises were seen", Number(made > JOBS), 1);
  return measured;
}

/** A span for each job, batched, and handed to nobody. */
async function withOpenTelemetry(): Promise<Measured> {
  const api = await import("@opentelemetry/api");
  const { NodeTracerProvider } = await import("@opentelemetry/sdk-trace-node");
  const { BatchSpanProcessor } = await import("@opentelemetry/sdk-trace-base");
  const exporter = {
    export: (_: unknown, done: (result: { code: number }) => void) => done({ code: 0 }),
    shutdown: async () => {},
  };
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  provider.register();
  const tracer = api.trace.getTracer("bench");
  const measured = await both((job) =>
    tracer.startActiveSpan("job", async (span) => {
      await job();
      span.end();
    }),
  );
  await provider.shutdown();
  return measured;
}

const OPEN_TELEMETRY = ["@opentelemetry/api", "@opentelemetry/sdk-trace-node", "@opentelemetry/sdk-trace-base"];

/** How much a level may cost. */
function targets(figure: "job" | "request"): Target[] {
  const limits = { watchdog: 1.01, "level 1": 1.03, "level 2": 1.05, "level 3": 1.1 };
  return Object.entries(limits).map(([ours, limit]) => ({
    ours,
    beside: "no diagnostics",
    figure,
    compares: "cost",
    limit,
  }));
}

export const row: Row = {
  name: "diagnostics",
  title: "jobs and requests that are looked at",
  about:
    "Each job is a task that parses 1.4 KB of JSON, takes one of 50 permits and waits three times for the next turn; 100 are in progress at once, and the waits are counted. That is as little work for as many waits as there may be. " +
    "Each request is a task that asks a server in the same process for that JSON, on a connection that is kept and with a timeout, and parses it; 20 are in progress at once. " +
    "What counts is the processor time of all threads, so also that of the worker that watches, in the median of 15 repetitions. " +
    "Level 0 is the watchdog alone; 1 the table of tasks, 2 also the ring of events, 3 also one creation stack in 16. The tables are read by nobody meanwhile. " +
    "Beside it what else one can switch on: `async_hooks` with four hooks that do nothing but count, and OpenTelemetry JS with a span for each job, batched and exported to nowhere.",
  figures: [
    { key: "job", label: "µs of CPU per job", better: "less" },
    { key: "request", label: "µs of CPU per request", better: "less" },
  ],
  peers: [
    { kind: "node", name: "no diagnostics", ours: true, packages: ["meanwhile"], measure: () => both() },
    { kind: "node", name: "watchdog", ours: true, packages: ["meanwhile"], measure: () => withLevel(0) },
    { kind: "node", name: "level 1", ours: true, packages: ["meanwhile"], measure: () => withLevel(1) },
    { kind: "node", name: "level 2", ours: true, packages: ["meanwhile"], measure: () => withLevel(2) },
    { kind: "node", name: "level 3", ours: true, packages: ["meanwhile"], measure: () => withLevel(3) },
    { kind: "node", name: "async_hooks", packages: [], measure: withAsyncHooks },
    { kind: "node", name: "OpenTelemetry", packages: OPEN_TELEMETRY, measure: withOpenTelemetry },
  ],
  targets: [...targets("job"), ...targets("request")],
};
