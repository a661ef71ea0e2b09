// An nginx of our own on a free port of 127.0.0.1, which answers every path with the same 1 600 bytes, and those in
// `large/` with 10 MB of zeros.
// `BENCH_URL` is its address, `BENCH_DIR` a directory that lives as long as it does.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import type { Server } from "./row.ts";

const NGINX = process.env["BENCH_NGINX"] ?? "nginx";
const BODY = "x".repeat(1600);
/** The size of what is in `large/`. */
export const LARGE_BYTES = 10_000_000;
const READY_AFTER_MS = 5_000;

export const nginx: Server = { missing, start };

function missing(): string | null {
  const { error } = spawnSync(NGINX, ["-v"]);
  return error === undefined ? null : `needs ${NGINX}, or that in BENCH_NGINX: apt-get install nginx`;
}

async function start(): Promise<AsyncDisposable> {
  const directory = mkdtempSync(join(tmpdir(), "meanwhile-bench-"));
  const port = await freePort();
  writeFileSync(join(directory, "body"), BODY);
  writeFileSync(join(directory, "large"), "");
  truncateSync(join(directory, "large"), LARGE_BYTES);
  writeFileSync(join(directory, "nginx.conf"), configuration(directory, port));
  const server = spawn(NGINX, ["-p", directory, "-c", join(directory, "nginx.conf"), "-e", "stderr"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  process.env["BENCH_URL"] = `http://127.0.0.1:${port}/`;
  process.env["BENCH_DIR"] = directory;
  await listening(server, port);
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

// One process, like every client it is asked by.
function configuration(directory: string, port: number): string {
  return `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
worker_rlimit_nofile 4096;
events { worker_connections 2048; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=16;
  default_type text/plain;
  charset utf-8; # told, so that nobody has to guess it
  client_body_temp_path ${directory}/temporary;
  proxy_temp_path ${directory}/temporary;
  fastcgi_temp_path ${directory}/temporary;
  uwsgi_temp_path ${directory}/temporary;
  scgi_temp_path ${directory}/temporary;
  server {
    listen 127.0.0.1:${port} backlog=2048;
    root ${directory};
    location /large/ { try_files /large =404; }
    location / { try_files /body =404; }
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has one
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < READY_AFTER_MS) {
    if (server.exitCode !== null) throw new Error(`nginx ends with ${server.exitCode}`);
    if (await answers(port)) return;
    await wait(20);
  }
  server.kill("SIGKILL");
  throw new Error(`nginx does not listen on port ${port} after ${READY_AFTER_MS} ms`);
}

async function answers(port: number): Promise<boolean> {
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
