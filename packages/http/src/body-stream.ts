// A body on its way to the server, one for each sending.

import { shield } from "meanwhile";
import { captureContext } from "meanwhile/lowlevel";

import type { ByteSource } from "./byte-source.ts";
import { reportRejection } from "./callbacks.ts";
import { badArgument } from "./checks.ts";
import { BodyProblem, type RequestLine } from "./errors.ts";

/** How much of a body the connection has taken. */
export interface UploadProgress {
  /** Bytes of the body, as they go over the connection: of a compressed body, the compressed ones. */
  readonly sentBytes: number;
  /** All bytes of the body; undefined if only its end will tell. */
  readonly totalBytes: number | undefined;
}

/** What a {@link BodyStream} needs beside its source. */
export interface BodyStreamOptions {
  /** How many bytes were announced to the server; undefined for none. */
  readonly size: number | undefined;
  readonly request: RequestLine;
  readonly onProgress: ((progress: UploadProgress) => void) | undefined;
}

const CLOSE_MS = 1_000;

/**
 * It is pulled in the context of the caller, not of the connection, so that what waits in it belongs to the caller's
 * scope; and the connection never waits for it longer than for the answer.
 */
export class BodyStream implements AsyncIterable<Uint8Array> {
  /** Whether the connection waits for the next chunk. */
  isAwaited = false;
  /** Why there will be no more, and what was thrown. */
  failure: { readonly what: string; readonly error: unknown } | null = null;
  /** How many bytes were announced to the server; undefined for none. */
  readonly size: number | undefined;
  readonly #source: ByteSource;
  readonly #options: BodyStreamOptions;
  readonly #inContext: <R>(callback: () => R) => R = captureContext();
  #iterator: AsyncIterator<string | Uint8Array> | null = null;
  // Invariant: #reportedBytes <= #pulledBytes. The connection asks for a chunk when it has taken the one before.
  #pulledBytes = 0;
  #reportedBytes = 0;
  #done = false;
  #stop: (() => void) | null = null;
  #closing: Promise<unknown> | null = null;

  constructor(source: ByteSource, options: BodyStreamOptions) {
    this.#source = source;
    this.#options = options;
    this.size = options.size;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.stop();
        return { done: true, value: undefined };
      },
    };
  }

  /** The request is over: nothing more is pulled, and the iterable is told. */
  stop(): void {
    if (this.#done) return;
    this.#done = true;
    this.#stop?.();
    const iterator = this.#iterator;
    // It may be in the middle of a step; a generator then closes after that one.
    if (iterator !== null) this.#closing = this.#inContext(async () => iterator.return?.());
    this.#closing?.catch(() => {});
  }

  /** Waits until a stopped iterable has cleaned up, but not for ever. */
  async closed(): Promise<void> {
    const closing = this.#closing;
    if (closing === null) return;
    await shield(() => closing, { timeoutMs: CLOSE_MS }).catch(() => {});
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    // The code of the caller must not run in the middle of the client's.
    await Promise.resolve();
    if (this.#done) return { done: true, value: undefined };
    this.isAwaited = true;
    try {
      this.#report();
      const { done, value } = await this.#step();
      if (done === true) return this.#end();
      return { value: this.#counted(value) };
    } catch (error) {
      this.failure ??= { what: "its body could not be made", error };
      this.stop();
      throw error;
    } finally {
      this.isAwaited = false;
    }
  }

  #step(): Promise<IteratorResult<string | Uint8Array, unknown>> {
    return new Promise((resolve, reject) => {
      this.#stop = () => resolve({ done: true, value: undefined });
      this.#inContext(async () => {
        this.#iterator ??= this.#source.open()[Symbol.asyncIterator]();
        return this.#iterator.next();
      }).then(resolve, reject);
    });
  }

  #end(): IteratorResult<Uint8Array, undefined> {
    const wasStopped = this.#done;
    this.#done = true;
    if (!wasStopped && this.size !== undefined && this.#pulledBytes < this.size) throw this.#wrongSize();
    return { done: true, value: undefined };
  }

  #counted(chunk: unknown): Uint8Array {
    const bytes = this.#bytesOf(chunk);
    this.#pulledBytes += bytes.length;
    // What goes beyond the announced size would be the beginning of the next request.
    if (this.size !== undefined && this.#pulledBytes > this.size) throw this.#wrongSize();
    return bytes;
  }

  #bytesOf(chunk: unknown): Uint8Array {
    if (chunk instanceof Uint8Array) return chunk;
    if (typeof chunk === "string") return Buffer.from(chunk);
    throw badArgument(this.#options.request, "body", chunk, "an iterable that yields strings or Uint8Arrays");
  }

  #wrongSize(): Error {
    const found = this.#pulledBytes < (this.size ?? 0) ? "ended after" : "has at least";
    return new BodyProblem(
      `Cannot send the body: it ${found} ${this.#pulledBytes} bytes, and ${this.size} were announced`,
    );
  }

  #report(): void {
    const { onProgress } = this.#options;
    if (onProgress === undefined || this.#pulledBytes === this.#reportedBytes) return;
    this.#reportedBytes = this.#pulledBytes;
    const progress = { sentBytes: this.#pulledBytes, totalBytes: this.size };
    try {
      reportRejection(
        this.#inContext(() => onProgress(progress)),
        "onUploadProgress failed",
      );
    } catch (error) {
      this.failure = { what: "onUploadProgress failed", error };
      throw error;
    }
  }
}
