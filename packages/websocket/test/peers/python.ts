// The Python package websockets as a peer.

import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const PYTHON = process.env["MEANWHILE_TEST_PYTHON"] ?? "/usr/bin/python3";
const SCRIPT = join(import.meta.dirname, "python.py");
const ENVIRONMENT = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };

/** Why its tests are skipped; false if it is there. */
export const pythonMissing: string | false =
  spawnSync(PYTHON, ["-c", "import websockets"]).status === 0
    ? false
    : `needs ${PYTHON}, or that in MEANWHILE_TEST_PYTHON, with websockets: apt-get install python3-websockets`;

/** A server that echoes; its port. */
export async function startPythonServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const child = spawn(PYTHON, [SCRIPT, "serve"], { stdio: ["ignore", "pipe", "inherit"], env: ENVIRONMENT });
  const [line]: string[] = await once(createInterface(child.stdout), "line");
  return {
    port: Number(line),
    async [Symbol.asyncDispose](): Promise<void> {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}

/** What a client did. */
export interface PythonUse {
  /** Whether each message came back as it was sent. */
  readonly same: readonly boolean[];
  readonly fragments: string;
  readonly pong: boolean;
  readonly extensions: readonly string[];
  readonly subprotocol: string | null;
  readonly closed: readonly [number, string];
}

export interface PythonReport {
  readonly deflate: PythonUse;
  readonly plain: PythonUse;
  readonly tooLong: readonly [number, string];
  readonly closedByPeer: readonly [number, string];
}

/** Does what a client does with a server that echoes. */
export async function runPythonClient(url: string): Promise<PythonReport> {
  const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, "connect", url], { env: ENVIRONMENT });
  return JSON.parse(stdout) as PythonReport;
}
