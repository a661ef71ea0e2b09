// A Redis of our own, for the queues of the cluster rows. `BENCH_REDIS_PORT` is where it listens.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

import type { Server } from "./row.ts";

export const redis: Server = {
  missing: () =>
    spawnSync("redis-server", ["--version"]).status === 0 ? null : "needs redis-server: apt-get install redis-server",
  start,
};

/** Where the server is. */
export function redisPort(): number {
  return Number(process.env["BENCH_REDIS_PORT"]);
}

async function start(): Promise<AsyncDisposable> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()];
  const server = spawn("redis-server", args, { stdio: "ignore" });
  while (!(await listens(port))) await pause(5);
  process.env["BENCH_REDIS_PORT"] = String(port);
  return {
    async [Symbol.asyncDispose]() {
      const exit = once(server, "exit");
      server.kill("SIGKILL");
      await exit;
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
