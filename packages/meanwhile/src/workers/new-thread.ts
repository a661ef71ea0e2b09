// Starts threads with the options of Node that this process has.

import { Worker, type WorkerOptions } from "node:worker_threads";

import { inheritedExecArgv } from "./exec-argv.ts";

/**
 * Starts a thread. Unless it is told which options of Node it has (`execArgv`), they are those of this process.
 *
 * As a rule Node sees to that. But with `--input-type`, which is about the text that this process runs, it would start no file;
 * and to name the others is to name options of the whole process too, which a thread has anyway and refuses by name.
 */
export function newThread(url: URL, options: WorkerOptions): Worker {
  const inherited = process.execArgv.some((option) => option.startsWith("--input-type")) ? inheritedExecArgv() : null;
  if (options.execArgv !== undefined || inherited === null) return new Worker(url, options);
  try {
    return new Worker(url, { ...options, execArgv: inherited });
  } catch (error) {
    const refused = refusedBy(error);
    if (refused.length === 0) throw error;
    return new Worker(url, { ...options, execArgv: inherited.filter((option) => !refused.includes(option)) });
  }
}

function refusedBy(error: unknown): readonly string[] {
  if (!(error instanceof Error && "code" in error && error.code === "ERR_WORKER_INVALID_EXEC_ARGV")) return [];
  return error.message
    .slice(error.message.indexOf(":") + 1)
    .split(",")
    .map((option) => option.trim());
}
