// What fetch() is called with, read as the standard reads it.

import type { RequestBody } from "./request-body.ts";

/** What a call of fetch() asks for. */
export interface FetchInit {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: RequestBody | undefined;
  readonly redirect: "follow" | "manual" | "error";
  readonly credentials: "include" | "omit" | "same-origin";
  /** Empty for none. */
  readonly integrity: string;
  readonly signal: AbortSignal | undefined;
}

/** Stands for any absolute URL, and for any body that brings no type along. */
const SOME_URL = "http://localhost/";
const SOME_BODY = new Uint8Array(0);

/**
 * Reads the arguments of fetch(). What cannot be asked is a `TypeError` of the standard's own `Request`.
 *
 * @see {@link https://fetch.spec.whatwg.org/#dom-request}
 */
export function readFetchInit(input: string | URL | Request, init: RequestInit): FetchInit {
  const isRequest = input instanceof Request;
  const given: unknown = init.body ?? undefined;
  // The signal and the body stay with us: a Request would put its own in between.
  const checked = new Request(isRequest ? input : SOME_URL, {
    ...init,
    body: given === undefined ? null : SOME_BODY,
    signal: null,
  });
  const { method, headers, redirect, credentials, integrity } = checked;
  return {
    method,
    url: isRequest ? input.url : readUrl(String(input)),
    headers,
    body: given === undefined ? (checked.body ?? undefined) : readBody(given, init),
    redirect,
    credentials,
    integrity,
    signal: readSignal(init.signal === undefined && isRequest ? input.signal : init.signal),
  };
}

/** A relative one is left to the session, whose `baseUrl` it may belong to. */
function readUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null) return text;
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("Cannot fetch: the URL includes credentials; pass them in the header Authorization");
  }
  return url.href;
}

function readSignal(signal: AbortSignal | null | undefined): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined;
  if (signal instanceof AbortSignal) return signal;
  throw new TypeError("Cannot fetch: 'signal' is not an AbortSignal");
}

function readBody(body: unknown, init: RequestInit): RequestBody {
  if (isSentAsItIs(body)) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (!isAsyncIterable(body)) return String(body);
  if (!("duplex" in init) || init.duplex !== "half") {
    throw new TypeError('Cannot fetch: duplex: "half" has to be passed along with a body that is a stream');
  }
  if (body instanceof ReadableStream && body.locked)
    throw new TypeError("Cannot fetch: the stream given as 'body' is locked");
  return body;
}

function isSentAsItIs(body: unknown): body is RequestBody {
  return (
    typeof body === "string" ||
    body instanceof Uint8Array ||
    body instanceof URLSearchParams ||
    body instanceof Blob ||
    body instanceof FormData
  );
}

function isAsyncIterable(body: unknown): body is AsyncIterable<string | Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
