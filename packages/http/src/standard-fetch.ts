// fetch() as the standard has it, over a session: for code that was written against it.

import { isCancelled } from "meanwhile";
import { enterScope } from "meanwhile/lowlevel";

import { HttpError, RedirectError } from "./errors.ts";
import { type FetchInit, readFetchInit } from "./fetch-init.ts";
import { streamOf } from "./fetched-body.ts";
import { keepsPromise } from "./integrity.ts";
import type { RequestOptions } from "./options.ts";
import type { ClientResponse } from "./response.ts";
import type { ClientSession } from "./session.ts";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const WITHOUT_BODY = new Set([101, 204, 205, 304]);

/** An answer that has come as far as fetch() waits for it. */
interface Fetched {
  readonly response: ClientResponse;
  /** The whole body, where its integrity had to be checked. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Makes a request as the standard `fetch()` does, with the connections, limits, cookies, timeouts and retries of a session.
 *
 * Of `init`, `method`, `headers`, `body`, `redirect`, `signal`, `credentials`, `duplex` and `integrity` have their standard
 * meaning; with `credentials: "omit"` no cookies are sent or kept. `cache`, `keepalive`, `mode`, `priority`, `referrer` and
 * `referrerPolicy` mean nothing outside of a browser and are only checked. As everywhere in a session, at most its
 * `maxRedirects` redirects are followed, none takes a body to another origin unless `allowCrossOriginBody` is set, and
 * `maxBodyBytes` holds. The body of a `Request` is a stream, and is sent only once.
 *
 * Cancellation: loses the answer. Reading its body obeys the scope of the reader.
 *
 * @throws {TypeError} "fetch failed", with the {@link HttpError} as its `cause`; or as the standard's `Request` throws it
 * @throws the reason of `signal` if that is aborted
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the call
 * @see {@link https://fetch.spec.whatwg.org/#fetch-method}
 */
export async function standardFetch(
  session: ClientSession,
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  const asked = readFetchInit(input, init);
  const { signal } = asked;
  signal?.throwIfAborted();
  const { response, bytes } = await underSignal(() => load(session, asked), signal);
  if (signal?.aborted === true) {
    response.abandon();
    throw signal.reason;
  }
  try {
    const hasBody = asked.method !== "HEAD" && !WITHOUT_BODY.has(response.status);
    if (!hasBody) await response.close();
    const streamed = hasBody && bytes === undefined ? streamOf(response, signal) : null;
    const body = bytes === undefined ? streamed : new Uint8Array(bytes);
    // The stream starts in a later turn, and from then on it is its readers who pull.
    await Promise.resolve();
    return made(body, response);
  } catch (error) {
    response.abandon();
    throw isCancelled(error) ? error : new TypeError("fetch failed", { cause: error });
  }
}

async function underSignal(body: () => Promise<Fetched>, signal: AbortSignal | undefined): Promise<Fetched> {
  try {
    const ending = await enterScope(body, { signal });
    if (ending.kind === "value") return ending.value;
  } catch (error) {
    // What is no failure of the request is none of fetch: the caller's own cancellation.
    throw isCancelled(error) ? error : new TypeError("fetch failed", { cause: error });
  }
  throw signal?.reason;
}

async function load(session: ClientSession, asked: FetchInit): Promise<Fetched> {
  const { method, url, headers, body, redirect, credentials, integrity } = asked;
  const options: RequestOptions = {
    headers,
    body,
    raiseForStatus: false,
    ...(redirect === "follow" ? {} : { maxRedirects: 0 }),
    ...(credentials === "omit" ? { cookies: false } : {}),
  };
  const response = await session.request(method, url, options);
  const line = { method, url: response.url };
  if (redirect === "error" && REDIRECTS.has(response.status)) {
    response.abandon();
    const what = "it redirects, and 'redirect' is \"error\"";
    throw new RedirectError("MW_ERR_HTTP_REDIRECT_REFUSED", line, what, [response.url]);
  }
  if (integrity === "") return { response, bytes: undefined };
  const bytes = await response.bytes();
  if (keepsPromise(bytes, integrity)) return { response, bytes };
  throw new HttpError("MW_ERR_HTTP_CHECKSUM", line, "the body is not the one that 'integrity' promises");
}

function made(body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null, from: ClientResponse): Response {
  const headers = new Headers();
  for (const [name, values] of Object.entries(from.rawHeaders)) {
    for (const value of typeof values === "string" ? [values] : (values ?? [])) headers.append(name, value);
  }
  const { status, statusText } = from;
  // A status or a reason phrase that the constructor refuses can come from a server all the same.
  const isUsual = status >= 200 && status <= 599;
  const response = new Response(body, { status: isUsual ? status : 200, headers });
  return described(response, { status, statusText, url: from.url, redirected: from.redirects.length > 0 });
}

type Fact = "status" | "statusText" | "url" | "redirected";

/** Says of a response what only a fetch can say of one. Its clones say the same. */
function described(response: Response, facts: Readonly<Record<Fact, unknown>>): Response {
  const clone = (): Response => described(Response.prototype.clone.call(response), facts);
  const ok = response.ok && facts.status === response.status;
  const own = { ...facts, ok, type: "basic", clone };
  for (const [name, value] of Object.entries(own)) Object.defineProperty(response, name, { value, configurable: true });
  return response;
}
