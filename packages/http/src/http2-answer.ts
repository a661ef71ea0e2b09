// What comes back over one stream of HTTP/2, told to its exchange as undici tells it of HTTP/1.1.

import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";

import type { Dispatcher } from "undici";

import type { Exchange } from "./exchange.ts";
import { headersTooLarge } from "./failures.ts";
import { answerFields, type HeaderLimits, isFlood, statusOf } from "./http2-fields.ts";

/** Why a stream has ended without a whole answer. */
export type StreamFailure = (stream: ClientHttp2Stream, error: Error | null) => Error;

/** Makes the exchange see what a stream brings. */
export class Http2Answer implements Dispatcher.DispatchController {
  // Null until it is open.
  #stream: ClientHttp2Stream | null = null;
  readonly #exchange: Exchange;
  readonly #limits: HeaderLimits;
  readonly #failure: StreamFailure;
  // Whether the server has said that its answer ends here.
  #isWhole = false;
  #rawTrailers: readonly string[] = [];
  // The limits are looked at here, not by the exchange.
  readonly rawHeaders = null;
  readonly rawTrailers = null;
  aborted = false;
  reason: Error | null = null;

  constructor(exchange: Exchange, limits: HeaderLimits, failure: StreamFailure) {
    this.#exchange = exchange;
    this.#limits = limits;
    this.#failure = failure;
  }

  /** The stream is open. */
  attach(stream: ClientHttp2Stream): void {
    const exchange = this.#exchange;
    let failure: Error | null = null;
    this.#stream = stream;
    this.#watchEnd(stream);
    const onHead = (headers: IncomingHttpHeaders, _flags: number, raw: string[]): void => this.#head(headers, raw);
    stream.on("headers", onHead);
    stream.on("response", onHead);
    stream.on("trailers", (_headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      this.#rawTrailers = raw;
    });
    stream.on("data", (chunk: Buffer) => {
      if (!exchange.isOver) exchange.onResponseData(this, chunk);
    });
    stream.on("end", () => this.#end());
    stream.on("error", (error) => {
      failure = error;
    });
    stream.on("close", () => {
      if (!exchange.isOver) exchange.onResponseError(this, this.#failure(stream, failure));
    });
  }

  get paused(): boolean {
    return this.#stream?.isPaused() === true;
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
    if (this.#stream !== null) cancelStream(this.#stream);
  }

  /** Also a reset ends a stream of Node, with the same event as the last byte: only that one comes before the stream is closed. */
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.#isWhole = true;
      return push(chunk, encoding);
    };
  }

  #head(headers: IncomingHttpHeaders, raw: readonly string[]): void {
    const exchange = this.#exchange;
    if (exchange.isOver) return;
    exchange.onResponseStarted();
    if (isFlood(raw, this.#limits)) return this.#refuse();
    exchange.onResponseStart(this, statusOf(headers), answerFields(raw));
  }

  #end(): void {
    const exchange = this.#exchange;
    if (!this.#isWhole || exchange.isOver) return;
    // The end of an answer that never began.
    if (exchange.status === 0) return;
    if (isFlood(this.#rawTrailers, this.#limits)) return this.#refuse();
    exchange.onResponseEnd(this, answerFields(this.#rawTrailers));
  }

  #refuse(): void {
    this.#exchange.fail(() => headersTooLarge(this.#exchange.plan.request));
  }
}

const CANCEL = 8;

/** Ends a stream in whatever state it is, and nothing else of its connection. */
export function cancelStream(stream: ClientHttp2Stream): void {
  // Its errors are nobody's any more.
  if (!stream.closed) stream.close(CANCEL);
  // Closing alone waits for what may be in its buffers.
  if (!stream.destroyed) stream.destroy();
}
