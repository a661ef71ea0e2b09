// The connections of serverSentEvents, one after another: when the next one is made, and where it goes on.

import { type Backoff, cancelScope, sleep } from "meanwhile";

import { reportRejection } from "./callbacks.ts";
import { HttpError, type HttpErrorCode, type RequestLine, StatusError } from "./errors.ts";
import type { EventReader, EventStreamOptions, ServerSentEvent } from "./event-stream.ts";
import { closedOr } from "./failures.ts";
import type { HeaderPair } from "./header-pairs.ts";
import type { ClientResponse } from "./response.ts";

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

/** How events are asked for. */
export interface ReconnectingPlan {
  readonly line: RequestLine;
  ask(fields: ReadonlyArray<HeaderPair>): Promise<ClientResponse>;
  /** Ends the waits. */
  readonly closing: AbortSignal | undefined;
  readonly stream: EventStreamOptions;
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly onReconnect: ((event: ReconnectEvent) => void) | undefined;
}

/** Asks again and again. */
export class Reconnecting {
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
      yield* reader.events;
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
    await this.#wait(delayMs);
  }

  async #wait(ms: number): Promise<void> {
    const { line, closing } = this.#plan;
    try {
      await cancelScope(() => sleep(ms), { signal: closing });
    } catch (error) {
      throw closedOr(error, closing, line);
    }
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

/** Whether an id fits in a header field; what gives others does not go on behind them. */
export function canBeSent(id: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return Buffer.byteLength(id) <= LONGEST_ID_BYTES && !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(id);
}
