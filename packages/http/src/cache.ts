// A private cache by RFC 9111, as a middleware.

import { now } from "meanwhile";

import { MadeAnswer } from "./answer.ts";
import { Flights, type Outcome } from "./cache-flights.ts";
import { directivesOf, EntryPolicy, isServerError } from "./cache-policy.ts";
import { RecordedAnswer } from "./cache-recorder.ts";
import { type CacheEntry, type CacheStore, MAX_ENTRY_BYTES, MemoryCacheStore } from "./cache-store.ts";
import { type Found, variantOf, Variants } from "./cache-variants.ts";
import { badArgument, SESSION } from "./checks.ts";
import { HttpError, type HttpErrorCode, HttpTimeoutError } from "./errors.ts";
import type { ClientRequest, Middleware, SendRequest } from "./middleware.ts";
import type { ClientResponse } from "./response.ts";

/** Options of {@link httpCache}. */
export interface HttpCacheOptions {
  /** Where the answers are kept. One store is for one user. Default: a `MemoryCacheStore`. */
  readonly store?: CacheStore | undefined;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
/** Who asks with one of these has a cache of their own, or wants only a part. */
const CONDITIONS = ["range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"];
const UNREACHABLE: ReadonlySet<HttpErrorCode> = new Set<HttpErrorCode>([
  "MW_ERR_HTTP_CONNECT",
  "MW_ERR_HTTP_CONNECT_TIMEOUT",
  "MW_ERR_HTTP_DNS",
  "MW_ERR_HTTP_IDLE_TIMEOUT",
  "MW_ERR_HTTP_RESET",
  "MW_ERR_HTTP_TOTAL_TIMEOUT",
]);

/**
 * Keeps the answers to GET and HEAD as long as the server allows, and asks whether they have changed when they may have.
 *
 * A private cache: it is for one user, and knows answers to requests with different credentials (`Authorization`,
 * `Cookie`, any `Secret`) apart; the cookies of a jar where the server says `Vary: Cookie`. An answer is kept when its body has been read to the end. Equal requests at the same
 * time ask once, and wait for each other no longer than their timeouts say. `Cache-Control` of a request is obeyed (`no-store`, `no-cache`, `max-age`, `max-stale`, `min-fresh`,
 * `only-if-cached`), and `stale-if-error` of either side; a request that changes a resource makes it forget that one. The
 * header field `Cache-Status` of the answer tells what it did. Put it last into `middlewares`, behind those that add
 * header fields.
 *
 * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` for a store that is none
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9111}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9211}
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { ClientSession, httpCache } from "@meanwhile/http";
 *
 * const server = createServer((request, response) => {
 *   response.setHeader("cache-control", "max-age=60").end(`answer for ${request.url}`);
 * });
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * {
 *   await using session = new ClientSession({ baseUrl: `http://127.0.0.1:${port}`, middlewares: [httpCache()] });
 *   await (await session.get("/a")).text();
 *   const again = await session.get("/a");
 *   console.log(await again.text(), again.headers.get("cache-status")?.slice(0, 14)); //> answer for /a meanwhile; hit
 * }
 * server.close();
 * ```
 */
export function httpCache({ store = new MemoryCacheStore() }: HttpCacheOptions = {}): Middleware {
  if ((["get", "set", "delete", "clear"] as const).some((name) => typeof store?.[name] !== "function")) {
    throw badArgument(SESSION, "store", store, "an object with get, set, delete and clear");
  }
  const cache = new HttpCache(store);
  return (request, next) => cache.answer(request, next);
}

class HttpCache {
  readonly #maxBytes: number;
  readonly #variants: Variants;
  readonly #flights = new Flights();

  constructor(store: CacheStore) {
    this.#maxBytes = store.maxEntryBytes ?? MAX_ENTRY_BYTES;
    this.#variants = new Variants(store);
  }

  async answer(request: ClientRequest, next: SendRequest): Promise<ClientResponse> {
    if (request.method !== "GET" && request.method !== "HEAD") return this.#passed(request, next);
    const directives = directivesOf(request.headers.get("cache-control"));
    if (request.body !== null || directives.has("no-store") || CONDITIONS.some((name) => request.headers.has(name))) {
      return next(request);
    }
    const known = await this.#known(request, "hit");
    if (!("key" in known)) return known;
    if (directives.has("only-if-cached")) return request.respond({ status: 504, statusText: "Gateway Timeout" });
    return this.#fetched(request, next, known);
  }

  /** The answer, if one is kept that will do; else what there is. */
  async #known(request: ClientRequest, how: string): Promise<ClientResponse | Found> {
    const found = await this.#variants.find(request, request.method);
    const kept = policyOf(found.entry);
    if (found.entry !== undefined && kept?.suffices(request) === true) return served(request, found.entry, kept, how);
    if (request.method !== "HEAD") return found;
    const { entry } = await this.#variants.find(request, "GET");
    const policy = policyOf(entry);
    if (entry === undefined || policy?.suffices(request) !== true) return found;
    return served(request, { ...entry, body: Buffer.alloc(0) }, policy, how);
  }

  async #fetched(request: ClientRequest, next: SendRequest, first: Found): Promise<ClientResponse> {
    const { totalMs, poolMs } = request.settled;
    // Who asks with other credentials can do nothing with the answer.
    const key = `${first.key} ${variantOf(request, "")}`;
    const started = now();
    let found = first;
    // Nothing is awaited between seeing that nobody asks and asking.
    while (this.#flights.has(key)) {
      const outcome = await this.#flights.follow(key, started + Math.min(totalMs, poolMs) - now());
      if (outcome === undefined && totalMs <= poolMs) throw tooLate(request);
      const known = await this.#known(request, `${forwarded(found)}; collapsed`);
      if (!("key" in known)) return known;
      found = known;
      // Nobody can share this one: who waited for it does not wait for the next one too.
      if (outcome !== "failed") return (await this.#ask(request, next, found, () => false))[0];
    }
    return this.#flights.lead(key, (isAwaited) => this.#ask(request, next, found, isAwaited));
  }

