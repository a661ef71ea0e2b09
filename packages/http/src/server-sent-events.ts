// Events of a server for as long as it has any: comes back after a broken connection, where it broke off.

import { type Backoff, exponential, sleep } from "meanwhile";

import { reportRejection } from "./callbacks.ts";
import { badArgument, checkCount } from "./checks.ts";
import { HttpError, type HttpErrorCode, type RequestLine, StatusError } from "./errors.ts";
import { type EventReader, type EventStreamOptions, eventStreamOptions, type ServerSentEvent } from "./event-stream.ts";
import { type HeaderPair, headerPairs, type OwnFields } from "./header-pairs.ts";
import type { RequestOptions } from "./options.ts";
import type { ClientResponse } from "./response.ts";
import type { ClientSession } from "./session.ts";

/** Options of {@link serverSentEvents}: those of a GET request, and when to come back. */
export interface ServerSentEventsOptions
  extends
    Omit<RequestOptions, "body" | "form" | "json" | "maxBodyBytes" | "raiseForStatus" | "retry">,
    EventStreamOptions {
  /** The id of the last event of an earlier reader, to go on behind it. Default: none. */
  readonly lastEventId?: string | undefined;
  /**
   * How long to wait before coming back; it is told how many connections in a row have brought no event, and the last error
   * or undefined. What the server asks for with `retry:` or `Retry-After` is a floor, up to 10 minutes; a server that has
   * brought events is come back to as its `retry:` says, after 10 ms at least.
   * Default: `exponential({ baseMs: 1_000, maxMs: 30_000, jitter: "equal" })`.
   */
  readonly backoff?: Backoff | undefined;
  /** After how many connections in a row without an event to give up. Default: `Infinity`. */
  readonly attempts?: number | undefined;
  /** Called before each wait. What it throws ends the events; what an async one rejects with is only reported. */
  readonly onReconnect?: ((event: ReconnectEvent) => void) | undefined;
}

/** A connection has ended, and there will be another one. */
export interface ReconnectEvent {
  /** Why it ended; undefined if the server ended it properly. */
  readonly error: HttpError | undefined;
  /** How many connections in a row have brought no event. */
  readonly failures: number;
  /** How long the wait before it will be. */
  readonly delayMs: number;
  /** Where the next one goes on; empty if the server gives no ids. */
  readonly lastEventId: string;
}

const OWN_FIELDS: OwnFields = {
  defaults: { accept: "text/event-stream", "cache-control": "no-store" },
  reserved: ["last-event-id"],
};
const OWN_OPTIONS = { retry: false, raiseForStatus: false, maxBodyBytes: Infinity } as const;
const LONGEST_WAIT_MS = 10 * 60_000;
/** A server that asks for no wait at all would be asked as fast as it can end its streams. */
const LEAST_WAIT_MS = 10;
const LONGEST_ID_BYTES = 1_024;
const TEMPORARY: ReadonlySet<number> = new Set([408, 425, 429]);
const CODES: ReadonlySet<HttpErrorCode> = new Set<HttpErrorCode>([
  "MW_ERR_HTTP_CONNECT",
  "MW_ERR_HTTP_CONNECT_TIMEOUT",
  "MW_ERR_HTTP_DNS",
  "MW_ERR_HTTP_IDLE_TIMEOUT",
  "MW_ERR_HTTP_INCOMPLETE",
  "MW_ERR_HTTP_RESET",
  "MW_ERR_HTTP_TOO_SLOW",
  "MW_ERR_HTTP_TOTAL_TIMEOUT",
]);

/**
 * Reads server-sent events, and connects again whenever the connection ends, with `Last-Event-ID`: a server that gives ids
 * can go on where it broke off. One of more than 1 KiB, or with control characters, is not sent back. All events of a connection are given before the next one is made; there is one at most.
 *
 * It ends when the server answers 204. It throws for what will not get better: a status of 400 or above but 408, 425, 429 and
 * those from 500 on, another status than 200, a wrong `Content-Type`, an event that is too large. A connection on which
 * nothing comes for `timeouts.idleMs` is given up for a new one: servers are told to send a comment every 15 s.
 * There is no limit on the length of the stream, only on that of an event.
 *
 * Cancellation: safe. It reaches the connection and the waits; leaving the loop closes the connection.
 *
 * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT`, `MW_ERR_HTTP_INVALID_HEADER`; the iterator throws
 * {@link StatusError} `MW_ERR_HTTP_STATUS`, `MW_ERR_HTTP_CONTENT_TYPE`, `MW_ERR_HTTP_EVENT_TOO_LARGE`, and after `attempts`
 * what ended the last connection
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html}
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { ClientSession, serverSentEvents } from "@meanwhile/http";
 *
 * const server = createServer((request, response) => {
 *   const last = Number(request.headers["last-event-id"] ?? 0);
 *   if (last === 3) return response.writeHead(204).end();
 *   return response.setHeader("content-type", "text/event-stream").end(`retry: 1\nid: ${last + 1}\ndata: hello\n\n`);
 * });
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * {
 *   await using session = new ClientSession();
 *   const ids: string[] = [];
 *   for await (const { id } of serverSentEvents(session, `http://127.0.0.1:${port}`)) ids.push(id);
 *   console.log(ids.join()); //> 1,2,3
 * }
 * server.close();
 * ```
 */
