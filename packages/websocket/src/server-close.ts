// How a server is asked to end, and what it says of those that do not.

import { badArgument, checks } from "./checks.ts";
import { isCloseCode, isCloseReason } from "./close-codes.ts";
import { WebSocketError } from "./errors.ts";
import type { WebSocketWarningCode } from "./handler-failures.ts";
import { printable } from "./redact.ts";
import type { ServerRequest } from "./server-request.ts";

/** Options of `close` of a server. */
export interface ServerCloseOptions {
  /** How long handlers are waited for before they are cancelled. Default: `drainMs` of the server. */
  readonly timeoutMs?: number | undefined;
}

const MOST_NAMES = 5;

/** @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` for what fits in no close frame, or is no time */
export function checkClose(code: number, reason: string, timeoutMs: number): void {
  if (!isCloseCode(code)) throw badArgument("code", code, "1000 to 1014 without 1004 to 1006, or 3000 to 4999");
  if (!isCloseReason(reason)) throw badArgument("reason", reason, "a text of up to 123 bytes");
  checks.ms("timeoutMs", timeoutMs);
}

/** The error for a handler that would wait for its own end. */
export function endsItself(): WebSocketError {
  const how = "start it in a task of the run, createTask(() => server.close())";
  return new WebSocketError(
    "MW_ERR_WS_BUSY",
    `Cannot close the server in one of its handlers: it would wait for itself; ${how}`,
  );
}

/** Warns of the handlers that have not ended though they were cancelled. */
export function warnOfStuck(connections: Iterable<{ readonly id: number; readonly request: ServerRequest }>): void {
  const all = Array.from(connections, ({ id, request }) =>
    printable(`that of connection ${id}, ${request.remoteAddress ?? "a Unix socket"} at ${request.url.pathname}`),
  );
  if (all.length === 0) return;
  const more = all.length > MOST_NAMES ? `, and ${all.length - MOST_NAMES} more` : "";
  const what = `Handlers of a WebSocket server were cancelled and go on: ${all.slice(0, MOST_NAMES).join("; ")}${more}`;
  const how = "wrap foreign promises in cancellable(), and let CancelledError pass";
  const code: WebSocketWarningCode = "MW_WARN_WS_STUCK";
  process.emitWarning(`${what}. close() waits no longer for them, but their run does; ${how}`, {
    type: "MeanwhileWarning",
    code,
  });
}
