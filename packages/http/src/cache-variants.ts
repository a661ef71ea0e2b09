// Which entry is the answer to which request. The first answer to a URL lies under its key; answers to others, who asked
// with other credentials or other fields of its `Vary`, lie under keys made of its id: with it they are all gone.

import { createHash, randomUUID } from "node:crypto";

import { cancellable, moveOnAfter } from "meanwhile";

import type { CacheEntry, CacheStore } from "./cache-store.ts";
import { HttpTimeoutError } from "./errors.ts";
import type { ClientRequest } from "./middleware.ts";
import { withoutSecrets } from "./request-headers.ts";

const CREDENTIALS = new Set(["authorization", "cookie", "proxy-authorization"]);

/** What is found for a request. */
export interface Found {
  readonly key: string;
  readonly entry: CacheEntry | undefined;
  /** Whether there are answers to the URL, for others. */
  readonly hasOthers: boolean;
}

/** Where the first answer to a URL lies. */
function keyOf(method: string, url: string): string {
  return `${method} ${url}`;
}

/** A hash of what tells the requests for one URL apart; null if none is like another. */
export function variantOf(request: ClientRequest, vary: string): string | null {
  const { fields } = request.hop;
  const open = withoutSecrets(fields);
  const names = vary
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  if (names.includes("*")) return null;
  const mine = [...fields].filter(([name]) => names.includes(name) || CREDENTIALS.has(name) || !open.has(name));
  // Those of the jar are added later. As in a browser, they count where the server says that they do.
  const kept = names.includes("cookie") ? request.cookies?.cookieHeader(request.hop.url) : undefined;
  if (kept !== undefined) mine.push(["cookie", [kept]]);
  mine.sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(mine)).digest("base64url");
}

/** The answers of a store, by request. */
export class Variants {
  readonly #store: CacheStore;

  constructor(store: CacheStore) {
    this.#store = store;
  }

  /** The entry for a request, as one of `method`. */
  async find(request: ClientRequest, method: string): Promise<Found> {
    const key = keyOf(method, request.hop.url.href);
    const first = await this.#get(request, key);
    if (first === undefined) return { key, entry: undefined, hasOthers: false };
    if (isFor(request, first)) return { key, entry: first, hasOthers: false };
    const own = ownKey(request, first);
    const entry = own === null ? undefined : await this.#get(request, own);
    const isMine = entry !== undefined && isFor(request, entry);
    return { key: own ?? key, entry: isMine ? entry : undefined, hasOthers: true };
  }

  /** Keeps an answer to a request. */
  async keep(request: ClientRequest, entry: Omit<CacheEntry, "id">): Promise<void> {
    const key = keyOf(request.method, request.hop.url.href);
    const found = this.#get(request, key);
    // Not awaited where it is here at once: the answer to another one could take the place meanwhile.
    const first = found instanceof Promise ? await found : found;
    const isFirst = first === undefined || isFor(request, first) || first.vary !== entry.vary;
    const own = isFirst ? key : (ownKey(request, first) ?? key);
    await inTime(this.#store.set(own, { ...entry, id: randomUUID() }), request);
  }

  /** Puts a newer form of an entry in its place. */
  async replace(request: ClientRequest, { key }: Found, entry: CacheEntry): Promise<void> {
    await inTime(this.#store.set(key, entry), request);
  }

  /** Forgets all answers to a URL. */
  async forget(request: ClientRequest, url: string): Promise<void> {
    for (const method of ["GET", "HEAD"]) await inTime(this.#store.delete(keyOf(method, url)), request);
  }

  #get(request: ClientRequest, key: string): Promise<CacheEntry | undefined> | CacheEntry | undefined {
    const found = inTime(this.#store.get(key), request);
    return found instanceof Promise ? found.then(entryOf) : entryOf(found);
  }
}

function isFor(request: ClientRequest, entry: CacheEntry): boolean {
  return variantOf(request, entry.vary) === entry.variant;
}

function ownKey(request: ClientRequest, first: CacheEntry): string | null {
  const variant = variantOf(request, first.vary);
  return variant === null ? null : `${first.id} ${variant}`;
}

/** What a store gives: at once, or later, but not later than the request may end. */
function inTime(result: unknown, request: ClientRequest): unknown {
  if (typeof result !== "object" || result === null || !("then" in result)) return result;
  return awaited(Promise.resolve(result), request);
}

async function awaited(result: Promise<unknown>, { method, hop, settled }: ClientRequest): Promise<unknown> {
  const found = await moveOnAfter(settled.totalMs, async () => ({ value: await cancellable(result) }));
  if (found !== undefined) return found.value;
  const what = `the store of the cache did not answer for ${settled.totalMs} ms; raise timeouts.totalMs`;
  throw new HttpTimeoutError("total", { method, url: hop.url.href }, what);
}

/** The entry, if it is one of ours. A store elsewhere may hold anything, also what an older version has written. */
function entryOf(found: unknown): CacheEntry | undefined {
  return isEntry(found) ? found : undefined;
}

function isEntry(found: unknown): found is CacheEntry {
  if (typeof found !== "object" || found === null) return false;
  const { id, vary, variant, policy, statusText, body }: Partial<Record<keyof CacheEntry, unknown>> = found;
  if ([id, vary, variant, statusText].some((text) => typeof text !== "string")) return false;
  return typeof policy === "object" && policy !== null && body instanceof Uint8Array;
}
