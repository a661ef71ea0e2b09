// A body as server-sent events. The grammar is the parser's; here are its limits, and what an event means to its reader.

import { createParser, type EventSourceParser, type ParseError } from "eventsource-parser";

import { badArgument, checkCount, checkFlag } from "./checks.ts";
import { mediaTypeOf } from "./content-type.ts";
import { HttpError, type RequestLine, TooLargeError } from "./errors.ts";
import { SplitBody, type Splitting, type TextSource } from "./split-body.ts";

/** Options of {@link ClientResponse.sse}. */
export interface EventStreamOptions {
  /** The largest event, in bytes of its data; `Infinity` for no limit but `maxBodyBytes`. Default: 1 MiB. */
  readonly maxEventBytes?: number | undefined;
  /** Whether another `Content-Type` than `text/event-stream` is read as one too. Default: `false`. */
  readonly anyContentType?: boolean | undefined;
}

/**
 * One event of a stream.
 *
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html}
 */
export interface ServerSentEvent {
  /** Its name; `message` if the server gave none. */
  readonly event: string;
  /** Its lines, joined with newlines. */
  readonly data: string;
  /** The last id the server has given, with this event or before; empty if none. */
  readonly id: string;
  /** How long the server last asked to wait before a reconnection, in milliseconds; undefined if it did not. */
  readonly retryMs: number | undefined;
}

/** Checked options. */
export interface SettledEventStream {
  readonly maxEventBytes: number;
  readonly anyContentType: boolean;
}

const TYPE = "text/event-stream";

/** Checks the options. */
export function eventStreamOptions(options: EventStreamOptions, request: RequestLine): SettledEventStream {
  if (typeof options !== "object" || options === null) throw badArgument(request, "options", options, "an object");
  const { maxEventBytes = 1024 * 1024, anyContentType = false } = options;
  checkCount(request, "maxEventBytes", maxEventBytes, 1);
  checkFlag(request, "anyContentType", anyContentType);
  return { maxEventBytes, anyContentType };
}

/** The error for a response that is no stream of events; undefined if it is one. */
export function notAnEventStream(contentType: TextSource["contentType"], request: RequestLine): HttpError | undefined {
  if (mediaTypeOf(contentType) === TYPE) return undefined;
  const what = `the Content-Type of the answer is not ${TYPE}; pass anyContentType: true to read it all the same`;
  return new HttpError("MW_ERR_HTTP_CONTENT_TYPE", request, what);
}

/** Reads the events, and what else a stream says. */
export class EventReader {
  /** The last id given and how long to wait, as of what has been read. */
  lastEventId: string;
  retryMs: number | undefined;
  /** One by one. */
  readonly events: AsyncIterableIterator<ServerSentEvent, undefined>;
  readonly #parser: EventSourceParser;
  // Always UTF-8, says the standard. The parser removes the byte order mark.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #maxEventBytes: number;
  #parsed: ServerSentEvent[] = [];
  #isTooLarge = false;

  constructor(source: TextSource, maxEventBytes: number, lastEventId = "") {
    this.lastEventId = lastEventId;
    this.#maxEventBytes = maxEventBytes;
    this.events = new SplitBody(source, this.#splitting(source.request));
    this.#parser = createParser({
      // In characters, of which none is shorter than a byte; the exact count is below.
      maxBufferSize: maxEventBytes === Infinity ? undefined : maxEventBytes + "data: ".length,
      onEvent: ({ event, data }) => this.#add(event, data),
      onId: (id) => {
        this.lastEventId = id;
      },
      onRetry: (ms) => {
        this.retryMs = ms;
      },
      onError: ({ type }: ParseError) => {
        if (type === "max-buffer-size-exceeded") this.#isTooLarge = true;
      },
    });
  }

  #splitting(request: RequestLine): Splitting<ServerSentEvent> {
    const what = `an event has more than the ${this.#maxEventBytes} bytes of maxEventBytes; raise it if that is expected`;
    return {
      split: (chunk) => this.#parse(chunk),
      problem: () => (this.#isTooLarge ? new TooLargeError("MW_ERR_HTTP_EVENT_TOO_LARGE", request, what) : null),
    };
  }

  #parse(chunk: Uint8Array | undefined): ServerSentEvent[] {
    this.#parsed = [];
    // An event without the empty line at its end is none: the end of the body completes nothing.
    if (chunk !== undefined) this.#parser.feed(this.#decoder.decode(chunk, { stream: true }));
    return this.#parsed;
  }

  #add(event = "message", data: string): void {
    if (this.#isTooLarge) return;
    if (data.length * 3 > this.#maxEventBytes && Buffer.byteLength(data) > this.#maxEventBytes) {
      this.#isTooLarge = true;
      return;
    }
    this.#parsed.push({ event, data, id: this.lastEventId, retryMs: this.retryMs });
  }
}
