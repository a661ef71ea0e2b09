// `meanwhile run`: a Node of its own for the program, so that workers and processes it starts are instrumented too.

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, existsSync, lstatSync, realpathSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

import { socketPathOf } from "meanwhile/diagnostics";

import { CommandError, EXIT, startError } from "../errors.ts";
import { escapeControls } from "../output/escape.ts";
import { print, printError } from "../output/streams.ts";
import { readVersion } from "../version.ts";
import { writeSettings } from "./diagnostics.ts";
import { RUN_HELP } from "./help.ts";
import { parseRunOptions, type RunOptions } from "./options.ts";

const PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../program.ts" : "../program.js", import.meta.url),
);

/** How often it is looked whether the program listens. */
const POLL_MS = 20;

/** Runs `meanwhile run`. Resolves with the exit code of the program; ends by the signal that ended it. */
export async function runRun(args: readonly string[]): Promise<number> {
  const options = parseRunOptions(args);
  if (options === "help") print(RUN_HELP);
  else if (options === "version") print(`${readVersion()}\n`);
  else return runProgram(options);
  return EXIT.ok;
}

async function runProgram(options: RunOptions): Promise<number> {
  const file = resolve(options.file);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new CommandError(EXIT.notStarted, `${escapeControls(options.file)} is not a file that can be run`);
  }
  const register = ["--import", import.meta.resolve("@meanwhile/instrument/register")];
  const { diagnostics, report, record, allow } = options;
  if (record !== null) checkRecord(record);
  // Not in the environment: processes that the program starts do not record to the same file.
  const settings = writeSettings({ diagnostics, report, record: record === null ? null : resolve(record), allow });
  const child = spawn(process.execPath, [...process.execArgv, ...register, PROGRAM, settings, file, ...options.args], {
    stdio: "inherit",
    env: { ...process.env, ...settingsFor(options, file) },
  });
  using forwarding = forwardSignals((signal) => void child.kill(signal));
  // It ends with this process.
  if (options.inspect) showPage(child, allow).catch(tellProblem);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((settle, fail) => {
    child.once("error", fail);
    child.once("exit", (...ending) => settle(ending));
  });
  forwarding[Symbol.dispose]();
  removeSocketOf(child);
  // Ended by a signal it did not handle: so are we, and whoever started us sees the same.
  if (signal !== null) process.kill(process.pid, signal);
  return code ?? EXIT.failed;
}

/** The address comes on stderr: stdout is the program's. A page that cannot be shown is no reason to end the program. */
async function showPage(child: ChildProcess, allow: RunOptions["allow"]): Promise<void> {
  const { openPage } = await import("../inspect/open-page.ts");
  const socket = socketPathOf(child.pid ?? 0);
  const viewer = await openPage({ socket }, { allow });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  while (isRunning() && !existsSync(socket)) await delay(POLL_MS);
  if (isRunning()) printError(`meanwhile run: what it does is shown at ${viewer.url}\n`);
  else viewer.end();
}

/** Killed, it could not take it away. */
function removeSocketOf({ pid }: ChildProcess): void {
  if (pid === undefined || process.platform === "win32") return;
  try {
    rmSync(socketPathOf(pid));
  } catch {
    // gone, or never made
  }
}

function tellProblem(error: unknown): void {
  if (!(error instanceof CommandError)) throw error;
  printError(`meanwhile run: ${escapeControls(error.message)}\n`);
}

/** Here, where it is an error; in the program it would be a warning. */
function checkRecord(path: string): void {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined)
      return accessSync(dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw startError(`cannot record to "${path}"`, error);
  }
  throw new CommandError(EXIT.notStarted, `cannot record to "${path}": there is a file of that name`);
}

function settingsFor({ instrument, packages, cache, report, debug }: RunOptions, file: string): NodeJS.ProcessEnv {
  return {
    // Node loads it by its real path, whatever links lead there.
    MEANWHILE_INSTRUMENT_ENTRY: pathToFileURL(realpathSync(file)).href,
    ...(instrument ? {} : { MEANWHILE_INSTRUMENT: "entry" }),
    ...(packages.length > 0 ? { MEANWHILE_INSTRUMENT_PACKAGES: packages.join(",") } : {}),
    ...(cache ? {} : { MEANWHILE_INSTRUMENT_CACHE: "off" }),
    ...(report ? { MEANWHILE_INSTRUMENT_REPORT: "1" } : {}),
    ...(debug ? { MEANWHILE_DEBUG: "1" } : {}),
  };
}

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const;

/** Hands signals on. A terminal sends Ctrl-C to the program by itself; twice would mean "at once". */
function forwardSignals(send: (signal: NodeJS.Signals) => void): Disposable {
  const listener = (signal: NodeJS.Signals): void => {
    if (!(process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT"))) send(signal);
  };
  for (const signal of FORWARDED) process.on(signal, listener);
  return {
    [Symbol.dispose](): void {
      for (const signal of FORWARDED) process.off(signal, listener);
    },
  };
}
