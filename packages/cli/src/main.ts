// The command line: finds the command, runs it, and turns what it throws into one line and an exit code.

import type { Command } from "./command.ts";
import { CommandError, EXIT } from "./errors.ts";
import { escapeControls } from "./output/escape.ts";
import { ignoreBrokenPipes, print, printError } from "./output/streams.ts";
import { readVersion } from "./version.ts";

const COMMANDS: Readonly<Record<string, Command>> = {
  fetch: {
    summary: "fetch many URLs at once, under limits; one JSON record for each",
    load: async () => (await import("./fetch/command.ts")).runFetch,
  },
  completion: {
    summary: "print the script that lets bash, zsh or fish complete commands and options",
    load: async () => (await import("./completion/command.ts")).runCompletion,
  },
  run: {
    summary: "run a program whose every await can be cancelled, and see where it waits",
    load: async () => (await import("./run/command.ts")).runRun,
  },
  ps: {
    summary: "see the tasks of a running program: what each waits for, since when and where",
    load: async () => (await import("./inspect/ps.ts")).runPs,
  },
  pstree: {
    summary: "see them as a tree",
    load: async () => (await import("./inspect/pstree.ts")).runPstree,
  },
  top: {
    summary: "see them change",
    load: async () => (await import("./inspect/top.ts")).runTop,
  },
  trace: {
    summary: "record them for a trace viewer",
    load: async () => (await import("./inspect/trace.ts")).runTrace,
  },
  inspect: {
    summary: "see them in a browser, live or from a recording",
    load: async () => (await import("./inspect/inspect.ts")).runInspect,
  },
  tour: {
    summary: "see the runtime at work, on servers it starts itself on 127.0.0.1",
    load: async () => (await import("./tour/command.ts")).runTour,
  },
  worker: {
    summary: "serve the functions of a module to programs on other machines",
    load: async () => (await import("./worker/command.ts")).runWorker,
  },
};

/**
 * Runs the `meanwhile` command line and sets `process.exitCode`.
 *
 * Cancellation: reaches the command. SIGINT and SIGTERM end it in order, with 130 and 143; a second one at once.
 *
 * @param args - what stands after `meanwhile`
 *
 * @example
 * ```ts no-run
 * import { main } from "@meanwhile/cli";
 *
 * await main(["fetch", "--help"]);
 * ```
 */
export async function main(args: readonly string[]): Promise<void> {
  ignoreBrokenPipes();
  try {
    process.exitCode = await dispatch(args);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // Nobody reads what it writes: there is nothing to say.
    if (error.message !== "") printError(`meanwhile: ${escapeControls(error.message)}\n`);
    process.exitCode = error.exitCode;
  }
}

async function dispatch([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") return showHelp(name !== undefined);
  if (name === "--version" || name === "-V") {
    print(`${readVersion()}\n`);
    return EXIT.ok;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const known = Object.keys(COMMANDS).join(", ");
    throw new CommandError(EXIT.usage, `unknown command "${name}"; there are ${known}: see meanwhile --help`);
  }
  const runCommand = await command.load();
  return runCommand(rest);
}

/** Asked for, it is the answer; shown because nothing was said, it is an error. */
function showHelp(asked: boolean): number {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  const text = `Usage: meanwhile <command> [options]

Commands:
${lines.join("\n")}

meanwhile <command> --help tells more; --version prints the version.
`;
  if (asked) print(text);
  else printError(text);
  return asked ? EXIT.ok : EXIT.usage;
}
