// Programs in a process of their own.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What is left of a process. */
export interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const REGISTER = new URL("../../src/register.ts", import.meta.url).href;

/** Runs a program of `programs/processes`, instrumented or as it is. */
export function runProcess(name: string, isInstrumented = true): Promise<Ended> {
  const file = fileURLToPath(new URL(`programs/processes/${name}.ts`, import.meta.url));
  const flags = ["--conditions=@meanwhile/source", "--expose-gc", ...(isInstrumented ? ["--import", REGISTER] : [])];
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  // Empty, not left out: Node would hand it on.
  const env = { ...inherited, MEANWHILE_INSTRUMENT_CACHE: "off", NODE_V8_COVERAGE: "" };
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, file], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}
