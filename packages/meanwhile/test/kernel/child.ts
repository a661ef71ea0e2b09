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
  /** How long it went on after the last signal, or after its start. */
  readonly endedAfterMs: number;
}

/** What a test does to a child. */
export interface ChildOptions {
  readonly nodeOptions?: readonly string[];
  /** Signals to send, each when the child has printed the line. */
  readonly signals?: ReadonlyArray<readonly [line: string, signal: "SIGINT" | "SIGTERM"]>;
  /** How long after the line. Default: at once. */
  readonly delayMs?: number;
  /** How long it may run. Default: 10 seconds. */
  readonly limitMs?: number;
}

const LIMIT_MS = 10_000;

/** Runs `fixtures/<file>` with the name of a scenario in it, and waits for its end. */
export function runFixture(file: string, scenario: string, options: ChildOptions = {}): Promise<Ended> {
  return runProgram(new URL(`fixtures/${file}`, import.meta.url), [scenario], options);
}

/** Runs a program and waits for its end. */
export async function runProgram(file: URL, args: readonly string[], options: ChildOptions = {}): Promise<Ended> {
  const { nodeOptions = [], signals = [], delayMs = 0, limitMs = LIMIT_MS } = options;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ["--conditions=@meanwhile/source", ...nodeOptions, fileURLToPath(file), ...args],
    {
      env: { ...env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitMs,
      killSignal: "SIGKILL",
    },
  );
  let since = performance.now();
  const send = (signal: "SIGINT" | "SIGTERM"): void => {
    since = performance.now();
    child.kill(signal);
  };
  let stdout = "";
  let stderr = "";
  const due = [...signals];
  child.stderr.on("data", (chunk) => (stderr += chunk));
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    while (due[0] !== undefined && stdout.includes(`${due[0][0]}\n`)) {
      const [, signal] = due.shift() as (typeof due)[0];
      if (delayMs === 0) send(signal);
      else setTimeout(() => send(signal), delayMs);
    }
  });
  const [code, signal] = await once(child, "close");
  const endedAfterMs = performance.now() - since;
  return { code, signal, lines: stdout.split("\n").slice(0, -1), stderr, endedAfterMs };
}
