// Runs a fixture in a process of its own: for signals, exit codes and what a user sees on the terminal.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** How a child process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** What it printed, line by line. */
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** What a test does to a child. */
export interface ChildOptions {
  readonly nodeOptions?: readonly string[];
  /** Signals to send, each when the child has printed the line. */
  readonly signals?: ReadonlyArray<readonly [line: string, signal: "SIGINT" | "SIGTERM"]>;
  /** How long after the line. Default: at once. */
  readonly delayMs?: number;
}

const LIMIT_MS = 10_000;

/** Runs `fixtures/<file>` with the name of a scenario in it, and waits for its end. */
export async function runFixture(file: string, scenario: string, options: ChildOptions = {}): Promise<Ended> {
  const { nodeOptions = [], signals = [], delayMs = 0 } = options;
  const path = fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--conditions=@meanwhile/source", ...nodeOptions, path, scenario], {
    env: { ...env, NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  const due = [...signals];
  child.stderr.on("data", (chunk) => (stderr += chunk));
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    while (due[0] !== undefined && stdout.includes(`${due[0][0]}\n`)) {
      const [, signal] = due.shift() as (typeof due)[0];
      if (delayMs === 0) child.kill(signal);
      else setTimeout(() => child.kill(signal), delayMs);
    }
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, lines: stdout.split("\n").slice(0, -1), stderr };
}
