// An answer on its way to its reader, of which the cache keeps a copy: of no more bytes than an entry may have, and only
// if it was read to its end.

import type { Answer } from "./answer.ts";
import { HttpError } from "./errors.ts";
import type { RawHeaders } from "./exchange-plan.ts";

/** What becomes of an answer that goes by. */
export interface Recording {
  readonly headers: RawHeaders;
  readonly maxBytes: number;
  /** Called with the whole body; null if it is not to be kept. */
  readonly keep: ((body: Uint8Array) => Promise<void>) | null;
}

export class RecordedAnswer implements Answer {
  readonly plan: Answer["plan"];
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
  /** Whether the cache has it now. */
  isKept = false;
  readonly #answer: Answer;
  readonly #recording: Recording;
  // What was read; null when nothing is to be kept, or no more.
  #copy: Buffer[] | null;
  #length = 0;
  // What was read ahead, and nobody has yet.
  readonly #ahead: Buffer[] = [];

  constructor(answer: Answer, recording: Recording) {
    this.plan = answer.plan;
    this.status = answer.status;
    this.statusText = answer.statusText;
    this.headers = recording.headers;
    this.#answer = answer;
    this.#recording = recording;
    this.#copy = recording.keep === null ? null : [];
  }

  get bytesReceived(): number {
    return this.#answer.bytesReceived;
  }

  get peer(): string | null | undefined {
    return this.#answer.peer;
  }

  get trailers(): RawHeaders {
    return this.#answer.trailers;
  }

  get isOver(): boolean {
    return this.#answer.isOver && this.#ahead.length === 0;
  }

  get isComplete(): boolean {
    return this.#answer.isComplete && this.#copy === null && this.#ahead.length === 0;
  }

  /** Reads what an entry may have: what has come already, and the rest as long as `isAwaited` says that others wait for it. */
  async readAhead(isAwaited: () => boolean): Promise<void> {
    try {
      while (this.#copy !== null) {
        const chunk = this.#take() ?? (this.#answer.isComplete || isAwaited() ? await this.#next() : undefined);
        if (chunk === undefined) return;
        if (chunk !== null) this.#ahead.push(chunk);
      }
    } catch (error) {
      // The reader will come to the same error, after the bytes before it.
      if (!(error instanceof HttpError)) throw error;
    }
  }

  async read(): Promise<Buffer | null> {
    return this.#ahead.shift() ?? this.#next();
  }

  take(): Buffer | undefined {
    return this.#ahead.shift() ?? this.#take();
  }

  forgetTotal(): void {
    this.#answer.forgetTotal();
  }

  abort(): void {
    this.#copy = null;
    this.#ahead.length = 0;
    this.#answer.abort();
  }

  async #next(): Promise<Buffer | null> {
    const chunk = await this.#answer.read();
    if (chunk === null) await this.#finish();
    else this.#record(chunk);
    return chunk;
  }

  #take(): Buffer | undefined {
    const chunk = this.#answer.take();
    if (chunk !== undefined) this.#record(chunk);
    return chunk;
  }

  #record(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length > this.#recording.maxBytes) this.#copy = null;
    // Copied: who reads it may write into it.
    this.#copy?.push(Buffer.from(chunk));
  }

  async #finish(): Promise<void> {
    const copy = this.#copy;
    this.#copy = null;
    if (copy === null) return;
    await this.#recording.keep?.(Buffer.concat(copy));
    this.isKept = true;
  }
}
