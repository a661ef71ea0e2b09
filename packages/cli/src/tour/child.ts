// Runs a part of a chapter as a program of its own, to show what it says and how it ends.

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

import { cancellable } from "meanwhile";

/** How a program ended. */
export interface Ending {
  readonly exitCode: number | null;
  readonly stderr: string;
}

/**
 * Runs the program of a chapter, `await run(<name>.program)`, in a new process.
 *
 * @param moduleUrl - `import.meta.url` of the chapter
 * @param name - what it exports the chapter as
 * @param options - `instrumented`: whether its code is, as under `meanwhile run`; `debug`: whether it is in debug mode
 *
 * Cancellation: ends the process.
 */
export async function runAsProgram(
  moduleUrl: string,
  name: string,
  { instrumented = false, debug = false }: { readonly instrumented?: boolean; readonly debug?: boolean } = {},
): Promise<Ending> {
  const program = `
    import { run } from "meanwhile";
    import { ${name} } from ${JSON.stringify(moduleUrl)};
    await run(${name}.program);`;
  return cancellable(async (signal) => {
    const hook = instrumented ? ["--import", import.meta.resolve("@meanwhile/instrument/register")] : [];
    const args = [...process.execArgv, ...hook, "--input-type=module", "--eval", program];
    const child = spawn(process.execPath, args, {
      cwd: import.meta.dirname, // where "meanwhile" is found
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, ...(debug ? { MEANWHILE_DEBUG: "1" } : {}) },
      stdio: ["ignore", "ignore", "pipe"],
      signal,
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once("close", resolve);
      child.once("error", reject);
    });
    const [stderr, exitCode] = await Promise.all([text(child.stderr), ended]);
    return { exitCode, stderr };
  });
}
