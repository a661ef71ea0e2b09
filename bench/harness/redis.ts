// A Redis of our own, without a disk.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

/** One that runs. */
interface RunningRedis extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Why it cannot be started on this machine, with the remedy; null if it can. */
export function whyNoRedis(): string | null {
  const isThere = spawnSync("redis-server", ["--version"]).status === 0;
  return isThere ? null : "needs redis-server: apt-get install redis-server";
}

/** Starts it. */
export async function startRedis(): Promise<RunningRedis> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()];
  const server = spawn("redis-server", args, { stdio: "ignore" });
  while (!(await listens(port))) await pause(5);
  return {
    port,
    pid: server.pid ?? 0,
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
