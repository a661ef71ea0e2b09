// The session: what a program keeps for as long as it makes requests.

import { shield } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";

import { badArgument, checkCount, checkFlag, SESSION } from "./checks.ts";
import { CookieJar } from "./cookie-jar.ts";
import { Courier } from "./courier.ts";
import { ACCEPT_ENCODING } from "./decoding.ts";
import type { RequestLine } from "./errors.ts";
import { type Heed, HostPauses } from "./host-pauses.ts";
import { methodOf } from "./method.ts";
import { checkMiddlewares, type Middleware } from "./middleware.ts";
import { DEFAULTS, type RequestOptions, type SessionOptions, type Settled, settle } from "./options.ts";
import { Pool } from "./pool.ts";
import type { Hop } from "./redirects.ts";
import { payloadOf, withPayloadFields } from "./request-body.ts";
import { type Fields, mergeFields, NO_FIELDS } from "./request-headers.ts";
import type { ClientResponse } from "./response.ts";
import { isOnce, retryRules, type RetryRules, tryAgain } from "./retries.ts";
import { RetryBudgets } from "./retry-budget.ts";
import { standardFetch } from "./standard-fetch.ts";
import type { SessionStatistics } from "./statistics.ts";
import { targetOf } from "./target.ts";
import { type RequestTrace, traceFor, type TraceListener } from "./trace.ts";
import { checkTransport } from "./transport-options.ts";

const CLOSE_MS = 2_000;
const NO_OPTIONS: RequestOptions = {};

/**
 * Makes HTTP requests over connections it keeps, no more at once than its limits say.
 *
 * A call resolves to the response when its head has come; the body is read from there. Every call is a checkpoint and
 * obeys the scope around it. One that throws, for whatever reason, has freed its slot and left no connection behind.
 *
 * @see {@link https://docs.aiohttp.org/en/stable/client_reference.html#aiohttp.ClientSession}
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { ClientSession } from "@meanwhile/http";
 *
 * const server = createServer((request, response) => response.end(JSON.stringify({ path: request.url })));
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * {
 *   await using session = new ClientSession({ baseUrl: `http://127.0.0.1:${port}`, limit: 10 });
 *   const response = await session.get("/hello");
 *   console.log(response.status, await response.json()); //> 200 { path: '/hello' }
 * }
 * server.close();
 * ```
 */
