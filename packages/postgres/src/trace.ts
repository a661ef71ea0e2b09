// What happens in a pool, told step by step: to its `trace`, and to `diagnostics_channel`.

import { channel } from "node:diagnostics_channel";

import { reportSuppressed } from "meanwhile/lowlevel";

import { callSafely } from "./callbacks.ts";
import { withoutPasswords } from "./error-privacy.ts";

/** The name of the channel of `node:diagnostics_channel` that every {@link TraceEvent} of the process is published on. */
export const TRACE_CHANNEL = "meanwhile:postgres";

/** What has happened. */
export type TraceEventKind =
  /** A connection is being opened. */
  | "connect-start"
  /** It stands: `serverPid`, `durationMs`. */
  | "connect-end"
  /** It could not be opened: `error`. */
  | "connect-error"
  /** A connection was given out: `serverPid`, and `waitedMs` for it. */
  | "acquired"
  /** It was given back: `serverPid`, `durationMs` that it was held. */
  | "released"
  /** What its user had changed was undone: `durationMs`. */
  | "reset"
  /** A connection is gone: `reason`. */
  | "disconnected"
  /** A statement is sent: `statement`. */
  | "query-start"
  /** It is done: `durationMs`, `rows`. */
  | "query-end"
  /** It failed, or was cancelled: `durationMs`, `error`. */
  | "query-error"
  /** A connection for notifications was lost; there is another one, and the channels are listened to again. */
  | "listen-reconnected"
  /** A connection was not given back: `acquiredAt`. */
  | "leaked";

/** One step. Never with an argument of a statement. */
export interface TraceEvent {
  /** What has happened. */
  readonly kind: TraceEventKind;
  /** The process id of the server process, where there is one. */
  readonly serverPid?: number;
  /** The text of a statement, with each password masked. */
  readonly statement?: string;
  /** How many rows a statement gave or changed. */
  readonly rows?: number;
  /** How long it took, in milliseconds. */
  readonly durationMs?: number;
  /** Of `acquired`: how long it was waited for, in milliseconds. */
  readonly waitedMs?: number;
  /** Of `disconnected`: `lost`, `broken`, `idle`, `old`, `used-up`, `expired`, `reset-failed`, `closed` or `leaked`. */
  readonly reason?: string;
  /** Of `leaked`: the line that acquired it. */
  readonly acquiredAt?: string;
  /** Of `connect-error` and `query-error`. */
  readonly error?: unknown;
}

/**
 * Is told of each step. It must not throw: what it throws, or rejects with, changes nothing, and is reported as a warning, the
 * first time.
 */
export type TraceListener = (event: TraceEvent) => void;

const events = channel(TRACE_CHANNEL);
const { performance } = globalThis;

/** Tells what happens in one pool. */
export class Trace {
  readonly #listener: TraceListener | undefined;
  // Once: one that is broken fails at every step.
  #isReported = false;
  readonly #report = (error: unknown): void => {
    if (this.#isReported) return;
    this.#isReported = true;
    reportSuppressed(error, "The trace of a pool failed, and may fail again unreported");
  };

  constructor(listener: TraceListener | undefined) {
    this.#listener = listener;
  }

  /** Whether anybody listens. Ask before making an event: without a listener it costs nothing. */
  get isOn(): boolean {
    return this.#listener !== undefined || events.hasSubscribers;
  }

  tell(event: TraceEvent): void {
    if (events.hasSubscribers) events.publish(event);
    if (this.#listener !== undefined) callSafely(this.#listener, event, this.#report);
  }

  /** Runs a call with its start and its end told. Only while somebody listens. */
  async around<R>(serverPid: number, text: string, call: () => Promise<R>, rowsIn: (result: R) => number): Promise<R> {
    const startedAt = performance.now();
    const statement = withoutPasswords(text);
    this.tell({ kind: "query-start", serverPid, statement });
    try {
      const result = await call();
      const durationMs = performance.now() - startedAt;
      this.tell({ kind: "query-end", serverPid, statement, durationMs, rows: rowsIn(result) });
      return result;
    } catch (error) {
      this.tell({ kind: "query-error", serverPid, statement, durationMs: performance.now() - startedAt, error });
      throw error;
    }
  }
}
