// How long to wait before the next connection of `reconnecting`, and when to give up.

import { type Backoff, exponential, isCancelled } from "meanwhile";

import { callSafely } from "./callbacks.ts";
import { badArgument } from "./checks.ts";
import type { ClosedInfo } from "./close-codes.ts";
import { ConnectionClosedError, HandshakeError } from "./errors.ts";
import { redactUrl } from "./redact.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { Trace } from "./trace.ts";

/** What `onRetry` is told. */
export interface ReconnectEvent {
  /** Why no connection could be opened, or a `ConnectionClosedError` for one that did not last. */
  readonly error: unknown;
  /** How many attempts have failed in a row; 0 after a connection over which something had come. */
  readonly attempt: number;
  /** How long it waits until the next one, in milliseconds. */
  readonly delayMs: number;
}

/** What {@link Attempts} needs to know. */
interface AttemptsPlan {
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly isWorthIt: (error: unknown) => boolean;
  readonly onRetry: ((event: ReconnectEvent) => unknown) | undefined;
  readonly trace: Trace;
  readonly uri: string | URL;
}

/** A server may ask for more patience than the backoff has, but not for any. */
const MOST_RETRY_AFTER_MS = 300_000;
/** Service restart, and try again later: whoever is told so waits, however long the connection had lasted. */
const ASKS_TO_WAIT = new Set([1012, 1013]);

/** Counts the attempts that have failed in a row. */
export class Attempts {
  readonly #plan: AttemptsPlan;
  #failed = 0;

  constructor(plan: AttemptsPlan) {
    this.#plan = plan;
  }

  /** A connection has served its purpose. */
  succeeded(): void {
    this.#failed = 0;
  }

  /** How long to wait as no connection could be opened; throws why if that was the last attempt. */
  delayAfter(error: unknown): number {
    if (isCancelled(error) || !this.#plan.isWorthIt(error)) throw error;
    this.#fail(error);
    const delayMs = Math.max(this.#backoff(this.#failed, error), askedFor(error));
    this.#tell(error, delayMs);
    return delayMs;
  }

  /**
   * How long to wait after a connection that is over: the rest of what an attempt that fails would have waited. So a server
   * that lets everybody in and ends it at once is asked no more often than one that is not there.
   */
  delayAfterEnd(closed: ClosedInfo, { openMs, hasHeard }: { openMs: number; hasHeard: boolean }): number {
    if (hasHeard || isOurs(closed)) this.#failed = 0;
    if (isOurs(closed)) return 0;
    const error = new ConnectionClosedError("keep the connection", closed);
    const fullMs = this.#backoff(this.#failed + 1, error);
    const hasLasted = openMs >= fullMs;
    if (hasLasted) this.#failed = 0;
    else if (!hasHeard) this.#fail(error);
    const delayMs = ASKS_TO_WAIT.has(closed.code) ? fullMs : Math.max(0, fullMs - openMs);
    if (delayMs > 0) this.#tell(error, delayMs);
    return delayMs;
  }

  #fail(error: unknown): void {
    this.#failed += 1;
    if (this.#failed >= this.#plan.attempts) throw error;
  }

  #backoff(attempt: number, error: unknown): number {
    const delayMs: unknown = this.#plan.backoff(attempt, error);
    if (typeof delayMs === "number" && delayMs >= 0) return delayMs;
    throw badArgument("backoff", delayMs, "a function that returns milliseconds >= 0");
  }

  #tell(error: unknown, delayMs: number): void {
    const { onRetry, trace, uri } = this.#plan;
    if (trace.isOn) trace.tell({ kind: "connect-retry", url: redactUrl(uri), error, durationMs: delayMs });
    const event = { error, attempt: this.#failed, delayMs };
    if (onRetry !== undefined) callSafely(onRetry, event, "'onRetry' of reconnecting() failed");
  }
}

/** Whether the user of the connection has ended it: he decides how fast he goes on. */
function isOurs({ by, code, wasClean }: ClosedInfo): boolean {
  return by === "us" && (wasClean || code === 1006);
}

/** What the server has asked for with `Retry-After`. */
function askedFor(error: unknown): number {
  if (!(error instanceof HandshakeError)) return 0;
  return Math.min(retryAfterMs(error.headers["retry-after"]) ?? 0, MOST_RETRY_AFTER_MS);
}

/** That of the Python package `websockets`. */
export function usualBackoff(): Backoff {
  const first = exponential({ baseMs: 5_000 });
  const later = exponential({ baseMs: 3_100, factor: 1.618, maxMs: 90_000, jitter: "none" });
  return (attempt, error) => (attempt === 1 ? first(1, error) : later(attempt - 1, error));
}
