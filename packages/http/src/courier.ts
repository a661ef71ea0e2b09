// Carries one attempt through: waits for a slot, sends, waits for the head of the answer, follows redirects. What the
// user puts in between stands around each request that goes out.

import { now } from "meanwhile";
import type { Dispatcher } from "undici";

import { BodyStream } from "./body-stream.ts";
import type { CookieJar } from "./cookie-jar.ts";
import { HttpError, HttpTimeoutError, type RequestLine } from "./errors.ts";
import type { ExchangePlan } from "./exchange-plan.ts";
import { Exchange } from "./exchange.ts";
import { sessionClosed } from "./failures.ts";
import type { HostPauses } from "./host-pauses.ts";
import { ClientRequest, type Middleware, onion, type SendRequest } from "./middleware.ts";
import type { Settled } from "./options.ts";
import type { Host, Pool } from "./pool.ts";
import { type Hop, nextHop } from "./redirects.ts";
import { isSpent, type SentPayload, startPayload } from "./request-body.ts";
import { type Fields, flatten } from "./request-headers.ts";
import { ClientResponse } from "./response.ts";
import { IDEMPOTENT } from "./retries.ts";
import type { RequestTrace } from "./trace.ts";

/** What all requests of a session have in common. */
export interface CourierOptions {
  readonly pool: Pool;
  readonly pauses: HostPauses;
  readonly maxHeaderCount: number;
  /** The header fields most requests have, so that they are flattened once. */
  readonly usualFields: Fields;
  /** The outermost first. */
  readonly middlewares: ReadonlyArray<Middleware>;
}

/** What one attempt is about. */
export interface Journey {
  readonly settled: Settled;
  readonly attempt: number;
  /** Around all middlewares: caches must see for whom an answer is. */
  readonly auth: Middleware | null;
  /** Around each request, inside those of the session. */
  readonly middlewares: ReadonlyArray<Middleware>;
  readonly cookies: CookieJar | null;
  readonly trace: RequestTrace | null;
  /** Whether it waits for hosts that have asked to be left alone. */
  readonly heedsPauses: boolean;
  /** Set when the first slot is there: waiting for one is not part of the total. */
  deadline: number | null;
}

