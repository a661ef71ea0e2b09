// Events of a server for as long as it has any: comes back after a broken connection, where it broke off.

import { type Backoff, exponential } from "meanwhile";

import { badArgument, checkCount } from "./checks.ts";
import type { RequestLine } from "./errors.ts";
import { canBeSent, type ReconnectEvent, Reconnecting } from "./event-reconnection.ts";
import { type EventStreamOptions, eventStreamOptions, type ServerSentEvent } from "./event-stream.ts";
import { type HeaderPair, headerPairs, type OwnFields } from "./header-pairs.ts";
import type { RequestOptions } from "./options.ts";
import type { ClientResponse } from "./response.ts";
import { ClientSession } from "./session.ts";

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

const OWN_FIELDS: OwnFields = {
  defaults: { accept: "text/event-stream", "cache-control": "no-store" },
  reserved: ["last-event-id"],
};
const OWN_OPTIONS = { retry: false, raiseForStatus: false, maxBodyBytes: Infinity } as const;
/**
 * Reads server-sent events, and connects again whenever the connection ends, with `Last-Event-ID`: a server that gives ids
 * can go on where it broke off. One of more than 1 KiB, or with control characters, is not sent back. All events of a
 * connection are given before the next one is made; there is one at most.
 *
 * It ends when the server answers 204. It throws for what will not get better: a status of 400 or above but 408, 425, 429 and
 * those from 500 on, another status than 200, a wrong `Content-Type`, an event that is too large. A connection on which
 * nothing comes for `timeouts.idleMs` is given up for a new one: servers are told to send a comment every 15 s.
 * There is no limit on the length of the stream, only on that of an event. Closing the session ends it, whatever it waits
 * for.
 *
 * Cancellation: safe. It reaches the connection and the waits; leaving the loop closes the connection.
 *
 * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT`, `MW_ERR_HTTP_INVALID_HEADER`; the iterator throws
 * {@link StatusError} `MW_ERR_HTTP_STATUS`, `MW_ERR_HTTP_CONTENT_TYPE`, `MW_ERR_HTTP_EVENT_TOO_LARGE`,
 * `MW_ERR_HTTP_CLOSED`, and after `attempts` what ended the last connection
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
  const closing = session instanceof ClientSession ? session.closing : undefined;
  return new Reconnecting({ line, ask, closing, stream, attempts, backoff, onReconnect }, lastEventId).events();
}

const usual = exponential({ baseMs: 1_000, maxMs: 30_000, jitter: "equal" });
