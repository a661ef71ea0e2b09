// Where the answers of a cache are kept.

import { badArgument, checkCount, SESSION } from "./checks.ts";

/** An answer as it is kept. All of it but the body can be written as JSON. */
export interface CacheEntry {
  /** Made anew for each answer: what belongs to another one is found no more. */
  readonly id: string;
  /** The request fields that the answer depends on, beside the credentials: the value of its `Vary`. */
  readonly vary: string;
  /** What these fields and the credentials were, as a hash. */
  readonly variant: string;
  /** When it may be used: an object of plain values, of `http-cache-semantics`. */
  readonly policy: Readonly<Record<string, unknown>>;
  /** The reason phrase. */
  readonly statusText: string;
  /** The body as it came, packed as its `Content-Encoding` says. */
  readonly body: Uint8Array;
}

/**
 * Keeps the answers of one user. An error it throws is thrown out of the request; so a store elsewhere that may be away
 * catches its own errors, and gives `undefined` instead of an entry.
 */
export interface CacheStore {
  /** The largest body it takes, in bytes: so much of an answer is held while it is read. Default: 5 MiB. */
  readonly maxEntryBytes?: number | undefined;
  /**
   * The entry of a key; undefined if there is none, or none any more.
   *
   * Cancellation: safe. What a store does goes on; the request does not wait for it any longer.
   */
  get(key: string): CacheEntry | undefined | PromiseLike<CacheEntry | undefined>;
  /** Keeps an entry, in place of the one before. */
  set(key: string, entry: CacheEntry): unknown;
  /** Drops an entry, if it is there. */
  delete(key: string): unknown;
  /** Drops everything. */
  clear(): unknown;
}

/** Options of a {@link MemoryCacheStore}. */
export interface MemoryCacheStoreOptions {
  /** How many bytes all entries may have together, with their header fields. Default: 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** How many bytes the body of an entry may have. Default: 5 MiB. */
  readonly maxEntryBytes?: number | undefined;
  /** How many entries there may be. Default: no limit but `maxBytes`. */
  readonly maxEntries?: number | undefined;
}

export const MAX_ENTRY_BYTES: number = 5 * 1024 * 1024;
/** What an entry costs beside what it holds. */
const ENTRY_OVERHEAD = 512;

/**
 * Keeps answers in memory. When there is no more room, the one that was not used for the longest time goes first.
 *
 * @example
 * ```ts
 * import { ClientSession, httpCache, MemoryCacheStore } from "@meanwhile/http";
 *
 * const store = new MemoryCacheStore({ maxBytes: 8 * 1024 * 1024 });
 * await using session = new ClientSession({ middlewares: [httpCache({ store })] });
 * console.log(store.size, store.bytes); //> 0 0
 * ```
 */
export class MemoryCacheStore implements CacheStore {
  /** How many bytes the body of an entry may have. */
  readonly maxEntryBytes: number;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  // Invariant: #bytes is the sum of the sizes. The one used last stands last.
  readonly #kept = new Map<string, { readonly entry: CacheEntry; readonly size: number }>();
  #bytes = 0;

  /** @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` for an option that cannot be used */
  constructor(options: MemoryCacheStoreOptions = {}) {
    if (typeof options !== "object" || options === null) throw badArgument(SESSION, "options", options, "an object");
    const { maxBytes = 64 * 1024 * 1024, maxEntryBytes = MAX_ENTRY_BYTES, maxEntries = Infinity } = options;
    checkCount(SESSION, "maxBytes", maxBytes, 0);
    checkCount(SESSION, "maxEntryBytes", maxEntryBytes, 0);
    checkCount(SESSION, "maxEntries", maxEntries, 0);
    this.#maxBytes = maxBytes;
    this.#maxEntries = maxEntries;
    this.maxEntryBytes = Math.min(maxEntryBytes, maxBytes);
  }

  /** How many answers it holds. */
  get size(): number {
    return this.#kept.size;
  }

  /** How many bytes they have. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The entry of a key, which counts as used now. */
  get(key: string): CacheEntry | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.entry;
  }

  /** Keeps an entry if it is not too large. */
  set(key: string, entry: CacheEntry): void {
    this.delete(key);
    const size = ENTRY_OVERHEAD + key.length + JSON.stringify(entry.policy).length + entry.body.length;
    if (entry.body.length > this.maxEntryBytes || size > this.#maxBytes) return;
    this.#kept.set(key, { entry, size });
    this.#bytes += size;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes && this.#kept.size <= this.#maxEntries) break;
      this.delete(oldest);
    }
  }

  /** Drops an entry. */
  delete(key: string): void {
    const found = this.#kept.get(key);
    if (found === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= found.size;
  }

  /** Drops everything. */
  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }
}
