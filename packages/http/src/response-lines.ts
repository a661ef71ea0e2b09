// A body as lines of text, split in batches: no more is held than one chunk and one line.

import { enterCheckpoint } from "meanwhile/lowlevel";

import { badArgument, checkCount, checkFlag } from "./checks.ts";
import { type HttpError, type RequestLine, TooLargeError } from "./errors.ts";
import { LineSplitter, type LineSplitterOptions } from "./line-splitter.ts";
import type { ByteStream } from "./response-body.ts";
import { encodingOf } from "./response-bytes.ts";

/** Options of {@link ClientResponse.lines}. */
export interface LinesOptions {
  /** The longest line in bytes of UTF-8, its end included; `Infinity` for no limit but `maxBodyBytes`. Default: 65 536. */
  readonly maxLineBytes?: number | undefined;
  /** Whether a line is given with what ends it. Default: `false`. */
  readonly keepEnds?: boolean | undefined;
}

/** What a reader of text must know of its response. */
export interface TextSource {
  readonly request: RequestLine;
  readonly contentType: string | string[] | undefined;
  readonly bytes: ByteStream;
  /** Marks an error as one of this response. */
  failed<E extends HttpError>(error: E): E;
}

/** Checks the options. */
export function linesOptions(options: LinesOptions, request: RequestLine): LineSplitterOptions {
  if (typeof options !== "object" || options === null) throw badArgument(request, "options", options, "an object");
  const { maxLineBytes = 64 * 1024, keepEnds = false } = options;
  checkCount(request, "maxLineBytes", maxLineBytes, 1);
  checkFlag(request, "keepEnds", keepEnds);
  return { maxLineBytes, keepEnds };
}

/** Reads the lines one by one. */
export class LineReader implements AsyncIterableIterator<string, undefined> {
  readonly #source: TextSource;
  readonly #splitter: LineSplitter;
  // What has been split and not been given; nothing is read while there is something.
  #batch: ReadonlyArray<string> = [];
  #next = 0;
  #state: "open" | "ended" | "too long" = "open";
  #decoder: TextDecoder | null = null;
  #start: Buffer | null = Buffer.alloc(0);

  constructor(source: TextSource, options: LineSplitterOptions) {
    this.#source = source;
    this.#splitter = new LineSplitter(options);
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    try {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      if (this.#next === this.#batch.length && !(await this.#fill())) return { done: true, value: undefined };
    } catch (error) {
      await this.return(); // a loop calls it only if it is left, not if this throws
      throw error;
    }
    this.#next += 1;
    return { done: false, value: this.#batch[this.#next - 1] ?? "" };
  }

  async return(): Promise<IteratorResult<string, undefined>> {
    this.#batch = [];
    this.#next = 0;
    this.#state = "ended";
    await this.#source.bytes.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Reads on until there is a line. Returns false after the last. */
  async #fill(): Promise<boolean> {
    this.#batch = [];
    this.#next = 0;
    while (this.#batch.length === 0) {
      if (this.#state === "too long") throw this.#tooLong();
      if (this.#state === "ended") return false;
      const { done, value } = await this.#source.bytes.next();
      if (done === true) this.#state = "ended";
      this.#batch = this.#split(value);
    }
    return true;
  }

  /** The lines that a chunk completes, or that the end of the body does. */
  #split(chunk: Uint8Array | undefined): string[] {
    const bytes = this.#inUtf8(chunk);
    const lines = this.#splitter.push(bytes);
    if (chunk === undefined) lines.push(...this.#splitter.end());
    if (this.#splitter.isTooLong) this.#state = "too long";
    return lines;
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

  #tooLong(): HttpError {
    const what = `a line is longer than the ${this.#splitter.maxLineBytes} bytes of maxLineBytes; raise it if that is expected`;
    return this.#source.failed(new TooLargeError("MW_ERR_HTTP_LINE_TOO_LONG", this.#source.request, what));
  }
}

const EMPTY = Buffer.alloc(0);
