// What happens to a request, told step by step: to the `trace` of its session, and to `diagnostics_channel`.

import { channel } from "node:diagnostics_channel";

import { reportSuppressed } from "meanwhile/lowlevel";

import { reportRejection } from "./callbacks.ts";
import type { RequestLine } from "./errors.ts";
import { redactUrl } from "./redact.ts";

/** The name of the channel of `node:diagnostics_channel` that every {@link TraceEvent} of the process is published on. */
export const TRACE_CHANNEL = "meanwhile:http";

/** What has happened. */
export type TraceEventKind =
  /** A call of the session has begun. */
  | "request-start"
  /** It waits for a slot, or has one already. Once for each request that is sent, redirects included. */
  | "queued"
  /** It has a slot. `reused` says whether there is a connection for it. */
  | "dequeued"
  /** A connection is being made: DNS, TCP, TLS. */
  | "connect-start"
  /** The name was looked up, or remembered: `address`. */
  | "dns-resolved"
  /** The connection stands: `address`, `protocol`. */
  | "connect-end"
  /** The request is on its way. */
  | "sent"
  /** The head of the answer has come: `status`. */
  | "response-start"
  /** The last byte of the body has come: `bytes`, as they came over the connection. */
  | "response-end"
  /** The answer, or its body, was given up or broke off: `bytes` so far. */
  | "response-aborted"
  /** The answer leads to another URL, `location`. */
  | "redirect"
  /** It will be tried again, in `delayMs`, because of `error`. */
  | "retry"
  /** The call has failed with `error`. */
  | "request-error";

/** One step of a request. URLs are redacted. */
export interface TraceEvent {
  /** What has happened. */
  readonly kind: TraceEventKind;
  /** The same for all steps of one call of the session; counts from 1 in the process. */
  readonly id: number;
  /** Which attempt of the call, from 1. */
  readonly attempt: number;
  /** The method of the request. */
  readonly method: string;
  /** What is asked at this step. */
  readonly url: string;
  /** Milliseconds since the call began. */
  readonly atMs: number;
  /** Of `response-start` and `redirect`. */
  readonly status?: number;
  /** Of `response-end` and `response-aborted`. */
  readonly bytes?: number;
  /** Of `dequeued`. */
  readonly reused?: boolean;
  /** Of `dns-resolved` and `connect-end`. */
  readonly address?: string | undefined;
  /** `http:`, `https:`, or what was agreed on by ALPN, like `h2`. */
  readonly protocol?: string;
  /** Of `redirect`. */
  readonly location?: string;
  /** Of `retry`: milliseconds. */
  readonly delayMs?: number;
  /** Of `retry` and `request-error`. */
  readonly error?: unknown;
}

/** Is told of each step of each request. It must not throw: what it throws, or rejects with, is reported as a warning, and changes nothing. */
export type TraceListener = (event: TraceEvent) => void;

type Detail = Omit<TraceEvent, "kind" | "id" | "attempt" | "method" | "url" | "atMs">;

const events = channel(TRACE_CHANNEL);
const { performance } = globalThis;

const FAILED = "The trace of a session failed";

let newestId = 0;

/** The trace of a call; null if nobody listens, so that it costs nothing. */
export function traceFor(listener: TraceListener | undefined, request: RequestLine): RequestTrace | null {
  return listener === undefined && !events.hasSubscribers ? null : new RequestTrace(listener, request);
}

/** Tells what happens to one call of a session. */
export class RequestTrace {
  readonly #listener: TraceListener | undefined;
  readonly #id: number = ++newestId;
  readonly #startedAt: number = performance.now();
  #method: string;
  #url: string;
  #attempt = 1;

  constructor(listener: TraceListener | undefined, request: RequestLine) {
    this.#listener = listener;
    this.#method = request.method;
    this.#url = redactUrl(request.url);
    this.#tell("request-start");
  }

  queued(request: RequestLine): void {
    this.#method = request.method;
    this.#url = redactUrl(request.url);
    this.#tell("queued");
  }

  dequeued(reused: boolean): void {
    this.#tell("dequeued", { reused });
  }

  connecting(): void {
    this.#tell("connect-start");
  }

  resolved(address: string): void {
    this.#tell("dns-resolved", { address });
  }

  connected(address: string | undefined, protocol: string): void {
    this.#tell("connect-end", { address, protocol });
  }

  sent(): void {
    this.#tell("sent");
  }

  answered(status: number): void {
    this.#tell("response-start", { status });
  }

  ended(bytes: number): void {
    this.#tell("response-end", { bytes });
  }

  aborted(bytes: number): void {
    this.#tell("response-aborted", { bytes });
  }

  redirected(status: number, location: string): void {
    this.#tell("redirect", { status, location: redactUrl(location) });
  }

  retrying(attempt: number, delayMs: number, error: unknown): void {
    this.#tell("retry", { delayMs, error });
    this.#attempt = attempt + 1;
  }

  failed(error: unknown): void {
    this.#tell("request-error", { error });
  }

  #tell(kind: TraceEventKind, detail: Detail = {}): void {
    const atMs = performance.now() - this.#startedAt;
    const event = { kind, id: this.#id, attempt: this.#attempt, method: this.#method, url: this.#url, atMs, ...detail };
    if (events.hasSubscribers) events.publish(event);
    try {
      reportRejection(this.#listener?.(event), FAILED);
    } catch (error) {
      reportSuppressed(error, FAILED);
    }
  }
}
