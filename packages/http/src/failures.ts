// From the errors of undici, of Node and of the server to ours: one code for each thing a caller can do about it.

import { CancelledError, isCancelled } from "meanwhile";

import { BodyStream } from "./body-stream.ts";
import { DialFailure } from "./dial-failure.ts";
import { ConnectError, HttpError, type HttpErrorCode, type RequestLine, TooLargeError } from "./errors.ts";
import type { SentPayload } from "./request-body.ts";

/** What undici's parser throws has a name and no code. */
const PARSER = "HTTPParserError";
/** What Node says of a server that breaks the rules of HTTP/2. */
const LIBRARY = "ERR_HTTP2_ERROR";

/** What node:http2 refuses before its limits let us see it, by the number of its error: all streams of the connection end. */
const FLOODS: ReadonlyMap<unknown, readonly [HttpErrorCode, string]> = new Map([
  [-902, ["MW_ERR_HTTP_PROTOCOL", "the server sent more empty or invalid HTTP/2 frames than node:http2 allows"]],
  [
    -904,
    ["MW_ERR_HTTP_PROTOCOL", "the server sent more SETTINGS or PING frames than node:http2 allows to be unanswered"],
  ],
  [
    -905,
    [
      "MW_ERR_HTTP_HEADERS_TOO_LARGE",
      "the header fields of an answer over its HTTP/2 connection came in more CONTINUATION frames than node:http2 allows",
    ],
  ],
]);
/** The server says so of the requests, and node:http2 of answers, with nothing that tells one from the other. */
const TOO_MUCH = "NGHTTP2_ENHANCE_YOUR_CALM";

const NOT_SENDABLE =
  /^UND_ERR_(INVALID_ARG|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH)$|^ERR_(HTTP2_)?INVALID_|^ERR_HTTP2_HEADER_SINGLE_VALUE$/;

/** How far an exchange had come when it failed. */
export type FailedIn = "connecting" | "sent" | "head" | "body";

/** Makes our error of what made an exchange fail. */
export function failureOf(cause: Error, phase: FailedIn, request: RequestLine, { content }: SentPayload): HttpError {
  if (content instanceof BodyStream && content.failure !== null) {
    return new HttpError("MW_ERR_HTTP_REQUEST_BODY", request, content.failure.what, {
      cause: content.failure.error,
    });
  }
  if (cause instanceof DialFailure) return new ConnectError(cause.code, request, cause.message, { cause: cause.cause });
  const code = codeOf(cause);
  const options = { cause: withoutContent(cause) };
  if (phase === "connecting") return connectFailure(code, request, options);
  if (code === "UND_ERR_HEADERS_OVERFLOW") return headersTooLarge(request, options);
  const [ours, what] = floodOf(cause) ?? kindOf(code, cause, phase);
  const reasons = code === TOO_MUCH ? whyTooMuch(what) : what;
  if (ours === "MW_ERR_HTTP_HEADERS_TOO_LARGE") return new TooLargeError(ours, request, reasons, options);
  return new HttpError(ours, request, reasons, options);
}

/** The error for an answer with too many or too long header fields. */
export function headersTooLarge(request: RequestLine, options?: ErrorOptions): TooLargeError {
  const what = "the header fields of the answer exceed maxHeaderBytes or maxHeaderCount";
  return new TooLargeError("MW_ERR_HTTP_HEADERS_TOO_LARGE", request, what, options);
}

/** The error for everybody who waits when the session closes, and for those who come later. */
export function sessionClosed(request: RequestLine): HttpError {
  return new HttpError(
    "MW_ERR_HTTP_CLOSED",
    request,
    "the session was closed; await what it does before its close(), and inside its block",
  );
}

/** The same for a wait that `closing` has ended; any other error as it is. */
export function closedOr(error: unknown, closing: AbortSignal | undefined, request: RequestLine): unknown {
  const isOurs = closing?.aborted === true && error instanceof CancelledError && !isCancelled(error);
  return isOurs ? sessionClosed(request) : error;
}

/** The error for reading what was given up. */
export function responseClosed(request: RequestLine): HttpError {
  return new HttpError("MW_ERR_HTTP_BODY_USED", request, "the response was closed before its body was read");
}

function connectFailure(code: string, request: RequestLine, options: ErrorOptions): HttpError {
  if (/^(ENOTFOUND|ENODATA|EAI_\w+)$/.test(code)) {
    const when = code === "EAI_AGAIN" ? "cannot be looked up now" : "has no address";
    return new ConnectError("MW_ERR_HTTP_DNS", request, `its host ${when} (${code})`, options);
  }
  if (/^E[A-Z]+$|^UND_ERR/.test(code) && code !== "EPROTO") {
    return new ConnectError("MW_ERR_HTTP_CONNECT", request, `the connection cannot be made (${code})`, options);
  }
  return new ConnectError("MW_ERR_HTTP_TLS", request, `no secure connection can be made (${code})`, options);
}

function floodOf(cause: Error): readonly [HttpErrorCode, string] | undefined {
  return "errno" in cause ? FLOODS.get(cause.errno) : undefined;
}

function whyTooMuch(what: string): string {
  return `${what}: the server wants fewer requests, or its header fields go far beyond maxHeaderBytes or maxHeaderCount`;
}

function kindOf(code: string, cause: Error, phase: "sent" | "head" | "body"): [HttpErrorCode, string] {
  const isMismatch = code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH";
  const isCut = code === PARSER && cause.message.includes("EOF state");
  const isProtocol =
    code === PARSER || code === LIBRARY || (code === "UND_ERR_SOCKET" && cause.message.startsWith("bad "));
  if (!isCut && (isProtocol || (isMismatch && phase !== "body"))) {
    return ["MW_ERR_HTTP_PROTOCOL", "the server does not speak HTTP, or not correctly"];
  }
  if (isCut || phase !== "sent")
    return ["MW_ERR_HTTP_INCOMPLETE", "the connection ended before the answer was complete"];
  if (NOT_SENDABLE.test(code)) {
    return ["MW_ERR_HTTP_INVALID_ARGUMENT", `it is not a request that can be sent: ${cause.message}`];
  }
  const what = code.startsWith("NGHTTP2_") ? "its HTTP/2 stream was closed" : "the server closed the connection";
  return ["MW_ERR_HTTP_RESET", `${what} without an answer (${code})`];
}

/** The code of a foreign error; of several addresses that failed, the first one's. */
export function codeOf(error: Error): string {
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0]);
  return error.name;
}

/** undici keeps what it could not parse in its errors: bytes of the answer, which may be anything. */
function withoutContent(cause: Error): Error {
  if ("data" in cause) Reflect.deleteProperty(cause, "data");
  return cause;
}
