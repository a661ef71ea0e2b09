// Carries one attempt through: waits for a slot, sends, waits for the head of the answer, follows redirects.

import { now } from "meanwhile";
import type { Dispatcher } from "undici";

import { HttpError, HttpTimeoutError, type RequestLine } from "./errors.ts";
import type { ExchangePlan } from "./exchange-plan.ts";
import { Exchange } from "./exchange.ts";
import { sessionClosed } from "./failures.ts";
import type { Settled } from "./options.ts";
import type { Host, Pool } from "./pool.ts";
import { type Hop, nextHop } from "./redirects.ts";
import { BodyStream } from "./request-body.ts";
import { type Fields, flatten } from "./request-headers.ts";
import { ClientResponse } from "./response.ts";
import { IDEMPOTENT } from "./retries.ts";

export class Courier {
  readonly #pool: Pool;
  readonly #usualFields: Fields;
  readonly #usualFlat: string[];
  readonly #maxHeaderCount: number;

  /** @param usualFields - the header fields most requests have, so that they are flattened once */
  constructor(pool: Pool, usualFields: Fields, maxHeaderCount: number) {
    this.#pool = pool;
    this.#usualFields = usualFields;
    this.#usualFlat = flatten(usualFields);
    this.#maxHeaderCount = maxHeaderCount;
  }

  /** Makes one attempt. When it throws, no slot and no connection of it is left. */
  async deliver(first: Hop, settled: Settled, attempt: number): Promise<ClientResponse> {
    let hop = first;
    // Set when the first slot is there: waiting for one is not part of the total.
    let deadline: number | null = null;
    for (;;) {
      const asked = now();
      const request = { method: hop.method, url: hop.url.href };
      const host = await this.#enter(hop.url.origin, request, settled);
      deadline = (deadline ?? asked + settled.totalMs) + now() - asked;
      const plan = { request, settled, payload: hop.payload, maxHeaderCount: this.#maxHeaderCount, deadline };
      const exchange = await this.#send(hop, host, plan, false);
      const response = new ClientResponse(exchange, request.url, hop.redirects, attempt);
      const next = redirectOf(hop, exchange, response);
      if (next === null) return response;
      await response.close();
      hop = next;
    }
  }

  async #enter(origin: string, request: RequestLine, { poolMs }: Settled): Promise<Host> {
    if (this.#pool.isClosed) throw sessionClosed(request);
    const host = this.#pool.tryEnter(origin) ?? (await this.#pool.enter(origin, now() + poolMs));
    if (host !== null) return host;
    if (this.#pool.isClosed) throw sessionClosed(request);
    throw new HttpTimeoutError("pool", request, `no slot was free for ${poolMs} ms; raise limit or timeouts.poolMs`);
  }

  /** Sends one request over one connection and waits for the head of its answer. The slot is the exchange's now. */
  async #send(hop: Hop, host: Host, plan: ExchangePlan, isFresh: boolean): Promise<Exchange> {
    const connection = this.#pool.open(host, isFresh);
    const exchange = new Exchange(plan, this.#pool, connection);
    try {
      connection.start(exchange, this.#dispatchOptions(hop));
      await exchange.head();
      return exchange;
    } catch (error) {
      exchange.abort();
      const { content } = hop.payload;
      if (content instanceof BodyStream) await content.closed();
      if (isFresh || !isStale(error, exchange)) throw error;
    }
    const place = await this.#enter(hop.url.origin, plan.request, plan.settled);
    return this.#send(hop, place, plan, true);
  }

  #dispatchOptions({ url, method, fields, payload }: Hop): Dispatcher.DispatchOptions {
    return {
      path: `${url.pathname}${url.search}`,
      method,
      headers: fields === this.#usualFields ? this.#usualFlat : flatten(fields),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undici pulls from any async iterable as well
      body: payload.content as string | Uint8Array | null,
    };
  }
}

/** The next hop; one that must not be taken leaves no connection behind. */
function redirectOf(hop: Hop, { status, headers, plan }: Exchange, response: ClientResponse): Hop | null {
  try {
    return nextHop(hop, status, headers, plan.settled);
  } catch (error) {
    response.abandon();
    throw error;
  }
}

/** Whether a kept connection had been closed by the server by the time it was used: nobody saw the request. */
function isStale(error: unknown, { isReused, isAnswered, plan }: Exchange): boolean {
  const { content } = plan.payload;
  if (!(error instanceof HttpError) || error.code !== "MW_ERR_HTTP_RESET" || !isReused || isAnswered) return false;
  return IDEMPOTENT.has(plan.request.method) && !(content instanceof BodyStream && content.started);
}
