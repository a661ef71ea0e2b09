// A body as lines of text, split in batches: no more is held than one chunk and one line.

import { badArgument, checkCount, checkFlag } from "./checks.ts";
import { type HttpError, type RequestLine, TooLargeError } from "./errors.ts";
import { LineSplitter, type LineSplitterOptions } from "./line-splitter.ts";
import { encodingOf } from "./response-bytes.ts";
import type { Splitting, TextSource } from "./split-body.ts";

/** Options of {@link ClientResponse.lines}. */
export interface LinesOptions {
  /** The longest line in bytes of UTF-8, its end included; `Infinity` for no limit but `maxBodyBytes`. Default: 65 536. */
  readonly maxLineBytes?: number | undefined;
  /** Whether a line is given with what ends it. Default: `false`. */
  readonly keepEnds?: boolean | undefined;
}

/** Checks the options. */
export function linesOptions(options: LinesOptions, request: RequestLine): LineSplitterOptions {
  if (typeof options !== "object" || options === null) throw badArgument(request, "options", options, "an object");
  const { maxLineBytes = 64 * 1024, keepEnds = false } = options;
  checkCount(request, "maxLineBytes", maxLineBytes, 1);
  checkFlag(request, "keepEnds", keepEnds);
  return { maxLineBytes, keepEnds };
}

/** Splits a body into lines. */
export class LineSplitting implements Splitting<string> {
  readonly #source: TextSource;
  readonly #splitter: LineSplitter;
  #decoder: TextDecoder | null = null;
  #start: Buffer | null = Buffer.alloc(0);

  constructor(source: TextSource, options: LineSplitterOptions) {
    this.#source = source;
    this.#splitter = new LineSplitter(options);
  }

  split(chunk: Uint8Array | undefined): string[] {
    const lines = this.#splitter.push(this.#inUtf8(chunk));
    if (chunk === undefined) lines.push(...this.#splitter.end());
    return lines;
  }

  problem(): HttpError | null {
    const { isTooLong, maxLineBytes } = this.#splitter;
    if (!isTooLong) return null;
    const what = `a line is longer than the ${maxLineBytes} bytes of maxLineBytes; raise it if that is expected`;
    return new TooLargeError("MW_ERR_HTTP_LINE_TOO_LONG", this.#source.request, what);
  }

  /** Whatever the charset: in UTF-8 the newline is a byte of its own. */
  #inUtf8(chunk: Uint8Array | undefined): Buffer {
    let bytes = chunk === undefined ? EMPTY : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#start !== null) {
      // As much as a byte order mark needs.
      bytes = Buffer.concat([this.#start, bytes]);
      if (bytes.length < 3 && chunk !== undefined) {
        this.#start = bytes;
        return EMPTY;
      }
      this.#start = null;
      const encoding = encodingOf(this.#source.contentType, bytes);
      if (encoding !== "utf-8") this.#decoder = new TextDecoder(encoding);
      else if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3);
    }
    if (this.#decoder === null) return bytes;
    return Buffer.from(this.#decoder.decode(bytes, { stream: chunk !== undefined }));
  }
}

const EMPTY = Buffer.alloc(0);