export class ClientSession implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #courier: Courier;
  readonly #baseUrl: URL | undefined;
  readonly #fields: Fields;
  readonly #settled: Settled;
  readonly #auth: Middleware | null;
  readonly #cookies: CookieJar | null;
  readonly #trace: TraceListener | undefined;
  readonly #closing = new AbortController();
  readonly #pauses = new HostPauses();
  readonly #budgets = new RetryBudgets();
  // Those of most requests.
  readonly #retries: Retries;

  /**
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT`, `MW_ERR_HTTP_INVALID_URL` or `MW_ERR_HTTP_INVALID_HEADER`
   * for an option that cannot be used
   */
  constructor(options: SessionOptions = {}) {
    if (typeof options !== "object" || options === null) throw badArgument(SESSION, "options", options, "an object");
    const { limit = 100, limitPerHost = Infinity, maxHeaderBytes = 16_384, maxHeaderCount = 128 } = options;
    checkCount(SESSION, "limit", limit, 1);
    checkCount(SESSION, "limitPerHost", limitPerHost, 1);
    checkCount(SESSION, "maxHeaderCount", maxHeaderCount, 1);
    if (!Number.isInteger(maxHeaderBytes) || maxHeaderBytes < 1) {
      throw badArgument(SESSION, "maxHeaderBytes", maxHeaderBytes, "an integer >= 1");
    }
    this.#settled = settle(options, DEFAULTS, SESSION);
    this.#retries = this.#retriesBy(retryRules(this.#settled.retry, SESSION));
    this.#baseUrl = baseOf(options.baseUrl);
    const { decompress } = this.#settled;
    const own = { "user-agent": options.userAgent ?? "meanwhile", accept: "*/*" };
    const coded = decompress ? { ...own, "accept-encoding": ACCEPT_ENCODING } : own;
    this.#fields = mergeFields(mergeFields(NO_FIELDS, coded, SESSION), options.headers, SESSION);
    // Libraries take it as a function of its own.
    this.fetch = this.fetch.bind(this);
    checkMiddlewares(options, SESSION);
    this.#auth = options.auth ?? null;
    this.#cookies = jarOf(options.cookies);
    this.#trace = traceOf(options.trace);
    const transport = checkTransport(options);
    this.#pool = new Pool({ limit, limitPerHost, maxHeaderBytes, maxHeaderCount, transport });
    this.#courier = new Courier({
      pool: this.#pool,
      pauses: this.#pauses,
      maxHeaderCount,
      usualFields: this.#fields,
      middlewares: [...(options.middlewares ?? [])],
      redirectRule: transport.redirectRule,
    });
  }

  /**
   * Asks with GET.
   *
   * Cancellation: loses the answer. As in `request`.
   */
  get(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("GET", url, options);
  }

  /**
   * Asks with HEAD: the answer has no body.
   *
   * Cancellation: loses the answer. As in `request`.
   */
  head(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("HEAD", url, options);
  }

  /**
   * Asks with OPTIONS.
   *
   * Cancellation: loses the answer. As in `request`.
   */
  options(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("OPTIONS", url, options);
  }

  /**
   * Asks with DELETE.
   *
   * Cancellation: loses the answer. As in `request`.
   */
  delete(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("DELETE", url, options);
  }

  /**
   * Asks with POST.
   *
   * Cancellation: loses the answer. As in `request`.
   */
  post(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("POST", url, options);
  }

  /**
   * Asks with PUT.
   *
   * Cancellation: loses the answer. As in `request`.
   */
  put(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("PUT", url, options);
  }

  /**
   * Asks with PATCH.
   *
   * Cancellation: loses the answer. As in `request`.
   */
  patch(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("PATCH", url, options);
  }

  /**
   * Makes a request and waits for the head of the answer. Redirects are followed.
   *
   * Without `retry` there is one attempt. Only where a kept connection turns out to have been closed by the server
   * before it answered anything, an idempotent request is sent once more over a new one.
   *
   * Cancellation: loses the answer. It frees the slot and closes the connection before the call ends; what the server has
   * done, it has done.
   *
   * @throws {@link ConnectError} `MW_ERR_HTTP_DNS`, `MW_ERR_HTTP_CONNECT`, `MW_ERR_HTTP_TLS`
   * @throws {@link HttpTimeoutError} `MW_ERR_HTTP_TOTAL_TIMEOUT`, `MW_ERR_HTTP_CONNECT_TIMEOUT`,
   * `MW_ERR_HTTP_POOL_TIMEOUT`, `MW_ERR_HTTP_IDLE_TIMEOUT`
   * @throws {@link RedirectError} `MW_ERR_HTTP_REDIRECT_LOOP`, `MW_ERR_HTTP_TOO_MANY_REDIRECTS`,
   * `MW_ERR_HTTP_REDIRECT_REFUSED`
   * @throws {@link StatusError} `MW_ERR_HTTP_STATUS` if `raiseForStatus` is set
   * @throws {@link TooLargeError} `MW_ERR_HTTP_HEADERS_TOO_LARGE`
   * @throws {@link HttpError} `MW_ERR_HTTP_RESET`, `MW_ERR_HTTP_PROTOCOL`, `MW_ERR_HTTP_REQUEST_BODY`,
   * `MW_ERR_HTTP_CLOSED`; before anything is sent `MW_ERR_HTTP_INVALID_ARGUMENT`, `MW_ERR_HTTP_INVALID_HEADER`,
   * `MW_ERR_HTTP_INVALID_URL`
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the call
   */
  async request(method: string, url: string | URL, options: RequestOptions = NO_OPTIONS): Promise<ClientResponse> {
    const request = { method: methodOf(method, url), url: String(url) };
    const settled = options === NO_OPTIONS ? this.#settled : settle(options, this.#settled, request);
    const { retry } = settled;
    const retries = retry === this.#settled.retry ? this.#retries : this.#retriesBy(retryRules(retry, request));
    checkMiddlewares(options, request);
    checkFlag(request, "cookies", options.cookies);
    const hop = this.#firstHop(request, url, options);
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    const trace = traceFor(this.#trace, request);
    try {
      const response = await this.#attempts(hop, { settled, options, trace, retries });
      if (!settled.raiseForStatus || response.status < 400) return response;
      await response.close();
      throw response.statusError();
    } catch (error) {
      trace?.failed(error);
      throw error;
    }
  }

  /**
   * Makes a request as the standard `fetch` does, for code that is written against that: with its arguments, its
   * `Response` and its errors, a `TypeError` whose `cause` is ours.
   *
   * Cancellation: loses the answer. As in `request`; so does the `signal` that is passed.
   *
   * @throws TypeError `fetch failed`, with the {@link HttpError} as its `cause`
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the call
   * @see {@link https://fetch.spec.whatwg.org/#fetch-method}
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return standardFetch(this, input, init);
  }

  /**
   * Ends everything: who waits for a slot or an answer gets `MW_ERR_HTTP_CLOSED`, and every connection is closed.
   * Closing it again does nothing.
   *
   * Cancellation: safe. It is held back, for 2 s at most.
   */
  async close(): Promise<void> {
    if (this.#pool.isClosed) return;
    this.#closing.abort();
    this.#pauses.close();
    const closed = this.#pool.close();
    await shield(() => closed, { timeoutMs: CLOSE_MS }).catch(nothing);
  }

  /**
   * The same as `close()`.
   *
   * Cancellation: safe. As in `close`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Aborted when the session is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** A snapshot of slots and connections, for dumps and tests. */
  statistics(): SessionStatistics {
    return this.#pool.statistics();
  }

  #attempts(hop: Hop, { settled, options, trace, retries }: Told): Promise<ClientResponse> {
    const auth = options.auth === undefined ? this.#auth : options.auth;
    const { middlewares = [] } = options;
    const cookies = options.cookies === false ? null : this.#cookies;
    const { rules, heed } = retries;
    const journey = { settled, auth, middlewares, cookies, trace, heed, peer: undefined, deadline: null };
    const attempt = (number: number): Promise<ClientResponse> =>
      this.#courier.deliver(hop, { ...journey, attempt: number, responses: [] });
    if (rules === null || isOnce(rules)) return attempt(1);
    const { origin } = hop.url;
    const { budget = {} } = rules;
    if (budget !== false) this.#budgets.requested(origin, budget);
    return tryAgain(
      {
        request: { method: hop.method, url: hop.url.href },
        payload: hop.payload,
        attempt,
        isInBudget: () => budget === false || this.#budgets.mayRetry(origin, budget),
        closing: this.#closing.signal,
        retrying: (event) => trace?.retrying(event.attempt, event.delayMs, event.error),
      },
      rules,
    );
  }

  #retriesBy(rules: RetryRules | null): Retries {
    const isHeeding = rules !== null && (rules.pauseHost ?? rules.attempts !== 1);
    return { rules, heed: isHeeding ? this.#pauses.heed(rules.maxRetryAfterMs ?? 120_000) : null };
  }

  #firstHop(request: RequestLine, url: string | URL, options: RequestOptions): Hop {
    const target = targetOf(url, this.#baseUrl, options.params, request.method);
    const payload = payloadOf(options, request);
    let fields = withPayloadFields(mergeFields(this.#fields, options.headers, request), payload, request);
    if (target.authorization !== undefined && !fields.has("authorization")) {
      fields = mergeFields(fields, { authorization: target.authorization }, request);
    }
    return {
      url: target.url,
      method: request.method,
      fields,
      payload,
      redirects: [],
      isCrossOrigin: false,
      isPublicOnly: false,
    };
  }
}

/** What a call was told, checked. */
interface Told {
  readonly settled: Settled;
  readonly options: RequestOptions;
  readonly trace: RequestTrace | null;
  readonly retries: Retries;
}

/** The rules of retries, and what pauses hosts by them. */
interface Retries {
  readonly rules: RetryRules | null;
  readonly heed: Heed | null;
}

function jarOf(cookies: CookieJar | boolean = false): CookieJar | null {
  if (typeof cookies === "boolean") return cookies ? new CookieJar() : null;
  if (cookies instanceof CookieJar) return cookies;
  throw badArgument(SESSION, "cookies", cookies, "a CookieJar, true or false");
}

function traceOf(trace: TraceListener | undefined): TraceListener | undefined {
  if (trace === undefined || typeof trace === "function") return trace;
  throw badArgument(SESSION, "trace", trace, "a function");
}

function baseOf(baseUrl: string | URL | undefined): URL | undefined {
  if (baseUrl === undefined) return undefined;
  const { url } = targetOf(baseUrl, undefined, undefined, "make a ClientSession for");
  const withUserinfo = new URL(baseUrl);
  url.username = withUserinfo.username;
  url.password = withUserinfo.password;
  return url;
}

function nothing(): void {}
