// What to fetch: one target for every URL of the list, in order, or a line that is no URL.

import { type FileHandle, open } from "node:fs/promises";

import { CommandError, EXIT, startError } from "../errors.ts";
import { type Line, readLines } from "./lines.ts";
import type { Source } from "./options.ts";
import { Target } from "./target.ts";

/** A line that cannot be fetched; it still gets a record. */
export interface BadLine {
  readonly index: number;
  readonly text: string;
  readonly problem: string;
}

/** A source that is open. */
export type OpenSource =
  | { readonly kind: "argument"; readonly text: string }
  | { readonly kind: "stream"; readonly name: string; readonly chunks: AsyncIterable<Uint8Array>; close(): void };

/**
 * Opens all sources before anything is fetched: a list that cannot be read must not be found out half way.
 *
 * Cancellation: not noticed; opening does not wait for anything remote.
 *
 * @throws {@link CommandError} with exit code 3 if one cannot be opened
 */
export async function openSources(sources: readonly Source[]): Promise<OpenSource[]> {
  const opened: OpenSource[] = [];
  for (const source of sources) {
    if (source.kind === "argument") opened.push(source);
    else if (source.kind === "stdin") opened.push(streamSource("stdin", process.stdin));
    else opened.push(await openFile(source.path));
  }
  return opened;
}

async function openFile(path: string): Promise<OpenSource> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    if ((await file.stat()).isDirectory()) throw new CommandError(EXIT.notStarted, "it is a directory");
    return streamSource(path, file.createReadStream({ highWaterMark: 64 * 1024 }));
  } catch (error) {
    await file?.close();
    throw startError(`cannot read "${path}"`, error);
  }
}

function streamSource(name: string, stream: NodeJS.ReadableStream & { destroy(): unknown }): OpenSource {
  const chunks = (async function* () {
    for await (const chunk of stream) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  })();
  return { kind: "stream", name, chunks, close: () => void stream.destroy() };
}

/**
 * Reads all sources one after another, as they come, in batches.
 *
 * Cancellation: ends the wait for more of the list.
 *
 * @throws {@link CommandError} with exit code 3 if a source cannot be read to its end
 */
export async function* readTargets(sources: readonly OpenSource[]): AsyncGenerator<Array<Target | BadLine>, void> {
  let index = 0;
  for (const source of sources) {
    for await (const lines of linesOf(source)) {
      const batch: Array<Target | BadLine> = [];
      for (const line of lines) {
        const text = line.text.trim();
        // An empty argument is a variable that was not set: silence would look like success.
        if (source.kind === "stream" && (text === "" || text.startsWith("#"))) continue;
        index += 1;
        batch.push(line.isTooLong ? tooLong(index, text) : toTarget(index, text));
      }
      yield batch;
    }
  }
}

async function* linesOf(source: OpenSource): AsyncGenerator<Line[], void> {
  if (source.kind === "argument") {
    yield [{ text: source.text, isTooLong: false }];
    return;
  }
  try {
    yield* readLines(source.chunks);
  } finally {
    source.close();
  }
}

function tooLong(index: number, start: string): BadLine {
  return { index, text: `${start}…`, problem: "the line is longer than 64 KiB" };
}

function toTarget(index: number, text: string): Target | BadLine {
  const url = URL.parse(text);
  if (url === null) {
    const guess = URL.canParse(`http://${text}`) ? "; it needs http:// or https:// in front" : "";
    return { index, text, problem: `this is no URL${guess}` };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { index, text, problem: `only http: and https: can be fetched, not ${url.protocol}` };
  }
  return new Target(index, text, url.origin);
}
