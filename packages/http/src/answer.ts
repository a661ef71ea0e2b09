// The head and the body of an answer, wherever they come from: a connection, a cache, a test.

import type { ExchangePlan, RawHeaders } from "./exchange-plan.ts";
import { responseClosed } from "./failures.ts";

/** What a response reads from. */
export interface Answer {
  readonly plan: Pick<ExchangePlan, "request" | "settled">;
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
  readonly bytesReceived: number;
  /** The address it comes from; null if that is a proxy's, undefined if it comes over no connection, or none with an address. */
  readonly peer?: string | null | undefined;
  /** Header fields that came after the body; known when all of it has come. */
  readonly trailers: RawHeaders;
  /** Whether nothing more will come, for whatever reason. */
  readonly isOver: boolean;
  /** Whether the last byte has come. */
  readonly isComplete: boolean;
  /** The next bytes of the body; null after the last. A caller that is cancelled leaves nothing open. */
  read(): Promise<Buffer | null>;
  /** What {@link read} would give without waiting; undefined if there is nothing. */
  take(): Buffer | undefined;
  /** The answer is read as a stream from here on: it may take its time. */
  forgetTotal(): void;
  /** Gives up what was not read. */
  abort(): void;
}

/** An answer that is made here. */
export interface MadeAnswerOptions {
  readonly status: number;
  readonly statusText: string;
  /** Lower-case names. */
  readonly headers: RawHeaders;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** An answer that comes over no connection. */
export class MadeAnswer implements Answer {
  readonly plan: Answer["plan"];
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
  readonly trailers: RawHeaders = {};
  bytesReceived = 0;
  #state: "open" | "ended" | "aborted" = "open";
  #rest: Buffer | null = null;
  readonly #source: AsyncIterator<Uint8Array> | null;

  constructor(plan: Answer["plan"], { status, statusText, headers, body }: MadeAnswerOptions) {
    this.plan = plan;
    this.status = status;
    this.statusText = statusText;
    this.headers = headers;
    const isWhole = body instanceof Uint8Array;
    if (isWhole) this.#rest = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.#source = isWhole ? null : body[Symbol.asyncIterator]();
  }

  get isOver(): boolean {
    return this.#state !== "open";
  }

  get isComplete(): boolean {
    return this.#state === "ended";
  }

  async read(): Promise<Buffer | null> {
    const chunk = this.take();
    if (chunk !== undefined) return chunk;
    if (this.#state === "aborted") throw responseClosed(this.plan.request);
    if (this.#source === null || this.#state === "ended") return null;
    const { done, value } = await this.#source.next();
    if (done === true) {
      this.#state = "ended";
      return null;
    }
    this.bytesReceived += value.length;
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  take(): Buffer | undefined {
    if (this.#state !== "open" || this.#source !== null) return undefined;
    const chunk = this.#rest;
    this.#rest = null;
    this.#state = "ended";
    if (chunk === null || chunk.length === 0) return undefined;
    this.bytesReceived += chunk.length;
    return chunk;
  }

  forgetTotal(): void {}

  abort(): void {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    this.#rest = null;
    // Told, not waited for: it may be in the middle of a step.
    this.#source?.return?.().catch(() => {});
  }
}