export class Courier {
  readonly #options: CourierOptions;
  readonly #usualFlat: string[];

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#usualFlat = flatten(options.usualFields);
  }

  /** Makes one attempt. When it throws, no slot and no connection of it is left. */
  async deliver(first: Hop, journey: Journey): Promise<ClientResponse> {
    const { auth } = journey;
    const middlewares = [...(auth === null ? [] : [auth]), ...this.#options.middlewares, ...journey.middlewares];
    const send: SendRequest = ({ hop }) => this.#exchange(hop, journey);
    const pass = middlewares.length === 0 ? null : onion(middlewares, send);
    for (let hop = first; ;) {
      const request = pass === null ? null : new ClientRequest(hop, journey.settled, journey.attempt, journey.cookies);
      const response = request === null || pass === null ? await this.#exchange(hop, journey) : await pass(request);
      const next = redirectOf(hop, response, journey.settled);
      if (next === null) return response;
      journey.trace?.redirected(response.status, next.url.href);
      await response.close();
      hop = next;
    }
  }

  /** Sends one request and waits for the head of its answer. */
  async #exchange(hop: Hop, journey: Journey): Promise<ClientResponse> {
    const { settled, cookies, trace, heedsPauses } = journey;
    const { pauses, maxHeaderCount } = this.#options;
    const asked = now();
    const request = { method: hop.method, url: hop.url.href };
    trace?.queued(request);
    if (heedsPauses && pauses.isAnyone) await pauses.wait(hop.url.origin, request, settled.poolMs);
    const started = startPayload(hop.payload, request);
    const payload = started instanceof Promise ? await started : started;
    const host = await this.#enter(hop.url, request, settled);
    journey.deadline = (journey.deadline ?? asked + settled.totalMs) + now() - asked;
    const plan = { request, settled, payload, maxHeaderCount, deadline: journey.deadline, trace };
    const exchange = await this.#send(cookies === null ? hop : withCookies(hop, cookies), host, plan, false);
    const response = new ClientResponse(exchange, request.url, hop.redirects, journey.attempt);
    if (cookies !== null) cookies.storeFrom(hop.url, response.headers.getSetCookie());
    return response;
  }

  async #enter(url: URL, request: RequestLine, { poolMs }: Settled): Promise<Host> {
    const { pool } = this.#options;
    if (pool.isClosed) throw sessionClosed(request);
    const host = pool.tryEnter(url) ?? (await pool.enter(url, now() + poolMs));
    if (host !== null) return host;
    if (pool.isClosed) throw sessionClosed(request);
    throw new HttpTimeoutError("pool", request, `no slot was free for ${poolMs} ms; raise limit or timeouts.poolMs`);
  }

  /** Sends one request over one connection and waits for the head of its answer. The slot is the exchange's now. */
  async #send(hop: Hop, host: Host, plan: ExchangePlan, isFresh: boolean): Promise<Exchange> {
    const { pool } = this.#options;
    const connection = pool.open(host, isFresh, plan.settled.keepAlive);
    const exchange = new Exchange(plan, pool, connection);
    plan.trace?.dequeued(connection.isUsed);
    try {
      connection.start(exchange, this.#dispatchOptions(hop, plan.payload));
      await exchange.head();
      return exchange;
    } catch (error) {
      exchange.abort();
      const { content } = plan.payload;
      if (content instanceof BodyStream) await content.closed();
      if (isFresh || !isStale(error, exchange, hop)) throw error;
    }
    const payload = await startPayload(hop.payload, plan.request);
    const place = await this.#enter(hop.url, plan.request, plan.settled);
    return this.#send(hop, place, { ...plan, payload }, true);
  }

  #dispatchOptions({ url, method, fields }: Hop, { content }: SentPayload): Dispatcher.DispatchOptions {
    const flat = fields === this.#options.usualFields ? this.#usualFlat : flatten(fields);
    const size = content instanceof BodyStream && !fields.has("content-length") ? content.size : undefined;
    return {
      path: `${url.pathname}${url.search}`,
      method,
      headers: size === undefined ? flat : [...flat, "content-length", String(size)],
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undici pulls from any async iterable as well
      body: content as string | Uint8Array | null,
    };
  }
}

/** With the cookies for its URL. Those that the caller has set stand first. */
function withCookies(hop: Hop, cookies: CookieJar): Hop {
  const kept = cookies.cookieHeader(hop.url);
  if (kept === undefined) return hop;
  const own = hop.fields.get("cookie") ?? [];
  return { ...hop, fields: new Map(hop.fields).set("cookie", [[...own, kept].join("; ")]) };
}

/**
 * The next hop; one that must not be taken leaves no connection behind. The fields are those from before the middlewares,
 * which will see the next hop too.
 */
function redirectOf(hop: Hop, response: ClientResponse, settled: Settled): Hop | null {
  try {
    const asked = response.url === hop.url.href ? hop : { ...hop, url: new URL(response.url) };
    return nextHop(asked, response.status, response.rawHeaders, settled);
  } catch (error) {
    response.abandon();
    throw error;
  }
}

/**
 * Whether a kept connection had been closed by the server by the time it was used, so that nobody saw the request; or
 * whether the server says so itself.
 */
function isStale(error: unknown, { isReused, isRefused, isAnswered, plan }: Exchange, { payload }: Hop): boolean {
  if (!(error instanceof HttpError) || error.code !== "MW_ERR_HTTP_RESET" || isAnswered) return false;
  if (isRefused) return !isSpent(payload);
  if (!isReused) return false;
  return IDEMPOTENT.has(plan.request.method) && !isSpent(payload);
}
