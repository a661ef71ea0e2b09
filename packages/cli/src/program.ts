// meanwhile:off file
// Started by `meanwhile run` as the main module: becomes the program that it was given, inside of run().

import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";

import { CancelledError, isCancelled, run } from "meanwhile";
import { adoptContextless, awaitStacksOf, currentScopeNode, type Scope, untilIdle } from "meanwhile/lowlevel";

const LOOK_EVERY_MS = 5;

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
  const scope = currentScopeNode();
  // Requests that come to the program's servers are its work, though Node enters them without a context.
  using adopted = adoptContextless(scope);
  try {
    await import(pathToFileURL(file).href);
    // Servers and timers go on after the module's last line; until then they are in the run.
    await untilIdle();
  } catch (error) {
    if (isCancelled(error)) await untilCleanedUp(scope);
    throw error;
  } finally {
    adopted[Symbol.dispose]();
  }
}

/** Waits for functions that nobody awaits, like the handlers of requests: they were cancelled too and clean up now. */
async function untilCleanedUp({ task, runner }: Scope): Promise<void> {
  if (task === null) return;
  const until = performance.now() + runner.graceMs;
  while (awaitStacksOf(task).length > 0 && performance.now() < until) await wait(LOOK_EVERY_MS);
}

function isSignal(reason: unknown): reason is "SIGINT" | "SIGTERM" {
  return reason === "SIGINT" || reason === "SIGTERM";
}
