// One request on its way over HTTP/2: it waits for a connection with room, and is a stream of it from then on.
//
//   new ──start──▶ waiting ──▶ open ──▶ over      (final)
//                     └── the server speaks HTTP/1.1: another carrier takes over ──▶ over

import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";

import type { Dispatcher } from "undici";

import { BodyStream } from "./body-stream.ts";
import type { Carrier } from "./carrier.ts";
import { hungUp } from "./dial-failure.ts";
import type { Exchange } from "./exchange.ts";
import { codeOf } from "./failures.ts";
import { cancelStream, Http2Answer } from "./http2-answer.ts";
import { type HeaderLimits, requestFields } from "./http2-fields.ts";
import type { Http2Line } from "./http2-line.ts";
import type { Http2Lines } from "./http2-lines.ts";
import { upload } from "./http2-upload.ts";
import type { Host } from "./pool.ts";
import type { SentPayload } from "./request-body.ts";

/** What a carrier is made for. */
export interface StreamOptions extends HeaderLimits {
  /** Whether nobody else may use its connection, before or after. */
  readonly isAlone: boolean;
}

export class StreamCarrier implements Carrier {
  readonly host: Host;
  readonly socket = null;
  readonly options: StreamOptions;
  exchange: Exchange | null = null;
  isUsed = false;
  isRefused = false;
  readonly #lines: Http2Lines;
  #dispatch: Dispatcher.DispatchOptions | null = null;
  #line: Http2Line | null = null;
  #stream: ClientHttp2Stream | null = null;
  #fields: OutgoingHttpHeaders = {};
  // The pool takes the exchange away first.
  #owner: Exchange | null = null;

  constructor(host: Host, lines: Http2Lines, options: StreamOptions) {
    this.host = host;
    this.#lines = lines;
    this.options = options;
    this.isUsed = !options.isAlone && lines.hasUsed;
  }

  get remoteAddress(): string | undefined {
    return this.#line?.socket.remoteAddress;
  }

  /** What is to be sent; null before the start. */
  get dispatch(): Dispatcher.DispatchOptions | null {
    return this.#dispatch;
  }

  start(exchange: Exchange, options: Dispatcher.DispatchOptions): void {
    this.exchange = exchange;
    this.#owner = exchange;
    try {
      this.#fields = this.#fieldsFor(options, exchange.plan.payload);
    } catch (error) {
      return exchange.onResponseError(null, error instanceof Error ? error : hungUp());
    }
    this.#dispatch = options;
    this.#lines.take(this);
  }

  /** Sends over this connection. False if it takes nothing more. */
  run(line: Http2Line): boolean {
    const { exchange } = this;
    if (exchange === null || line.room === 0) return exchange === null;
    const answer = new Http2Answer(exchange, this.options, (stream, error) => this.#failure(stream, line, error));
    this.isUsed = line.isUsed;
    exchange.onRequestStart(answer);
    try {
      const stream = line.open(this.#fields, hasContent(exchange.plan.payload.content));
      this.#line = line;
      this.#stream = stream;
      answer.attach(stream);
      this.#send(stream, exchange);
    } catch (error) {
      // Nothing was sent.
      this.isRefused = true;
      exchange.onResponseError(null, error instanceof Error ? error : hungUp());
    }
    return true;
  }

  /** The answer is complete: what is left of the request is not wanted any more. */
  release(): boolean {
    if (this.#line !== null) this.#line.isUsed = true;
    this.#end();
    return false;
  }

  destroy(whenClosed?: () => void): void {
    const line = this.#line;
    const isSilent = this.#owner?.isAnswered === false && this.#stream?.closed === false;
    this.#lines.leave(this);
    this.#end();
    if (isSilent) line?.doubt();
    whenClosed?.();
  }

  #send(stream: ClientHttp2Stream, exchange: Exchange): void {
    const { content } = exchange.plan.payload;
    if (content === null || !hasContent(content) || exchange.isOver) return;
    if (!(content instanceof BodyStream)) {
      stream.end(content, () => exchange.onBodySent());
      return;
    }
    upload(stream, content, {
      onBodySent: () => exchange.onBodySent(),
      failed: (error) => {
        if (!exchange.isOver) exchange.onResponseError(null, error);
      },
    });
  }

  #fieldsFor({ method, path, headers }: Dispatcher.DispatchOptions, { content }: SentPayload): OutgoingHttpHeaders {
    // Flat, as the courier makes them.
    const flat: string[] = Array.isArray(headers) ? headers : [];
    const fields = requestFields(flat, { method, path, authority: this.host.origin.slice(SCHEME.length) });
    const size = content === null ? 0 : sizeOf(content);
    const announced = fields["content-length"];
    if (announced !== undefined && size !== undefined && Number(announced) !== size) throw new WrongLength();
    if (size !== undefined && (size > 0 || WITH_BODY.has(method))) fields["content-length"] = String(size);
    else if (size === 0) delete fields["content-length"];
    return fields;
  }

  #failure(stream: ClientHttp2Stream, line: Http2Line, error: Error | null): Error {
    this.isRefused = line.hasRefused(stream);
    // What ends the connection ends its streams with the same error.
    if (error !== null && codeOf(error) !== "ERR_HTTP2_STREAM_ERROR") return error;
    return line.error ?? new StreamReset(stream.rstCode);
  }

  #end(): void {
    const [stream, line] = [this.#stream, this.#line];
    this.exchange = null;
    this.#owner = null;
    this.#stream = null;
    this.#line = null;
    if (stream !== null && !(stream.readableEnded && stream.writableFinished)) cancelStream(stream);
    if (stream !== null) line?.leave(stream);
    if (this.options.isAlone) line?.destroy();
  }
}

function hasContent(content: string | Uint8Array | BodyStream | null): boolean {
  return content instanceof BodyStream || (content !== null && content.length > 0);
}

const SCHEME = "https://";
/** Methods whose requests say that they have no body. */
const WITH_BODY = new Set(["PUT", "POST", "PATCH"]);

/** Undefined if only the end will tell, or if it was announced and is checked on the way. */
function sizeOf(content: string | Uint8Array | BodyStream): number | undefined {
  return content instanceof BodyStream ? undefined : Buffer.byteLength(content);
}

/** The same as undici has for HTTP/1.1. */
class WrongLength extends Error {
  readonly code = "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH";

  constructor() {
    super("Request body length does not match content-length header");
  }
}

/** The stream ended before the answer was complete. Its code is the name of what the server, or Node, gave as a reason. */
class StreamReset extends Error {
  readonly code: string;

  constructor(rstCode = 0) {
    const code = NAMES[rstCode] ?? `NGHTTP2_${rstCode}`;
    super(`The stream was closed: ${code}`);
    this.code = code;
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9113#section-7} */
const NAMES = [
  "NGHTTP2_NO_ERROR",
  "NGHTTP2_PROTOCOL_ERROR",
  "NGHTTP2_INTERNAL_ERROR",
  "NGHTTP2_FLOW_CONTROL_ERROR",
  "NGHTTP2_SETTINGS_TIMEOUT",
  "NGHTTP2_STREAM_CLOSED",
  "NGHTTP2_FRAME_SIZE_ERROR",
  "NGHTTP2_REFUSED_STREAM",
  "NGHTTP2_CANCEL",
  "NGHTTP2_COMPRESSION_ERROR",
  "NGHTTP2_CONNECT_ERROR",
  "NGHTTP2_ENHANCE_YOUR_CALM",
  "NGHTTP2_INADEQUATE_SECURITY",
  "NGHTTP2_HTTP_1_1_REQUIRED",
];
