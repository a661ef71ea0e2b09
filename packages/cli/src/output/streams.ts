// The two ways out of a command. Data goes to stdout, everything for people to stderr.

import { styleText } from "node:util";

import { EXIT } from "../errors.ts";

type Style = Parameters<typeof styleText>[0];

/** Writes to stdout. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Writes to stderr. */
export function printError(text: string): void {
  process.stderr.write(text);
}

/** Colours text if it goes to a terminal that wants colours (NO_COLOR, FORCE_COLOR). */
export function style(format: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(format, text, { stream });
}

/**
 * Lets a reader that goes away (`| head -1`) end the writing quietly: the error of a broken pipe, which otherwise ends
 * the process with a stack, is dropped. Who writes data finds out by the error of its own write.
 */
export function ignoreBrokenPipes(): void {
  process.stderr.on("error", () => {}); // what is for people may be lost
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && !process.exitCode) process.exitCode = EXIT.notStarted;
  });
}