export function serverSentEvents(
  session: Pick<ClientSession, "get">,
  url: string | URL,
  options: ServerSentEventsOptions = {},
): AsyncIterableIterator<ServerSentEvent, undefined> {
  const line: RequestLine = { method: "GET", url: String(url) };
  if (typeof options !== "object" || options === null) throw badArgument(line, "options", options, "an object");
  const {
    lastEventId = "",
    backoff = usual,
    attempts = Infinity,
    onReconnect,
    maxEventBytes,
    anyContentType,
    ...request
  } = options;
  const stream = eventStreamOptions({ maxEventBytes, anyContentType }, line);
  if (typeof lastEventId !== "string" || !canBeSent(lastEventId)) {
    throw badArgument(line, "lastEventId", lastEventId, "a string of 1 KiB at most, without control characters");
  }
  checkCount(line, "attempts", attempts, 1);
  if (typeof backoff !== "function") throw badArgument(line, "backoff", backoff, "a function like exponential()");
  if (onReconnect !== undefined && typeof onReconnect !== "function") {
    throw badArgument(line, "onReconnect", onReconnect, "a function");
  }
  const headers = headerPairs(request.headers, OWN_FIELDS, line);
  const ask = (fields: ReadonlyArray<HeaderPair>): Promise<ClientResponse> =>
    session.get(url, {
      ...request,
      ...OWN_OPTIONS,
      timeouts: { ...request.timeouts, minBytesPerSecond: 0 },
      headers: [...headers, ...fields],
    });
  return new Reconnecting({ line, ask, stream, attempts, backoff, onReconnect }, lastEventId).events();
}

const usual = exponential({ baseMs: 1_000, maxMs: 30_000, jitter: "equal" });

interface ReconnectingPlan {
  readonly line: RequestLine;
  ask(fields: ReadonlyArray<HeaderPair>): Promise<ClientResponse>;
  readonly stream: EventStreamOptions;
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly onReconnect: ((event: ReconnectEvent) => void) | undefined;
}

class Reconnecting {
  readonly #plan: ReconnectingPlan;
  #lastEventId: string;
  #retryMs: number | undefined;
  // Connections in a row that brought no event.
  #failures = 0;

  constructor(plan: ReconnectingPlan, lastEventId: string) {
    this.#plan = plan;
    this.#lastEventId = lastEventId;
  }

  async *events(): AsyncGenerator<ServerSentEvent, undefined> {
    for (;;) {
      let failure: HttpError | undefined;
      this.#failures += 1;
      try {
        const response = await this.#plan.ask(lastEventFields(this.#lastEventId));
        if (response.status === 204) {
          await response.close();
          return undefined;
        }
        yield* this.#eventsOf(response);
      } catch (error) {
        if (!isTemporary(error)) throw error;
        failure = error;
      }
      await this.#pause(failure);
    }
  }

  async *#eventsOf(response: ClientResponse): AsyncGenerator<ServerSentEvent, void> {
    try {
      if (response.status !== 200) throw response.statusError();
      const reader = response.openEvents(this.#plan.stream, this.#lastEventId);
      reader.retryMs = this.#retryMs;
      for await (const event of this.#noting(reader)) {
        this.#failures = 0;
        yield event;
      }
    } finally {
      response.abandon();
    }
  }

  /** What a stream has said in the end counts, also behind its last event: all that was read has been given then. */
  async *#noting(reader: EventReader): AsyncGenerator<ServerSentEvent, void> {
    try {
      yield* reader;
    } finally {
      this.#lastEventId = reader.lastEventId;
      this.#retryMs = reader.retryMs;
    }
  }

  async #pause(error: HttpError | undefined): Promise<void> {
    const { attempts, backoff, onReconnect } = this.#plan;
    const failures = this.#failures;
    if (failures >= attempts) throw error ?? this.#nothingCame();
    const asked = Math.max(this.#retryMs ?? 0, error instanceof StatusError ? (error.retryAfterMs ?? 0) : 0);
    // A server that has served is come back to as it says; backing off is for one that has not.
    const isAsTold = failures === 0 && this.#retryMs !== undefined;
    const waitMs = isAsTold ? Math.max(asked, LEAST_WAIT_MS) : Math.max(asked, backoff(Math.max(1, failures), error));
    const delayMs = Math.min(waitMs, LONGEST_WAIT_MS);
    const event = { error, failures, delayMs, lastEventId: this.#lastEventId };
    reportRejection(onReconnect?.(event), "onReconnect failed");
    await sleep(delayMs);
  }

  #nothingCame(): HttpError {
    const what = `the server has ended ${this.#failures} streams in a row without an event`;
    return new HttpError("MW_ERR_HTTP_INCOMPLETE", this.#plan.line, what);
  }
}

function isTemporary(error: unknown): error is HttpError {
  if (error instanceof StatusError) return error.status >= 500 || TEMPORARY.has(error.status);
  return error instanceof HttpError && CODES.has(error.code);
}

/** As UTF-8, with a character for each byte, as header fields are sent. */
function lastEventFields(id: string): ReadonlyArray<HeaderPair> {
  return id === "" || !canBeSent(id) ? [] : [["last-event-id", Buffer.from(id).toString("latin1")]];
}

/** A header field has no room for the others; what gives such ids does not go on behind them. */
function canBeSent(id: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return Buffer.byteLength(id) <= LONGEST_ID_BYTES && !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(id);
}
