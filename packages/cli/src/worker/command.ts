// `meanwhile worker`: serves the functions of a module to the clients of a queue.

import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { ClusterError, type ClusterWorker, serveCluster } from "@meanwhile/cluster";
import { CancelledError, run, shield, sleepForever } from "meanwhile";
import { offerDiagnostics } from "meanwhile/diagnostics";
import { WorkerError } from "meanwhile/workers";

import { CommandError, EXIT } from "../errors.ts";
import { escapeControls } from "../output/escape.ts";
import { print, printError } from "../output/streams.ts";
import { readVersion } from "../version.ts";
import { WORKER_HELP } from "./help.ts";
import { parseWorkerOptions, type WorkerOptions } from "./options.ts";

const SUFFIX = import.meta.url.endsWith(".ts") ? "ts" : "js";
const FETCH_MODULE = new URL(`../fetch/far/functions.${SUFFIX}`, import.meta.url);
/** Requests wait more than they compute; a body may be as long as a run allows. */
const FETCH_AT_ONCE = 50;
const NO_LIMITS = { maxPayloadBytes: undefined, maxResultBytes: undefined } as const;
const FETCH_LIMITS = { maxPayloadBytes: 64 * 2 ** 20, maxResultBytes: 2 ** 29 } as const;

/** How long the same trouble is not told again. */
const QUIET_MS = 10_000;

/** Runs `meanwhile worker`. */
export async function runWorker(args: readonly string[]): Promise<number> {
  const options = parseWorkerOptions(args);
  if (options === "help") print(WORKER_HELP);
  else if (options === "version") print(`${readVersion()}\n`);
  else await run(() => serveUntilTold(options), { name: "worker", graceMs: Infinity }).catch(exitBySignal);
  return process.exitCode === undefined ? EXIT.ok : Number(process.exitCode);
}

/** A signal is how a worker ends. The exit code is set where the signal is handled. */
function exitBySignal(error: unknown): void {
  if (error instanceof CancelledError && typeof error.reason === "string") process.exit();
  throw error;
}

async function serveUntilTold(options: WorkerOptions): Promise<void> {
  const worker = await start(options);
  const { id } = worker.identity;
  const what = options.file === null ? "requests" : shown(basename(options.file));
  printError(`meanwhile: worker ${id} serves ${what} on queue ${shown(options.queue)}\n`);
  try {
    await sleepForever();
  } finally {
    await shield(() => leave(worker, options.drainMs));
  }
}

async function leave(worker: ClusterWorker, drainMs: number): Promise<void> {
  const { running } = worker.statistics();
  if (running > 0) printError(`meanwhile: waiting for ${running} jobs, for at most ${drainMs / 1_000} s\n`);
  await worker.close({ timeoutMs: drainMs });
  const { completed, failed, cancelled, returned } = worker.statistics();
  printError(
    `meanwhile: left after ${completed} jobs that succeeded, ${failed} that failed, ${cancelled} that were cancelled, ${returned} that were given back\n`,
  );
}

async function start(options: WorkerOptions): Promise<ClusterWorker> {
  const { file, concurrency, threads, drainMs: _drain, diagnostics, ...others } = options;
  // Blocked loops are not told of: functions that compute block theirs, and may.
  if (diagnostics) offerDiagnostics({ level: 1, report: false });
  const limits = file === null ? FETCH_LIMITS : NO_LIMITS;
  try {
    return await serveCluster(file === null ? FETCH_MODULE : moduleOf(file), {
      ...others,
      maxPayloadBytes: others.maxPayloadBytes ?? limits.maxPayloadBytes,
      maxResultBytes: others.maxResultBytes ?? limits.maxResultBytes,
      concurrency: concurrency ?? (file === null ? FETCH_AT_ONCE : undefined),
      threads: threads ?? (file === null ? 1 : undefined),
      pool: diagnostics ? { env: environmentOfInstrumented() } : undefined,
      onError: teller(),
    });
  } catch (error) {
    if (!(error instanceof ClusterError) && !(error instanceof WorkerError)) throw error;
    const isUsage = error.code === "MW_ERR_CLUSTER_INVALID_ARGUMENT";
    throw new CommandError(isUsage ? EXIT.usage : EXIT.notStarted, shown(error.message), { cause: error });
  }
}

/** Of threads and processes that load their module instrumented: then it is known where its functions wait. */
function environmentOfInstrumented(): NodeJS.ProcessEnv {
  const register = `--import=${import.meta.resolve("@meanwhile/instrument/register")}`;
  return { ...process.env, NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} ${register}`.trim() };
}

function moduleOf(file: string): URL {
  const path = resolve(file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return pathToFileURL(path);
  throw new CommandError(EXIT.notStarted, `${shown(file)} is not a file with functions to serve`);
}

/** Tells what goes wrong, once for a while. */
function teller(): (error: unknown) => void {
  let said = { text: "", at: -Infinity };
  return (error) => {
    const text = error instanceof Error ? error.message || error.name : String(error);
    if (text === said.text && performance.now() - said.at < QUIET_MS) return;
    said = { text, at: performance.now() };
    printError(`meanwhile: ${shown(text)}; going on\n`);
  };
}

function shown(text: string): string {
  return escapeControls(text);
}