  /** Asks the server. Says as well what has become of the answer by now. */
  async #ask(
    request: ClientRequest,
    next: SendRequest,
    found: Found,
    isAwaited: () => boolean,
  ): Promise<readonly [ClientResponse, Outcome]> {
    const { entry } = found;
    const policy = policyOf(entry);
    if (entry === undefined || policy === null) return this.#recorded(request, await next(request), found, isAwaited);
    const conditions = policy.conditionsFor(request);
    const response = await next(request.with({ headers: conditions })).catch((error: unknown) => {
      if (!isUnreachable(error) || !policy.mayReplaceError(request)) throw error;
      return null;
    });
    if (response === null || (isServerError(response.status) && policy.mayReplaceError(request))) {
      await response?.close();
      return [
        served(request, entry, policy, `fwd=stale${response === null ? "" : `; fwd-status=${response.status}`}`),
        "not-kept",
      ];
    }
    if (response.status !== 304 || Object.keys(conditions).length === 0) {
      return this.#recorded(request, response, found, isAwaited);
    }
    await response.close();
    const renewed = policy.renewed(request, response.rawHeaders);
    // It spoke of an answer that is not ours: only the whole one helps.
    if (renewed === null) return this.#recorded(request, await next(request), found, isAwaited);
    await this.#variants.replace(request, found, { ...entry, policy: renewed.kept });
    return [served(request, entry, renewed, "fwd=stale; fwd-status=304"), "kept"];
  }

  /** Lets an answer through, and keeps what is read of it if it may be kept. */
  async #recorded(
    request: ClientRequest,
    response: ClientResponse,
    found: Found,
    isAwaited: () => boolean,
  ): Promise<readonly [ClientResponse, Outcome]> {
    const { rawHeaders: headers, status, statusText } = response;
    const vary = response.headers.get("vary") ?? "";
    const variant = variantOf(request, vary);
    const policy = EntryPolicy.of(request, status, headers);
    const announced = Number(headers["content-length"] ?? Number.NaN);
    const isWorth = variant !== null && policy.isStorable && !response.bodyUsed && !(announced > this.#maxBytes);
    const keep = (body: Uint8Array): Promise<void> =>
      this.#variants.keep(request, { vary, variant: variant ?? "", policy: policy.kept, statusText, body });
    const recording = {
      headers: { ...headers, "cache-status": statusField(headers["cache-status"], forwarded(found)) },
      maxBytes: this.#maxBytes,
      keep: isWorth ? keep : null,
    };
    let recorded: RecordedAnswer | null = null;
    const wrapped = response.over((answer) => (recorded = new RecordedAnswer(answer, recording)));
    const copy = recorded as RecordedAnswer | null;
    // A body of unknown length may be one that never ends: the others ask for themselves then.
    await copy?.readAhead(() => announced <= this.#maxBytes && isAwaited());
    if (!isWorth) return [wrapped, "unstorable"];
    return [wrapped, copy?.isKept === true ? "kept" : "not-kept"];
  }

  /** Lets a request through that may change what is kept. */
  async #passed(request: ClientRequest, next: SendRequest): Promise<ClientResponse> {
    const response = await next(request);
    if (SAFE.has(request.method) || response.status >= 400) return response;
    const { url } = request;
    for (const location of ["", response.headers.get("location"), response.headers.get("content-location")]) {
      const target = location === null ? null : URL.parse(location, url);
      if (target === null || target.origin !== url.origin) continue;
      target.hash = "";
      await this.#variants.forget(request, target.href).catch((error: unknown) => {
        response.abandon();
        throw error;
      });
    }
    return response;
  }
}

function tooLate({ method, hop, settled }: ClientRequest): HttpTimeoutError {
  const what = `an equal request that it waited for was not done after ${settled.totalMs} ms; raise timeouts.totalMs`;
  return new HttpTimeoutError("total", { method, url: hop.url.href }, what);
}

function policyOf(entry: CacheEntry | undefined): EntryPolicy | null {
  return entry === undefined ? null : EntryPolicy.from(entry.policy);
}

/** Why the server is asked. */
function forwarded({ entry, hasOthers }: Found): string {
  const policy = policyOf(entry);
  if (policy === null) return hasOthers ? "fwd=vary-miss" : "fwd=uri-miss";
  return policy.lifetime > 0 ? "fwd=request" : "fwd=stale";
}

function served(request: ClientRequest, entry: CacheEntry, policy: EntryPolicy, how: string): ClientResponse {
  const { method, settled } = request;
  const plan = { request: { method, url: request.hop.url.href }, settled };
  const said = statusField(undefined, how === "hit" ? `hit; ttl=${policy.lifetime}` : how);
  const headers = { ...policy.headers, ...(entry.vary === "" ? {} : { vary: entry.vary }), "cache-status": said };
  const { statusText } = entry;
  // A copy: who reads it may write into it.
  const body = Buffer.from(entry.body);
  return request.respond().over(() => new MadeAnswer(plan, { status: policy.status, statusText, headers, body }));
}

/** A `Cache-Status`, behind those of the caches before ours. */
function statusField(before: string | string[] | undefined, how: string): string {
  return [...[before ?? []].flat(), `meanwhile; ${how}`].join(", ");
}

function isUnreachable(error: unknown): boolean {
  return error instanceof HttpError && UNREACHABLE.has(error.code);
}
