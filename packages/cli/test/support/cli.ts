// The command line as a child process: what it writes and how it ends.

import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import type { FetchRecord } from "../../src/fetch/record.ts";

/** The command as npm links it. */
export const BIN: string = fileURLToPath(new URL("../../bin/meanwhile.js", import.meta.url));

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly exit: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly records: readonly FetchRecord[];
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface CliOptions {
  /** What stdin holds; without it stdin is empty. */
  readonly input?: string | undefined;
  readonly cwd?: string | undefined;
  /** Variables of its environment besides those of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Arguments of Node itself. */
  readonly node?: readonly string[] | undefined;
  /** Its stdout is not read before this has come. Default: it is read at once. */
  readonly readAfter?: Promise<unknown> | undefined;
}

/** Starts `meanwhile` with these arguments. */
export function startCli(
  args: readonly string[],
  { input, cwd, env: more, node = [], readAfter }: CliOptions = {},
): Started {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...more };
  delete env["NODE_TEST_CONTEXT"];
  delete env["FORCE_COLOR"];
  const command = ["--conditions=@meanwhile/source", ...node, BIN, ...args];
  const child = spawn(process.execPath, command, { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {}); // it may end before it has read everything
  child.stdin.end(input ?? "");
  const exit = new Promise<Ended["exit"]>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  const ended = Promise.all([exit, readLater(child.stdout, readAfter), text(child.stderr)]).then(
    ([code, stdout, stderr]) => ({
      exit: code,
      stdout,
      stderr,
      records: recordsIn(stdout),
    }),
  );
  return { child, ended };
}

async function readLater(stream: Readable, after: Promise<unknown> | undefined): Promise<string> {
  await after;
  return text(stream);
}

/** Runs `meanwhile` to its end. */
export async function cli(args: readonly string[], options?: CliOptions): Promise<Ended> {
  return startCli(args, options).ended;
}

function recordsIn(stdout: string): FetchRecord[] {
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as FetchRecord);
}

/** A list for `-i -`. */
export function listOf(count: number, urlOf: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${urlOf(index)}\n`).join("");
}
