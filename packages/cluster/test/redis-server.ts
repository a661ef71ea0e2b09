// A Redis for the tests of a file, if there is one on this machine: gone when the file ends.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

const PROGRAM = process.env["MEANWHILE_TEST_REDIS"] ?? "redis-server";

/** Why there is none; false if there is one. */
export const noRedis: string | false =
  spawnSync(PROGRAM, ["--version"]).status === 0
    ? false
    : "there is no redis-server on this machine; install it, or name it with MEANWHILE_TEST_REDIS";

/** How a server is to be. */
export interface RedisOptions {
  /** Whether it knows after a restart what it knew before. */
  readonly isKept?: boolean;
  /** What it asks for. */
  readonly password?: string;
  /** Where it listens, beside 127.0.0.1. */
  readonly address?: string;
}

/** A running server. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #isKept: boolean;
  readonly #password: string | undefined;
  readonly #addresses: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(port: number, directory: string, { isKept = false, address, password }: RedisOptions) {
    this.port = port;
    this.#directory = directory;
    this.#isKept = isKept;
    this.#password = password;
    this.#addresses = ["127.0.0.1", ...(address === undefined ? [] : [address])];
  }

  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), mkdtempSync(join(tmpdir(), "meanwhile-redis-")), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const kept = this.#isKept ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
    const where = ["--port", String(this.port), "--protected-mode", "no", "--bind", ...this.#addresses];
    const asks = this.#password === undefined ? [] : ["--requirepass", this.#password];
    const args = [...where, ...asks, "--save", "", ...kept, "--dir", this.#directory];
    this.#process = spawn(PROGRAM, args, { stdio: "ignore" });
    while (!(await this.#answers())) await pause(5);
  }

  async #answers(): Promise<boolean> {
    const socket = connect(this.port, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.write("PING\r\n");
      const [answer] = (await once(socket, "data")) as [Buffer];
      return answer.toString().match(/^(\+PONG|-NOAUTH)/) !== null;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null) return;
    running.kill(signal);
    await once(running, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

let shared: Promise<RedisServer> | null = null;
after(async () => (await shared)?.[Symbol.asyncDispose]());

/** The server of this test file: made by the first call, ended after the last test. */
export function sharedRedis(): Promise<RedisServer> {
  shared ??= RedisServer.start();
  return shared;
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
