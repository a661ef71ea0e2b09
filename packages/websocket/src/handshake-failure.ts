// From what `ws` and Node say of a failed handshake to our errors.

import type { ConnectSettled } from "./connect-options.ts";
import { codeOf } from "./dial-failure.ts";
import { ConnectError, HandshakeError, type RefusingAnswer } from "./errors.ts";
import { printable } from "./redact.ts";

const SWITCHED = { status: 101, statusText: "Switching Protocols", headers: {}, body: "" };

/** What `ws` says of an answer that it does not take, and what to do about it. */
const SUBPROTOCOLS: Readonly<Record<string, string>> = {
  "Server sent a subprotocol but none was requested":
    "the server chose a subprotocol, and none was offered; pass 'subprotocols'",
  "Server sent an invalid subprotocol": "the server chose a subprotocol that was not offered; offer one that it speaks",
  "Server sent no subprotocol": "the server speaks none of the subprotocols that were offered; offer another, or none",
};

/** Makes our error of what ended a handshake. */
export function handshakeFailure(url: URL, cause: Error, { maxHandshakeBytes }: ConnectSettled): Error {
  const code = codeOf(cause);
  if (code === "HPE_HEADER_OVERFLOW") {
    const what = `the header of the answer is longer than 'maxHandshakeBytes', which is ${maxHandshakeBytes}`;
    return new HandshakeError("MW_ERR_WS_HANDSHAKE", url, what, { cause });
  }
  if (code.startsWith("HPE_")) {
    const what = `the server did not answer with HTTP that can be read (${code}); is it a WebSocket server?`;
    return new HandshakeError("MW_ERR_WS_HANDSHAKE", url, what, { cause });
  }
  if (/^E[A-Z]+$/.test(code)) {
    const what = `the connection was closed before the server had answered (${code}); try again`;
    return new ConnectError("MW_ERR_WS_CONNECT", url, what, { cause });
  }
  const subprotocol = Object.hasOwn(SUBPROTOCOLS, cause.message) ? SUBPROTOCOLS[cause.message] : undefined;
  const options = { cause, answer: SWITCHED };
  if (subprotocol !== undefined) return new HandshakeError("MW_ERR_WS_SUBPROTOCOL", url, subprotocol, options);
  const what = `the server broke the rules of the handshake (${printable(cause.message)})`;
  return new HandshakeError("MW_ERR_WS_HANDSHAKE", url, what, options);
}

/** The error for an answer that opens no connection. */
export function refused(url: URL, answer: RefusingAnswer): HandshakeError {
  const status = printable(`${answer.status} ${answer.statusText}`.trimEnd());
  const what = `the server answered ${status} and did not open a connection; see 'status', 'headers' and 'body'`;
  return new HandshakeError("MW_ERR_WS_HANDSHAKE", url, what, { answer });
}

/** The error for a redirect that is not followed. */
export function notFollowed(url: URL, what: string, answer: RefusingAnswer): HandshakeError {
  return new HandshakeError("MW_ERR_WS_REDIRECT", url, what, { answer });
}
