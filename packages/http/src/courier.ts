// Carries one attempt through: waits for a slot, sends, waits for the head of the answer, follows redirects. What the
// user puts in between stands around each request that goes out.

import { isIP } from "node:net";

import { now } from "meanwhile";
import type { Dispatcher } from "undici";

import type { AddressRule } from "./addresses.ts";
import { BodyStream } from "./body-stream.ts";
import type { CookieJar } from "./cookie-jar.ts";
import { HttpError, HttpTimeoutError, type RequestLine } from "./errors.ts";
import type { ExchangePlan } from "./exchange-plan.ts";
import { Exchange } from "./exchange.ts";
import { sessionClosed } from "./failures.ts";
import type { Heed, HostPauses } from "./host-pauses.ts";
import { ClientRequest, type Middleware, onion } from "./middleware.ts";
import type { Settled } from "./options.ts";
import type { Host, Pool } from "./pool.ts";
import { forAnybody, type Hop, nextHop } from "./redirects.ts";
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
  /** Which addresses are public; null if redirects may lead anywhere. */
  readonly redirectRule: AddressRule | null;
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
  /** Whether it waits for hosts that have asked to be left alone, and what tells which have; null if it does not care. */
  readonly heed: Heed | null;
  /** The address of the server that answered last; undefined if no connection did, null if that is a proxy's. */
  peer: string | null | undefined;
  /** Those that servers gave, in order. */
  readonly responses: ClientResponse[];
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

  /** Makes one attempt, and follows redirects. When it throws, no slot and no connection of it is left. */
  async deliver(first: Hop, journey: Journey): Promise<ClientResponse> {
    try {
      const pass = this.#passage(journey);
      for (let hop = first; ;) {
        const response = await (pass === null ? this.#exchange(hop, journey) : pass(hop));
        const next = redirectOf(hop, response, journey);
        if (next === null) return response;
        journey.trace?.redirected(response.status, next.url.href);
        await response.close();
        hop = this.#isFromPublic(hop, journey) ? { ...next, isPublicOnly: true } : next;
        journey.peer = undefined;
      }
    } catch (error) {
      // A middleware may have thrown with an answer in its hands.
      for (const response of journey.responses) response.abandon();
      throw error;
    }
  }

  /** The way through the middlewares; null if there are none. */
  #passage(journey: Journey): ((hop: Hop) => Promise<ClientResponse>) | null {
    const { auth, middlewares, settled, attempt, cookies } = journey;
    const own = this.#options.middlewares;
    if (auth === null && own.length === 0 && middlewares.length === 0) return null;
    const all = [...(auth === null ? [] : [auth]), ...own, ...middlewares];
    const send = onion(all, (request) => this.#exchange(request.hop, journey));
    return (hop) => send(new ClientRequest(hop, settled, attempt, cookies));
  }

  /** Whether what an answer redirects to may be at public addresses only. */
  #isFromPublic({ url, isPublicOnly }: Hop, { peer }: Journey): boolean {
    const { redirectRule } = this.#options;
    if (redirectRule === null || peer === null) return false;
    const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const address = peer ?? (isIP(literal) === 0 ? undefined : literal);
    // Of what no connection gave nobody knows where it came from: a cache may have it from anywhere.
    return isPublicOnly || address === undefined || redirectRule(address, isIP(address) === 6 ? 6 : 4, literal);
  }

  /** Sends one request and waits for the head of its answer. */
  async #exchange(hop: Hop, journey: Journey): Promise<ClientResponse> {
    const { settled, cookies, trace, heed } = journey;
    const { maxHeaderCount } = this.#options;
    const asked = now();
    const request = { method: hop.method, url: hop.url.href };
    trace?.queued(request);
    const started = startPayload(hop.payload, request);
    const payload = started instanceof Promise ? await started : started;
    const host = this.#enterAtOnce(hop, heed) ?? (await this.#enterWhenOpen(hop, request, journey));
    journey.deadline = (journey.deadline ?? asked + settled.totalMs) + now() - asked;
    const plan = { request, settled, payload, maxHeaderCount, deadline: journey.deadline, trace, heed };
    const exchange = await this.#send(cookies === null ? hop : withCookies(hop, cookies), host, plan, false);
    journey.peer = exchange.peer;
    const response = new ClientResponse(exchange, request.url, hop.redirects, journey.attempt);
    journey.responses.push(response);
    if (cookies !== null) cookies.storeFrom(hop.url, response.headers.getSetCookie());
    return response;
  }

  /** Takes a slot if nothing is in the way; null if something is. */
  #enterAtOnce(hop: Hop, heed: Heed | null): Host | null {
    const { pauses, pool } = this.#options;
    return pool.isClosed || (heed !== null && pauses.isAnyone) ? null : pool.tryEnter(hop);
  }

  /** Takes a slot when the host wants to be asked. It may have changed its mind while others were waited for. */
  async #enterWhenOpen(hop: Hop, request: RequestLine, { settled, heed }: Journey): Promise<Host> {
    const { pauses, pool } = this.#options;
    const { origin } = hop.url;
    for (;;) {
      if (heed !== null && pauses.isAnyone) await pauses.wait(origin, request, settled.poolMs);
      const host = await this.#enter(hop, request, settled);
      if (heed === null || !pauses.isPaused(origin)) return host;
      pool.giveBack(host);
    }
  }

  async #enter(hop: Hop, request: RequestLine, { poolMs }: Settled): Promise<Host> {
    const { pool } = this.#options;
    if (pool.isClosed) throw sessionClosed(request);
    const host = await pool.enter(hop, now() + poolMs);
    if (host !== null) return host;
    if (pool.isClosed) throw sessionClosed(request);
    throw new HttpTimeoutError("pool", request, `no slot was free for ${poolMs} ms; raise limit or timeouts.poolMs`);
  }

  /** Sends one request over one connection and waits for the head of its answer. The slot is the exchange's now. */
  async #send(hop: Hop, host: Host, plan: ExchangePlan, isFresh: boolean): Promise<Exchange> {
    const { pool } = this.#options;
    if (pool.isClosed) {
      pool.giveBack(host);
      throw sessionClosed(plan.request);
    }
    const connection = pool.open(host, isFresh, plan.settled.keepAlive);
    const exchange = new Exchange(plan, pool, connection);
    plan.trace?.dequeued(connection.isUsed);
    try {
      connection.start(exchange, this.#dispatchOptions(hop, plan.payload));
      await exchange.firstEvent();
      if (!exchange.hasHead) await exchange.head();
      return exchange;
    } catch (error) {
      exchange.abort();
      const { content } = plan.payload;
      if (content instanceof BodyStream) await content.closed();
      if (isFresh || !isStale(error, exchange, hop)) throw error;
    }
    const payload = await startPayload(hop.payload, plan.request);
    const place = await this.#enter(hop, plan.request, plan.settled);
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
function redirectOf(hop: Hop, response: ClientResponse, { settled, cookies }: Journey): Hop | null {
  try {
    return nextHop(askedHop(hop, response), response.status, response.rawHeaders, settled, cookies);
  } catch (error) {
    response.abandon();
    throw error;
  }
}

/** What was asked in truth: a middleware may have led to another URL, at another origin. */
function askedHop(hop: Hop, response: ClientResponse): Hop {
  if (response.url === hop.url.href) return hop;
  const url = new URL(response.url);
  if (url.origin === hop.url.origin) return { ...hop, url };
  return { ...hop, url, fields: forAnybody(hop.fields), isCrossOrigin: true };
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
