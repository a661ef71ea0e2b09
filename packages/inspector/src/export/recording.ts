// Reads a recording into a history, and writes what is exported so that nobody else can read it.

import { createReadStream } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { type Hello, parseMessage } from "meanwhile/diagnostics";

import { RunHistory } from "../timeline/run-history.ts";
import { checkRecording } from "../viewer/file-source.ts";

/** What a recording tells. */
export interface ReadRun {
  /** The program that was recorded. */
  readonly hello: Hello | null;
  /** What happened in it. */
  readonly history: RunHistory;
}

/**
 * Reads a recording, line by line.
 *
 * Cancellation: loses what was read. The file is only read.
 *
 * @throws {@link InspectorError} `MW_ERR_INSPECTOR_NOT_A_RECORDING` if the file is none
 */
export async function readRecording(path: string): Promise<ReadRun> {
  await checkRecording(path);
  const history = new RunHistory();
  let hello: Hello | null = null;
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  for await (const line of lines) {
    const message = parseMessage(line);
    if (message?.type === "hello") hello = message;
    else if (message !== null) history.apply(message);
  }
  return { hello, history };
}

/**
 * Writes a file that only its owner can read: names of tasks may tell what is nobody's business.
 *
 * Cancellation: loses the rest of the file.
 */
export async function writePrivately(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  // It may have been there, for everybody to read.
  await chmod(path, 0o600);
}
