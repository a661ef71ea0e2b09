// Processes of workers and clients that come and go.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Worker processes of a queue. */
export class Herd implements AsyncDisposable {
  readonly #args: readonly string[];
  readonly #prefix: readonly string[];
  readonly #all: ChildProcess[] = [];
  /** How many were killed. */
  kills = 0;

  /** @param prefix - a command that starts them, like `ip netns exec` */
  constructor(url: string, queue: string, concurrency: number, lostAfterMs: number, prefix: readonly string[] = []) {
    this.#args = [url, queue, String(concurrency), String(lostAfterMs)];
    this.#prefix = prefix;
  }

  /** Starts one, and waits until it takes jobs. One that cannot, as the server is away, is started again. */
  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const child = startProgram("./worker-program.ts", this.#args, this.#prefix);
      this.#all.push(child);
      const [first] = (await Promise.race([
        once(child.stdout as NodeJS.ReadableStream, "data"),
        once(child, "exit"),
      ])) as [unknown];
      if (String(first).startsWith("ready") || child.killed) return;
      if (tries === 10) throw new Error(`A worker ended instead of starting: ${String(first)}`);
      this.#all.splice(this.#all.indexOf(child), 1);
      await pause(200);
    }
  }

  /** Kills the oldest, without a word. */
  async kill(): Promise<void> {
    const child = this.#all.shift();
    if (child === undefined) return;
    this.kills += 1;
    await end(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((child) => end(child)));
  }
}

/** Starts a program of this folder. */
export function startProgram(name: string, args: readonly string[], prefix: readonly string[] = []): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: "" };
  delete env["NODE_TEST_CONTEXT"];
  const [command = "", ...rest] = [
    ...prefix,
    process.execPath,
    "--conditions=@meanwhile/source",
    program(name),
    ...args,
  ];
  return spawn(command, rest, { env, stdio: ["ignore", "pipe", "inherit"] });
}

/** Kills a process and waits for its end. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
