// The servers of the cluster rows, where their queues are, and what CPU they have taken. `BENCH_QUEUE_URL` and
// `BENCH_QUEUE_PID` tell the children.

import { readdirSync, readFileSync } from "node:fs";

import { connect, startEmbedded } from "@meanwhile/postgres";
import { run } from "meanwhile";

import { startRedis, whyNoRedis } from "./redis.ts";
import type { Server } from "./row.ts";

const NEEDS_PROC = "needs Linux: what CPU other processes have taken is read from /proc";
const onLinux = process.platform === "linux" ? null : NEEDS_PROC;
/** A unit of /proc, as nearly every Linux has it. */
const TICK_MS = 10;

/** A Redis without a disk. */
export const redisQueues: Server = {
  missing: () => onLinux ?? whyNoRedis(),
  async start() {
    const redis = await startRedis();
    tell(`redis://127.0.0.1:${redis.port}`, redis.pid);
    return redis;
  },
};

/** A PostgreSQL that does not wait for its disk. */
export const postgresQueues: Server = {
  missing: () => onLinux,
  start: () =>
    run(async () => {
      const server = await startEmbedded({ settings: { max_connections: 200, synchronous_commit: false } });
      await using connection = await connect(server.dsn);
      const [backend] = await connection.fetch<{ pid: number }>("select pg_backend_pid() as pid");
      await makeTables(server.dsn);
      tell(server.dsn, statOf(backend?.pid ?? 0).parent);
      return { [Symbol.asyncDispose]: () => run(() => server.stop()) };
    }),
};

/** BullMQ does so only when it is told to. */
async function makeTables(dsn: string): Promise<void> {
  // Every child loads this file, also those that measure something else.
  const [{ runMigrations }, { Client }] = await Promise.all([import("bullmq"), import("pg")]);
  const client = new Client(dsn);
  await client.connect();
  await runMigrations(client);
  await client.end();
}

function tell(url: string, pid: number): void {
  process.env["BENCH_QUEUE_URL"] = url;
  process.env["BENCH_QUEUE_PID"] = String(pid);
}

/** Where the queues are. */
export function queueUrl(): string {
  return process.env["BENCH_QUEUE_URL"] ?? "";
}

/** What the server has taken so far, all its processes together. */
export function serverCpuMs(): number {
  const server = Number(process.env["BENCH_QUEUE_PID"]);
  let ms = cpuMsOf(server) + statOf(server).endedChildrenMs;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    if (parentOf(Number(pid)) === server) ms += cpuMsOf(Number(pid));
  return ms;
}

/** What a process has taken so far, in all its threads. */
export function cpuMsOf(pid: number): number {
  return statOf(pid).ownMs;
}

/** One that has just ended has none. */
function parentOf(pid: number): number | null {
  try {
    return statOf(pid).parent;
  } catch {
    return null;
  }
}

function statOf(pid: number): { parent: number; ownMs: number; endedChildrenMs: number } {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name before it may have spaces and brackets.
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [parent = 0] = fields.slice(1);
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  return { parent, ownMs: (user + system) * TICK_MS, endedChildrenMs: (childrenUser + childrenSystem) * TICK_MS };
}
