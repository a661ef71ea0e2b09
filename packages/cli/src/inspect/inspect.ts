// `meanwhile inspect`: the page that shows a program or a recording, served by a process of its own.

import type { ViewerOptions, ViewerTarget } from "@meanwhile/inspector";
import { cancellable } from "meanwhile";

import { CommandError, EXIT } from "../errors.ts";
import { read } from "../fetch/read-options.ts";
import { toSafeJson } from "../output/escape.ts";
import { print, printError } from "../output/streams.ts";
import { askHello } from "./ask.ts";
import { openPage } from "./open-page.ts";
import { INSPECT_PAGE_OPTIONS } from "./option-tables.ts";
import { readAllowed, readPort } from "./page-options.ts";
import { onlyArgument, readArguments } from "./read-arguments.ts";
import { runCommand } from "./run-command.ts";
import { findProgram, isFile } from "./target.ts";

const LONG_MS = 1_000_000_000;

/**
 * Runs `meanwhile inspect`.
 *
 * Cancellation: ends the viewer. There is no other end: SIGINT and SIGTERM give the exit codes 130 and 143.
 */
export async function runInspect(args: readonly string[]): Promise<number> {
  const parsed = readArguments("inspect", args, INSPECT_PAGE_OPTIONS);
  if (parsed === EXIT.ok) return parsed;
  const { values, positionals } = parsed;
  const name = onlyArgument("inspect", positionals, "the PID of a program, or a recording");
  const options = {
    port: read("--port", values.port, readPort, "a number from 0 to 65535"),
    allow: readAllowed(values.allow),
  };
  return runCommand("inspect", () => show(name, options, values.json));
}

async function show(name: string, options: ViewerOptions, asJson: boolean): Promise<never> {
  const viewer = await openPage(await targetOf(name), options);
  // The viewer does not keep anybody alive.
  const hold = setInterval(() => {}, LONG_MS);
  try {
    if (asJson) print(`${toSafeJson({ url: viewer.url, pid: viewer.pid })}\n`);
    else {
      print(`${viewer.url}\n`);
      printError("meanwhile inspect: open this address in a browser; Ctrl-C ends it\n");
    }
    await cancellable(viewer.ended);
    throw new CommandError(EXIT.failed, "the viewer has ended by itself; start it again");
  } finally {
    viewer.end();
    await viewer.ended;
    clearInterval(hold);
  }
}

async function targetOf(name: string): Promise<ViewerTarget> {
  if (isFile(name)) return { recording: name };
  const program = findProgram(name);
  // A page without anybody to ask waits for ever: one that was killed leaves its socket behind.
  await askHello(program);
  return { socket: program.socket };
}
