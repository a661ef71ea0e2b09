// meanwhile:off file
// Started by `meanwhile run` as the main module: becomes the program that it was given, inside of run().

import { basename } from "node:path";
import { pathToFileURL } from "node:url";

import { CancelledError, run } from "meanwhile";
import { adoptContextless, currentScopeNode, untilIdle } from "meanwhile/lowlevel";

const [node = process.execPath, , file = "", ...args] = process.argv;
process.argv = [node, file, ...args];

try {
  await run(runProgram, { name: basename(file) });
} catch (error) {
  if (!(error instanceof CancelledError) || !isSignal(error.reason)) throw error;
  // What the program keeps open would hold the process, unless it handles the signal itself. The exit code is set by run().
  if (process.listenerCount(error.reason) === 0) process.exit();
}

async function runProgram(): Promise<void> {
  // Requests that come to the program's servers are its work, though Node enters them without a context.
  using adopted = adoptContextless(currentScopeNode());
  await import(pathToFileURL(file).href);
  // Servers and timers go on after the module's last line; until then they are in the run. Cancelled, it ends when the
  // functions that nobody awaits, like the handlers of requests, have cleaned up.
  await untilIdle();
  adopted[Symbol.dispose]();
}

function isSignal(reason: unknown): reason is "SIGINT" | "SIGTERM" {
  return reason === "SIGINT" || reason === "SIGTERM";
}
