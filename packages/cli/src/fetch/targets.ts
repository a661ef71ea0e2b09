// What to fetch: one target for every URL of the list, in order, or a line that is no URL.

import { type FileHandle, open } from "node:fs/promises";

import { isCancelled } from "meanwhile";

import { CommandError, EXIT, startError } from "../errors.ts";
import { unpacked } from "./gzip.ts";
import type { InputFormat } from "./io-options.ts";
import { parseJsonLine } from "./jsonl.ts";
import { type Line, readLines } from "./lines.ts";
import type { Source } from "./options.ts";
import { type BadLine, TargetMaker } from "./target-maker.ts";
import type { Target } from "./target.ts";

/** Small: the URLs of one piece live together, and what lives while garbage is collected makes the heap grow. */
const READ_BYTES = 16 * 1024;

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
    return streamSource(path, file.createReadStream({ highWaterMark: READ_BYTES }));
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

/** How lists are read. */
export interface ReadOptions {
  readonly format: InputFormat;
  /** No more than so many. */
  readonly maxUrls: number;
}

/**
 * Reads all sources one after another, as they come, in batches.
 *
 * Cancellation: ends the wait for more of the list.
 *
 * @throws {@link CommandError} with exit code 3 if a source cannot be read to its end
 */
export async function* readTargets(
  sources: readonly OpenSource[],
  { format, maxUrls }: ReadOptions,
): AsyncGenerator<Array<Target | BadLine>, void> {
  let index = 0;
  const maker = new TargetMaker();
  try {
    for (const source of sources) {
      for await (const lines of linesOf(source)) {
        const batch: Array<Target | BadLine> = [];
        for (const line of lines) {
          const text = line.text.trim();
          if (source.kind === "stream" && isBlank(text, format)) continue;
          index += 1;
          batch.push(
            line.isTooLong
              ? tooLong(index, text)
              : toItem(maker, { index, text, format: formatOf(source, text, format) }),
          );
          if (index >= maxUrls) break;
        }
        yield batch;
        if (index >= maxUrls) return;
      }
    }
  } finally {
    for (const source of sources) if (source.kind === "stream") source.close();
  }
}

// An empty argument is not blank but a variable that was not set: silence would look like success.
function isBlank(text: string, format: InputFormat): boolean {
  return text === "" || (text.startsWith("#") && format !== "jsonl");
}

function formatOf(source: OpenSource, text: string, format: InputFormat): "txt" | "jsonl" {
  if (source.kind === "argument") return "txt";
  if (format !== "auto") return format;
  return text.startsWith("{") ? "jsonl" : "txt";
}

async function* linesOf(source: OpenSource): AsyncGenerator<Line[], void> {
  if (source.kind === "argument") {
    yield [{ text: source.text, isTooLong: false }];
    return;
  }
  try {
    yield* readLines(unpacked(source.chunks));
  } catch (error) {
    if (isCancelled(error)) throw error;
    throw startError(`cannot read "${source.name}" to its end`, error);
  } finally {
    source.close();
  }
}

function tooLong(index: number, start: string): BadLine {
  return { index, text: `${start}…`, problem: "the line is longer than 64 KiB" };
}

function toItem(target: TargetMaker, { index, text, format }: Item): Target | BadLine {
  if (format === "txt") return target.make(index, text);
  const line = parseJsonLine(text);
  return line.problem === undefined
    ? target.make(index, line.url, line.request)
    : { index, text: line.url, problem: line.problem };
}

interface Item {
  readonly index: number;
  readonly text: string;
  readonly format: "txt" | "jsonl";
}
