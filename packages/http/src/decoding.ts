// Undoes the content codings of a body, piece by piece, and only as fast as somebody reads.

import { PassThrough, type Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";

import { suspend, type Waiter, type WaitTarget } from "meanwhile/lowlevel";

import { HttpError, type RequestLine } from "./errors.ts";

/** What is asked for where bodies are unpacked. */
export const ACCEPT_ENCODING = "gzip, deflate, br, zstd";

/** More are never needed; each costs a decoder with its window. */
const MOST_CODINGS = 5;
/** RFC 9659: the window of a zstd body is at most 8 MiB. */
const ZSTD_WINDOW_LOG_MAX = 23;

/** The lower half of the first byte of every zlib body: the method is deflate. */
const ZLIB_METHOD = 8;

const DECODERS: ReadonlyMap<string, (firstByte: number) => Transform> = new Map<
  string,
  (firstByte: number) => Transform
>(
  Object.entries({
    gzip: () => createGunzip(),
    "x-gzip": () => createGunzip(),
    // Meant is the zlib format; some servers send the bare one, whose first byte gives it away.
    deflate: (firstByte: number) => ((firstByte & 0x0f) === ZLIB_METHOD ? createInflate() : createInflateRaw()),
    br: () => createBrotliDecompress(),
    zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } }),
  }),
);

/** The codings of a body, in the order in which they are undone. */
export function codingsOf(header: string | string[] | undefined, request: RequestLine): string[] {
  if (header === undefined) return [];
  const codings = (typeof header === "string" ? header : header.join(","))
    .split(",", 1_000)
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length > MOST_CODINGS) {
    throw encodingError(request, `the body has ${codings.length} content codings; ${MOST_CODINGS} are the most`);
  }
  const unknown = codings.find((coding) => !DECODERS.has(coding));
  if (unknown === undefined) return codings.toReversed();
  throw encodingError(
    request,
    "the body has a content coding that was not asked for; pass decompress: false to get it raw",
  );
}

/** The error for a body that cannot be unpacked. */
export function encodingError(request: RequestLine, what: string, options?: ErrorOptions): HttpError {
  return new HttpError("MW_ERR_HTTP_ENCODING", request, what, options);
}

const UNPACKING: WaitTarget = { describe: () => "the decompression of an HTTP body", foreign: true };

/** A chain of decoders that is fed and read by the same caller. */
export class Decoder {
  readonly #all: Transform[] = [];
  readonly #first: Transform;
  readonly #last: Transform;
  #hasEnded = false;
  #error: Error | null = null;
  #waiter: Waiter<void> | null = null;
  readonly #notify = (): void => {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.wake();
  };

  /** @param codings - at least one */
  constructor(codings: ReadonlyArray<string>, firstByte: number) {
    this.#first = this.#add(codings[0], firstByte);
    let last = this.#first;
    for (const coding of codings.slice(1)) {
      // Nobody has seen the first byte here: deflate is taken by its definition.
      const next = this.#add(coding, ZLIB_METHOD);
      this.#link(last, next);
      last = next;
    }
    this.#last = last;
    this.#last.on("readable", this.#notify).on("end", () => {
      this.#hasEnded = true;
      this.#notify();
    });
  }

  /** Whether it is at work on its input, so that output or an end of the work will come by itself. */
  get isBusy(): boolean {
    const { length } = this.#all;
    return this.#all.some(
      (one, index) => one.writableLength > 0 || one.writableEnded || (index < length - 1 && one.readableLength > 0),
    );
  }

  write(chunk: Buffer): void {
    this.#first.write(chunk, this.#notify);
  }

  /** No more input. */
  end(): void {
    this.#first.end();
  }

  /** What has been unpacked; undefined if nothing is there yet, null after the last. */
  read(): Buffer | null | undefined {
    if (this.#error !== null) throw this.#error;
    const chunk: Buffer | null = this.#last.read();
    if (chunk !== null) return chunk;
    return this.#hasEnded ? null : undefined;
  }

  /** Waits until there is something to read, or room to write. */
  wait(): Promise<void> {
    return suspend<void>((waiter) => {
      this.#waiter = waiter;
      return () => this.destroy();
    }, UNPACKING);
  }

  /** Drops everything. */
  destroy(): void {
    this.#waiter = null;
    for (const decoder of this.#all) decoder.destroy();
  }

  #add(coding: string | undefined, firstByte: number): Transform {
    const decoder = DECODERS.get(coding ?? "")?.(firstByte) ?? new PassThrough();
    decoder.on("error", (error) => this.#fail(error));
    this.#all.push(decoder);
    return decoder;
  }

  // Not pipe(): we must hear of it when a piece has gone through without leaving anything to read.
  #link(from: Transform, to: Transform): void {
    from.on("data", (chunk: Buffer) => {
      if (!to.write(chunk, this.#notify)) from.pause();
    });
    to.on("drain", () => from.resume());
    from.on("end", () => to.end());
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#notify();
  }
}
