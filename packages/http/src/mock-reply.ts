// What a mocked network answers: a made-up response, late if asked, or the error that a real network would have caused.

import { sleep } from "meanwhile";

import { badArgument, checkMs } from "./checks.ts";
import { ConnectError, HttpError, HttpTimeoutError, type RequestLine } from "./errors.ts";
import type { ClientRequest } from "./middleware.ts";
import type { MockRequest } from "./mock-request.ts";
import type { HeadersInput } from "./request-headers.ts";
import type { ClientResponse } from "./response.ts";

/**
 * What goes wrong: no address for the host, no connection, no secure one, none in time, no answer in time, the connection
 * closed without an answer or in the middle of the body, or an answer that is not HTTP. They end in the errors and codes
 * that the real ones end in, and at once: what takes too long is a `delayMs` beyond the timeouts of the request.
 */
export type MockFault = "dns" | "connect" | "tls" | "connect-timeout" | "timeout" | "reset" | "incomplete" | "protocol";

/** What is answered. */
export interface MockReply {
  /** Default: 200. */
  readonly status?: number | undefined;
  /** The reason phrase. Default: empty. */
  readonly statusText?: string | undefined;
  /** Default: none but the `Content-Type` of `json`. */
  readonly headers?: HeadersInput | undefined;
  /** Answered as JSON. */
  readonly json?: unknown;
  /** Default: empty. */
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined;
  /** How long the head takes, in milliseconds on the clock of the program; one of `runTest` does not wait. Default: 0. */
  readonly delayMs?: number | undefined;
  /** What goes wrong instead. With `incomplete`, after head and body. Default: nothing. */
  readonly fail?: MockFault | undefined;
}

/** A reply, or what makes it of the request; it may take its time. */
export type MockReplier = MockReply | ((request: MockRequest) => MockReply | PromiseLike<MockReply>);

const FAULTS: Readonly<Record<MockFault, (line: RequestLine) => HttpError>> = {
  dns: (line) => new ConnectError("MW_ERR_HTTP_DNS", line, "its host has no address (ENOTFOUND)"),
  connect: (line) => new ConnectError("MW_ERR_HTTP_CONNECT", line, "the connection cannot be made (ECONNREFUSED)"),
  tls: (line) => new ConnectError("MW_ERR_HTTP_TLS", line, "no secure connection can be made (CERT_HAS_EXPIRED)"),
  "connect-timeout": (line) => new HttpTimeoutError("connect", line, "there was no connection in time"),
  timeout: (line) => new HttpTimeoutError("idle", line, "the server did not answer in time"),
  reset: (line) =>
    new HttpError("MW_ERR_HTTP_RESET", line, "the server closed the connection without an answer (ECONNRESET)"),
  incomplete: (line) =>
    new HttpError("MW_ERR_HTTP_INCOMPLETE", line, "the connection ended before the answer was complete"),
  protocol: (line) => new HttpError("MW_ERR_HTTP_PROTOCOL", line, "the server does not speak HTTP, or not correctly"),
};

/** Checks a reply before anything is asked. */
export function checkReply(reply: unknown, line: RequestLine): asserts reply is MockReplier {
  if (typeof reply === "function") return;
  if (typeof reply !== "object" || reply === null) throw badArgument(line, "reply", reply, "an object or a function");
  const { fail, delayMs, json, body } = reply as MockReply;
  if (fail !== undefined && !Object.hasOwn(FAULTS, fail)) {
    throw badArgument(line, "fail", fail, `one of ${Object.keys(FAULTS).join(", ")}`);
  }
  if (delayMs !== 0) checkMs(line, "delayMs", delayMs);
  if (json !== undefined && body !== undefined) throw badArgument(line, "body", body, "only one of 'json' and 'body'");
}

/** Answers a request. */
export async function answerWith(reply: MockReply, request: ClientRequest): Promise<ClientResponse> {
  const { fail, json, delayMs = 0 } = reply;
  const line = { method: request.method, url: request.url.href };
  await late(delayMs, request, line);
  if (fail !== undefined && fail !== "incomplete") throw FAULTS[fail](line);
  const { status, statusText } = reply;
  const whole = json === undefined ? (reply.body ?? "") : JSON.stringify(json);
  const sent = request.method === "HEAD" ? "" : whole;
  const body = fail === undefined ? sent : broken(sent, line);
  return request.respond({ status, statusText, headers: typedAs(json, reply.headers), body });
}

/** Takes as long as it is told, but no longer than the request may. */
async function late(delayMs: number, { settled }: ClientRequest, line: RequestLine): Promise<void> {
  const [phase, longest] =
    settled.totalMs < settled.idleMs ? (["total", settled.totalMs] as const) : (["idle", settled.idleMs] as const);
  if (delayMs > 0) await sleep(Math.min(delayMs, longest));
  if (delayMs > longest) throw new HttpTimeoutError(phase, line, `it was not answered for ${longest} ms`);
}

/** With the type of JSON unless another is given. */
function typedAs(json: unknown, headers: HeadersInput = {}): HeadersInput {
  const given = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  if (json === undefined || given.some(([name]) => name.toLowerCase() === "content-type")) return given;
  return [["content-type", "application/json"], ...given];
}

async function* broken(
  body: NonNullable<MockReply["body"]>,
  line: RequestLine,
): AsyncGenerator<string | Uint8Array, void> {
  if (typeof body === "string" || body instanceof Uint8Array) yield body;
  else yield* body;
  throw FAULTS.incomplete(line);
}
