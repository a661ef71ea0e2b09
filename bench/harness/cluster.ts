// What the cluster rows measure, whatever the server: calls of a function on workers in other processes.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { check, costOf } from "./measuring.ts";
import { cpuMsOf, queueUrl, serverCpuMs } from "./queue-servers.ts";
import type { Figure, Measured, NodePeer } from "./row.ts";

const CALLS = 2_000;
const AT_ONCE = 50;
/** Over how many repetitions the CPU of each process is taken: /proc counts in 10 ms. */
const REPETITIONS = 5;
const WORKER = fileURLToPath(new URL("./cluster-worker.ts", import.meta.url));

type Whose = "meanwhile" | "bullmq";
/** Calls a function with each of the values. */
type Many = (name: "increment" | "pause", values: readonly number[]) => Promise<readonly number[]>;

/** Who calls. */
interface Caller extends AsyncDisposable {
  readonly many: Many;
  readonly one: (value: number) => Promise<number>;
}

/** What each peer of the rows of calls is measured by. */
export const CALL_FIGURES: readonly Figure[] = [
  { key: "rate", label: "calls per second", better: "more" },
  { key: "latency", label: "ms for one call", better: "less" },
  { key: "client", label: "CPU µs of the client", better: "less" },
  { key: "server", label: "CPU µs of the server", better: "less" },
  { key: "worker", label: "CPU µs of the worker", better: "less" },
];

/** The peers of a row of calls. */
export const callPeers: readonly NodePeer[] = [
  { kind: "node", name: "BullMQ", packages: ["bullmq"], measure: () => calls("bullmq", bare) },
  {
    kind: "node",
    name: "cluster",
    ours: true,
    packages: ["@meanwhile/cluster"],
    measure: () => calls("meanwhile", (queue) => cluster(queue, false)),
  },
  {
    kind: "node",
    name: "cluster, map",
    ours: true,
    packages: ["@meanwhile/cluster"],
    measure: () => calls("meanwhile", (queue) => cluster(queue, true)),
  },
];

/** How many jobs a second workers do that wait for 20 ms in each, four at once. */
export async function pausesPerSecond(whose: Whose, workers: number): Promise<Measured> {
  const [queue, count] = [randomUUID(), 200 * workers];
  await using herd = new AsyncDisposableStack();
  for (let i = 0; i < workers; i++) herd.use(await startWorker(whose, queue, 4));
  await using caller = await (whose === "bullmq" ? bare(queue) : cluster(queue, false));
  const pauses = Array.from({ length: count }, () => 20);
  const { wallMs } = await costOf(async () => check("results", (await caller.many("pause", pauses)).length, count));
  return { rate: (count / wallMs) * 1_000 };
}

/** Many calls at once, and then one after the other. */
async function calls(whose: Whose, open: (queue: string) => Promise<Caller>): Promise<Measured> {
  const queue = randomUUID();
  await using worker = await startWorker(whose, queue, AT_ONCE);
  await using caller = await open(queue);
  const numbers = Array.from({ length: CALLS }, (_, i) => i);
  const work = async (): Promise<void> => {
    const results = await caller.many("increment", numbers);
    check("results", results.length, CALLS);
    check("last result", results.at(-1) ?? -1, CALLS);
  };
  const { wallMs } = await costOf(work);
  const cpu = await cpuEach(work, worker.pid);
  const { wallMs: latency } = await costOf(async () => check("result", await caller.one(1), 2));
  return { rate: (CALLS / wallMs) * 1_000, latency, ...cpu };
}

async function cpuEach(work: () => Promise<void>, worker: number): Promise<Measured> {
  const taken = (): number[] => [cpuMsOf(process.pid), serverCpuMs(), cpuMsOf(worker)];
  const before = taken();
  for (let i = 0; i < REPETITIONS; i++) await work();
  const [client = 0, server = 0, ofWorker = 0] = taken().map(
    (ms, at) => ((ms - (before[at] ?? 0)) * 1_000) / (CALLS * REPETITIONS),
  );
  return { client, server, worker: ofWorker };
}

async function startWorker(whose: Whose, queue: string, atOnce: number): Promise<AsyncDisposable & { pid: number }> {
  const args = [...process.execArgv, WORKER, whose, queueUrl(), queue, String(atOnce)];
  const worker = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(worker.stdout, "data");
  return {
    pid: worker.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const exit = once(worker, "exit");
      worker.kill("SIGKILL");
      await exit;
    },
  };
}

async function cluster(queue: string, isMap: boolean): Promise<Caller> {
  const { connectCluster } = await import("@meanwhile/cluster");
  const connected = await connectCluster<typeof import("./cluster-jobs.ts")>(queueUrl(), { queue });
  return {
    many: (name, values) =>
      isMap ? connected.map(name, values).toArray() : Promise.all(values.map((value) => connected.call(name, value))),
    one: (value) => connected.call("increment", value),
    [Symbol.asyncDispose]: () => connected[Symbol.asyncDispose](),
  };
}

async function bare(queue: string): Promise<Caller> {
  const { BareClient } = await import("./bare-bullmq.ts");
  const client = await BareClient.open(queueUrl(), queue);
  return {
    many: (name, values) => client.call(name, values),
    one: async (value) => (await client.call("increment", [value]))[0] ?? -1,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
