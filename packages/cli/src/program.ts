// Started by `meanwhile run` as the main module: becomes the program that it was given, inside of run().

import { basename } from "node:path";
import { pathToFileURL } from "node:url";

import { CancelledError, currentTask, run, type Task } from "meanwhile";
import {
  adoptContextless,
  currentScopeNode,
  type HandledSignal,
  joinSignalHandling,
  untilIdle,
} from "meanwhile/lowlevel";

import { beginDiagnostics, readSettings } from "./run/diagnostics.ts";

const [node = process.execPath, , settings = "", file = "", ...args] = process.argv;
process.argv = [node, file, ...args];

beginDiagnostics(readSettings(settings));
try {
  await run(runProgram, { name: basename(file), handleSignals: false });
} catch (error) {
  if (!(error instanceof CancelledError) || !isSignal(error.reason)) throw error;
  // What the program keeps open would hold the process. The exit code is set where the signal is handled.
  process.exit();
}

async function runProgram(): Promise<void> {
  cancelBySignals(currentTask());
  // Requests that come to the program's servers are its work, though Node enters them without a context.
  using _adopted = adoptContextless(currentScopeNode());
  await import(pathToFileURL(file).href);
  // Servers and timers go on after the module's last line; until then they are in the run. Cancelled, it ends when the
  // functions that nobody awaits, like the handlers of requests, have cleaned up.
  await untilIdle();
}

/**
 * To the end of the process, and not of the run: Node would look once more for something to do after a listener was taken
 * away, and emit beforeExit again. A program that listens to a signal has its own way to end, and is let go it.
 */
function cancelBySignals(main: Task<unknown>): void {
  const handling = joinSignalHandling(
    (signal) => {
      if (!main.done) return main.cancel(signal);
      handling[Symbol.dispose]();
      process.kill(process.pid, signal);
    },
    { yields: true },
  );
}

function isSignal(reason: unknown): reason is HandledSignal {
  return reason === "SIGINT" || reason === "SIGTERM";
}
