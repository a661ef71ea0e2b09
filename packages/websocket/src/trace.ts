// What happens to connections, told step by step: to the option `trace`, and to `diagnostics_channel`.

import { channel } from "node:diagnostics_channel";

import { callSafely } from "./callbacks.ts";
import type { ClosedInfo } from "./close-codes.ts";

/** The name of the channel of `node:diagnostics_channel` that every {@link TraceEvent} of the process is published on. */
export const TRACE_CHANNEL = "meanwhile:websocket";

/** What has happened. */
export type TraceEventKind =
  /** A connection is being opened: `url`. */
  | "connect-start"
  /** It could not be opened: `url`, `error`, `durationMs`. */
  | "connect-error"
  /** `reconnecting` will try again: `url`, `error`, `durationMs` until then. */
  | "connect-retry"
  /** A server refused a handshake: `url`, `status`. */
  | "refused"
  /** A connection is open: `connection`; of a client also `url`, and `durationMs` that it took. */
  | "open"
  /** A whole message was handed over, or a piece of one: `bytes`. */
  | "sent"
  /** A message has come: `bytes`. */
  | "received"
  /** Nothing more is read from the peer, as messages wait to be received. */
  | "paused"
  /** It is read again. */
  | "resumed"
  /** The peer answered a ping: `durationMs`. */
  | "pong"
  /** A connection is over: `closed`. */
  | "closed";

/** One step. Never with what is in a message. */
export interface TraceEvent {
  /** What has happened. */
  readonly kind: TraceEventKind;
  /** The `id` of the connection, where there is one. */
  readonly connection?: number;
  /** Where it leads, without user name, password and query. */
  readonly url?: string;
  /** The status that a handshake was refused with. */
  readonly status?: number;
  /** How long a message is; of a text, how many characters it has. */
  readonly bytes?: number;
  /** In milliseconds. */
  readonly durationMs?: number;
  /** How the connection ended. */
  readonly closed?: ClosedInfo;
  /** Why it could not be opened. */
  readonly error?: unknown;
}

/** Is told of each step. It must not throw: what it throws, or rejects with, is reported as a warning, and changes nothing. */
export type TraceListener = (event: TraceEvent) => void;

const events = channel(TRACE_CHANNEL);

/** Tells what happens to one connection, or to those of a server. */
export class Trace {
  readonly #listener: TraceListener | undefined;

  constructor(listener: TraceListener | undefined) {
    this.#listener = listener;
  }

  /** Whether anybody listens. Ask before making an event: without a listener it costs nothing. */
  get isOn(): boolean {
    return this.#listener !== undefined || events.hasSubscribers;
  }

  tell(event: TraceEvent): void {
    if (events.hasSubscribers) events.publish(event);
    if (this.#listener !== undefined) callSafely(this.#listener, event, "The trace of a WebSocket failed");
  }
}
