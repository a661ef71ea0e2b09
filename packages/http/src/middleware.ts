// What stands between a session and its connections: code of the user that sees every request on its way out and every
// answer on its way back.

import { MadeAnswer } from "./answer.ts";
import { badArgument } from "./checks.ts";
import type { CookieJar } from "./cookie-jar.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import { methodOf } from "./method.ts";
import type { Settled } from "./options.ts";
import { redactUrl } from "./redact.ts";
import { forAnybody, type Hop } from "./redirects.ts";
import { type BodyContent, checkLength, isSource, isSpent, payloadOf, type RequestBody } from "./request-body.ts";
import { type HeadersInput, mergeFields, NO_FIELDS } from "./request-headers.ts";
import { ResponseHeaders } from "./response-headers.ts";
import { ClientResponse } from "./response.ts";
import { targetOf } from "./target.ts";

/**
 * Takes a request, and returns the answer to it: that of `next(request)`, that of another request, or one of its own
 * (`request.respond`). It may ask several times; the body of an answer it does not return has to be closed.
 *
 * Called once for every request that is about to be sent: for each attempt of a retry, and for each hop of a redirect.
 * The first of a list is the outermost. Waiting for a slot, cookies and the connection are behind the last.
 *
 * @see {@link https://docs.aiohttp.org/en/stable/client_middleware_cookbook.html}
 *
 * @example
 * ```ts
 * import { ClientSession, type Middleware } from "@meanwhile/http";
 *
 * const stamped: Middleware = (request, next) => next(request.with({ headers: { "x-sent-at": "now" } }));
 * const silent: Middleware = (request) => request.respond({ body: `no network for ${request.url.pathname}` });
 *
 * await using session = new ClientSession({ middlewares: [stamped, silent] });
 * console.log(await (await session.get("http://example.test/a")).text()); //> no network for /a
 * ```
 */
export type Middleware = (request: ClientRequest, next: SendRequest) => Promise<ClientResponse> | ClientResponse;

/** Hands a request on to the next middleware, or to the connection. */
export type SendRequest = (request: ClientRequest) => Promise<ClientResponse>;

/** What {@link ClientRequest.with} may change. */
export interface RequestChanges {
  /** Another method. */
  readonly method?: string | undefined;
  /** Another URL; http or https. On the way to another origin credentials and secrets are dropped, as for a redirect. */
  readonly url?: string | URL | undefined;
  /** Added to the header fields, in place of those of the same name; `undefined` removes one. */
  readonly headers?: HeadersInput | undefined;
  /** Another body; null for none. */
  readonly body?: RequestBody | null | undefined;
}

/** An answer that no server gave. */
export interface MadeResponse {
  /** Default: 200. */
  readonly status?: number | undefined;
  /** The reason phrase. Default: empty. */
  readonly statusText?: string | undefined;
  /** The header fields. Default: none. */
  readonly headers?: HeadersInput | undefined;
  /** The body. Default: empty. */
  readonly body?: BodyContent | undefined;
}

/** A request as a {@link Middleware} sees it. It never changes: `with` makes another one. */
export class ClientRequest {
  /** Which attempt it belongs to, from 1. */
  readonly attempt: number;
  // Private, with getters: what dumps an object would show the credentials in them.
  readonly #hop: Hop;
  readonly #settled: Settled;
  readonly #cookies: CookieJar | null;
  #headers: ResponseHeaders | null = null;

  /** @internal */
  constructor(hop: Hop, settled: Settled, attempt: number, cookies: CookieJar | null = null) {
    this.#hop = hop;
    this.#cookies = cookies;
    this.#settled = settled;
    this.attempt = attempt;
  }

  /** @internal What is sent. */
  get hop(): Hop {
    return this.#hop;
  }

  /** @internal The cookies that will be added to it; null if there is no jar. */
  get cookies(): CookieJar | null {
    return this.#cookies;
  }

  /** The method, like `GET`. */
  get method(): string {
    return this.hop.method;
  }

  /** Where it goes; a copy, without userinfo and fragment. */
  get url(): URL {
    return new URL(this.hop.url);
  }

