// Which entry is the answer to which request. The first answer to a URL lies under its key; answers to others, who asked
// with other credentials or other fields of its `Vary`, lie under keys made of its id: with it they are all gone.

import { createHash, randomUUID } from "node:crypto";

import { cancellable } from "meanwhile";

import type { CacheEntry, CacheStore } from "./cache-store.ts";
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
export function keyOf(method: string, url: string): string {
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
    const first = await this.#get(key);
    if (first === undefined) return { key, entry: undefined, hasOthers: false };
    if (isFor(request, first)) return { key, entry: first, hasOthers: false };
    const own = ownKey(request, first);
    const entry = own === null ? undefined : await this.#get(own);
    const isMine = entry !== undefined && isFor(request, entry);
    return { key: own ?? key, entry: isMine ? entry : undefined, hasOthers: true };
  }

  /** Keeps an answer to a request. */
  async keep(request: ClientRequest, entry: Omit<CacheEntry, "id">): Promise<void> {
    const key = keyOf(request.method, request.hop.url.href);
    const first = await this.#get(key);
    const isFirst = first === undefined || isFor(request, first) || first.vary !== entry.vary;
    const own = isFirst ? key : (ownKey(request, first) ?? key);
    await settled(this.#store.set(own, { ...entry, id: randomUUID() }));
  }

  /** Puts a newer form of an entry in its place. */
  async replace({ key }: Found, entry: CacheEntry): Promise<void> {
    await settled(this.#store.set(key, entry));
  }

  /** Forgets all answers to a URL. */
  async forget(url: string): Promise<void> {
    for (const method of ["GET", "HEAD"]) await settled(this.#store.delete(keyOf(method, url)));
  }

  async #get(key: string): Promise<CacheEntry | undefined> {
    const entry = this.#store.get(key);
    return entry !== undefined && "then" in entry ? cancellable(Promise.resolve(entry)) : entry;
  }
}

function isFor(request: ClientRequest, entry: CacheEntry): boolean {
  return variantOf(request, entry.vary) === entry.variant;
}

function ownKey(request: ClientRequest, first: CacheEntry): string | null {
  const variant = variantOf(request, first.vary);
  return variant === null ? null : `${first.id} ${variant}`;
}

/** A store may answer at once, or later. */
async function settled(result: unknown): Promise<void> {
  if (result instanceof Promise) await cancellable(result);
}
