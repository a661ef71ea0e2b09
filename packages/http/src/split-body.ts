// A body as a sequence of what its bytes are split into: batches come in, values go out one by one.

import { enterCheckpoint } from "meanwhile/lowlevel";

import type { HttpError, RequestLine } from "./errors.ts";
import type { ByteStream } from "./response-body.ts";

/** What a reader of text must know of its response. */
export interface TextSource {
  readonly request: RequestLine;
  readonly contentType: string | string[] | undefined;
  readonly bytes: ByteStream;
  /** Marks an error as one of this response. */
  failed<E extends HttpError>(error: E): E;
}

/** What makes values of bytes. */
export interface Splitting<T> {
  /** The values that a chunk completes; without one, those that the end of the body does. */
  split(chunk: Uint8Array | undefined): ReadonlyArray<T>;
  /** Why nothing comes after what was split so far; null if that is not so. */
  problem(): HttpError | null;
}

/** Gives the values of a body one by one, also those before a problem. Holds no more than one chunk makes. */
export class SplitBody<T extends string | object> implements AsyncIterableIterator<T, undefined> {
  readonly #source: TextSource;
  readonly #splitting: Splitting<T>;
  // What has been split and not been given; nothing is read while there is something.
  #batch: ReadonlyArray<T> = [];
  #next = 0;
  // "read": the last chunk has come.
  #state: "open" | "read" | "over" = "open";

  constructor(source: TextSource, splitting: Splitting<T>) {
    this.#source = source;
    this.#splitting = splitting;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    try {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      while (this.#next === this.#batch.length && this.#state !== "over") await this.#fill();
    } catch (error) {
      await this.return(); // a loop calls it only if it is left, not if this throws
      throw error;
    }
    const value = this.#batch[this.#next];
    if (value === undefined) return { done: true, value };
    this.#next += 1;
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#give([], "over");
    await this.#source.bytes.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #fill(): Promise<void> {
    const problem = this.#splitting.problem();
    if (problem !== null) throw this.#source.failed(problem);
    if (this.#state === "read") return this.#give([], "over");
    const { done, value } = await this.#source.bytes.next();
    this.#give(this.#splitting.split(value), done === true ? "read" : "open");
  }

  #give(batch: ReadonlyArray<T>, state: "open" | "read" | "over"): void {
    this.#batch = batch;
    this.#next = 0;
    this.#state = state;
  }
}
