// Calls of a function on a worker in another process, over a queue on Redis.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { check, costOf } from "../harness/measuring.ts";
import { redis, redisPort } from "../harness/redis.ts";
import type { Measured, Row } from "../harness/row.ts";

const CALLS = 2_000;
const AT_ONCE = 50;
const WORKER = fileURLToPath(new URL("../harness/cluster-worker.ts", import.meta.url));

type Increment = (value: number) => Promise<number>;

/** Many calls at once, and then one after the other. */
async function measured(many: () => Promise<readonly number[]>, one: Increment): Promise<Measured> {
  const { wallMs } = await costOf(async () => {
    const results = await many();
    check("results", results.length, CALLS);
    check("last result", results.at(-1) ?? -1, CALLS);
  });
  const { wallMs: latency } = await costOf(async () => check("result", await one(1), 2));
  return { rate: (CALLS / wallMs) * 1_000, latency };
}

async function startWorker(whose: string, queue: string): Promise<AsyncDisposable> {
  const url = `redis://127.0.0.1:${redisPort()}`;
  const args = [...process.execArgv, WORKER, whose, url, queue, String(AT_ONCE)];
  const worker = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(worker.stdout, "data");
  return {
    async [Symbol.asyncDispose]() {
      const exit = once(worker, "exit");
      worker.kill("SIGKILL");
      await exit;
    },
  };
}

const numbers: readonly number[] = Array.from({ length: CALLS }, (_, i) => i);

async function cluster(isMap: boolean): Promise<Measured> {
  const { connectCluster } = await import("@meanwhile/cluster");
  const queue = randomUUID();
  await using _worker = await startWorker("meanwhile", queue);
  await using connected = await connectCluster<typeof import("../harness/cluster-jobs.ts")>(
    `redis://127.0.0.1:${redisPort()}`,
    { queue },
  );
  const one: Increment = (value) => connected.call("increment", value);
  const many = isMap
    ? () => connected.map("increment", numbers).toArray()
    : () => Promise.all(numbers.map((value) => one(value)));
  return await measured(many, one);
}

/** The least that answers a call: jobs in batches, and one listener for the results of all. */
async function bullmq(): Promise<Measured> {
  const { Queue, QueueEvents } = await import("bullmq");
  const name = randomUUID();
  await using _worker = await startWorker("bullmq", name);
  const connection = { host: "127.0.0.1", port: redisPort(), maxRetriesPerRequest: null };
  const keep = { age: 3_600, count: 100_000 };
  const queue = new Queue<number>(name, { connection, defaultJobOptions: { removeOnComplete: keep } });
  const events = new QueueEvents(name, { connection });
  await events.waitUntilReady();
  const waiting = new Map<string, (value: number) => void>();
  events.on("completed", ({ jobId, returnvalue }) => {
    waiting.get(jobId)?.(Number(returnvalue));
    waiting.delete(jobId);
  });
  const submit = async (values: readonly number[]): Promise<readonly number[]> => {
    const jobs = values.map((data) => ({ name: "increment", data, opts: { jobId: randomUUID() } }));
    const results = jobs.map(
      ({ opts: { jobId } }) =>
        new Promise<number>((resolve) => {
          waiting.set(jobId, resolve);
        }),
    );
    for (let at = 0; at < jobs.length; at += 500) await queue.addBulk(jobs.slice(at, at + 500));
    return await Promise.all(results);
  };
  const result = await measured(
    () => submit(numbers),
    async (value) => (await submit([value]))[0] ?? -1,
  );
  await events.close();
  await queue.close();
  return result;
}

export const row: Row = {
  name: "cluster",
  title: "calls over a queue on Redis",
  about:
    "A worker in a process of its own runs `value + 1`, up to 50 jobs at once; the client is this process, Redis a third one, all on this machine. 2 000 calls at once give the rate, and one after the other the latency. `BullMQ` is the least that answers a call: jobs are added in batches, the function runs in the worker's only thread, and one listener takes the results of all; nothing of it is cancelled, looked up again or carried as more than JSON. With `map` a job has many items, as many as take 20 ms, and the latency is that of `call`.",
  figures: [
    { key: "rate", label: "calls per second", better: "more" },
    { key: "latency", label: "ms for one call", better: "less" },
  ],
  server: redis,
  peers: [
    { kind: "node", name: "BullMQ", packages: ["bullmq"], measure: bullmq },
    { kind: "node", name: "cluster", ours: true, packages: ["@meanwhile/cluster"], measure: () => cluster(false) },
    { kind: "node", name: "cluster, map", ours: true, packages: ["@meanwhile/cluster"], measure: () => cluster(true) },
  ],
  targets: [
    { ours: "cluster", beside: "BullMQ", figure: "rate", compares: "speed", limit: 0.9 },
    { ours: "cluster", beside: "BullMQ", figure: "latency", compares: "cost", limit: 1.1 },
    { ours: "cluster, map", beside: "BullMQ", figure: "rate", compares: "speed", limit: 2 },
  ],
};