  /** The header fields. `Cookie` of the jar, `Host` and what frames the message are not among them yet. */
  get headers(): ResponseHeaders {
    this.#headers ??= new ResponseHeaders(
      Object.fromEntries([...this.hop.fields].map(([name, values]) => [name, [...values]])),
    );
    return this.#headers;
  }

  /** The URLs that redirected here, in order. */
  get redirects(): ReadonlyArray<string> {
    return this.hop.redirects;
  }

  /** Whether a redirect, or a middleware, has led to another origin than the one that was asked for: no place for its credentials. */
  get isCrossOrigin(): boolean {
    return this.hop.isCrossOrigin;
  }

  /** Whether it can be sent again: false for a streamed body of which anything was taken. */
  get isRepeatable(): boolean {
    return !isSpent(this.hop.payload);
  }

  /** The body, if it is one of text or bytes; null for none, undefined for a stream. */
  get body(): string | Uint8Array | null | undefined {
    const { content } = this.hop.payload;
    return isSource(content) ? undefined : content;
  }

  /** @internal What the request was told. */
  get settled(): Settled {
    return this.#settled;
  }

  /**
   * The same request with changes.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_URL`, `MW_ERR_HTTP_INVALID_HEADER`, `MW_ERR_HTTP_INVALID_ARGUMENT`
   */
  with({ method: given = this.method, url, headers, body }: RequestChanges): ClientRequest {
    const method = methodOf(given, this.hop.url);
    const line: RequestLine = { method, url: this.hop.url.href };
    const target = url === undefined ? this.hop.url : targetOf(url, this.hop.url, undefined, method).url;
    const { onProgress, coding } = this.hop.payload;
    const other = body === undefined ? null : { ...payloadOf(body === null ? {} : { body }, line), onProgress };
    const payload = other ?? this.hop.payload;
    const typed = body == null || payload.type === undefined ? {} : { "content-type": payload.type };
    // Another body is not packed as the one before was, and has another size.
    const coded = other === null || coding === undefined ? {} : { "content-encoding": undefined };
    const sized = other === null ? {} : { "content-length": undefined };
    const isElsewhere = target.origin !== this.hop.url.origin;
    const own = isElsewhere ? forAnybody(this.hop.fields) : this.hop.fields;
    const fields = mergeFields(mergeFields(own, { ...typed, ...coded, ...sized }, line), headers, line);
    checkLength(fields, payload, line);
    const isCrossOrigin = this.hop.isCrossOrigin || isElsewhere;
    const hop = { ...this.hop, method, url: target, fields, payload, isCrossOrigin };
    return new ClientRequest(hop, this.#settled, this.attempt, this.cookies);
  }

  /**
   * An answer to this request that no server gives: from a cache, or for a test.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_HEADER`, `MW_ERR_HTTP_INVALID_ARGUMENT`
   */
  respond({ status = 200, statusText = "", headers, body = "" }: MadeResponse = {}): ClientResponse {
    const request = { method: this.method, url: this.hop.url.href };
    if (!Number.isInteger(status) || status < 100 || status > 999) {
      throw badArgument(request, "status", status, "an integer of 100 to 999");
    }
    const fields = mergeFields(NO_FIELDS, headers, request);
    const raw = Object.fromEntries(
      [...fields].map(([name, values]) => [name, values.length === 1 ? values[0] : [...values]]),
    );
    const settled: Settled = { ...this.#settled, decompress: false };
    const answer = new MadeAnswer(
      { request, settled },
      { status, statusText, headers: raw, body: typeof body === "string" ? Buffer.from(body) : bytesOf(body) },
    );
    return new ClientResponse(answer, request.url, this.hop.redirects, this.attempt);
  }
}

// Not a method of the class: it would be in its published type.
Object.defineProperty(ClientRequest.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: ClientRequest) {
    return `ClientRequest { ${this.method} ${redactUrl(this.hop.url.href)} }`;
  },
});

function bytesOf(body: Exclude<BodyContent, string>): Uint8Array | AsyncIterable<Uint8Array> {
  return body instanceof Uint8Array ? body : encoded(body);
}

async function* encoded(body: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}

/** Refuses what is not a list of middlewares. */
export function checkMiddlewares(
  { middlewares, auth }: { readonly middlewares?: unknown; readonly auth?: unknown },
  request: RequestLine,
): void {
  if (auth !== undefined && auth !== null && typeof auth !== "function") {
    throw badArgument(request, "auth", auth, 'a middleware like basicAuth("user", "password"), or null');
  }
  if (middlewares === undefined) return;
  if (!Array.isArray(middlewares)) throw badArgument(request, "middlewares", middlewares, "a list of functions");
  const wrong: unknown = middlewares.find((one) => typeof one !== "function");
  if (wrong !== undefined) throw badArgument(request, "middlewares", wrong, "functions (request, next) => response");
}

/** Makes one function of the middlewares and of what is behind them. */
export function onion(middlewares: ReadonlyArray<Middleware>, send: SendRequest): SendRequest {
  return middlewares.reduceRight<SendRequest>(
    (next, middleware) => (request) => passed(middleware, request, next),
    send,
  );
}

/** Goes through one. What it got and does not return is given up at the end of the attempt. */
async function passed(middleware: Middleware, request: ClientRequest, next: SendRequest): Promise<ClientResponse> {
  const returned: unknown = await middleware(request, next);
  if (returned instanceof ClientResponse) return returned;
  const line = { method: request.method, url: request.url.href };
  const what = "a middleware returned no ClientResponse; return that of next(request), or request.respond()";
  throw new HttpError("MW_ERR_HTTP_INVALID_ARGUMENT", line, what);
}
