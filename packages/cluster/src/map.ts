// Runs a function on every item of a source, many items to a job.
//
// Built on the core's `map`: its items are chunks here. So cancellation, errors, order and leaving early are those of `map`.

import { map } from "meanwhile";
import type { PoolMapOptions, PoolResults } from "meanwhile/workers";

import { callInCluster } from "./call.ts";
import { Sizes, WINDOW } from "./chunk-sizes.ts";
import { otherResults } from "./client-errors.ts";
import type { JobTerms } from "./client-job.ts";
import type { Client } from "./client.ts";
import { ClusterError } from "./errors.ts";
import { badOption, checkNames } from "./options.ts";

/** A source of items, as `map` of the core takes it. */
export type Source<T> = Iterable<T> | AsyncIterable<T>;

/** Makes the results; nothing starts before the first is asked for. */
export function mapInCluster(
  client: Client,
  name: string,
  source: Source<unknown>,
  options: PoolMapOptions,
): PoolResults<unknown> {
  checkMap(source, options);
  const { ordered = true, window = WINDOW } = options;
  const terms: JobTerms = {
    isEach: true,
    isIdempotent: client.settings.isIdempotent,
    graceMs: client.settings.graceMs,
    wantsProgress: false,
    key: null,
  };
  const chunks = (): AsyncIterable<unknown[]> => {
    const sizes = new Sizes(
      client.settings.maxResultBytes,
      window,
      isAsync(source) ? (options.chunk ?? 1) : options.chunk,
    );
    const work = async (items: unknown[]): Promise<unknown[]> => await callInParts(client, name, items, terms, sizes);
    const inChunks = isAsync(source) ? collectAsync(source, sizes) : collect(source, sizes);
    return map(inChunks, work, { concurrency: sizes.concurrency, ordered });
  };
  return {
    [Symbol.asyncIterator]: () => new ItemIterator(chunks()[Symbol.asyncIterator]()),
    async toArray() {
      const all: unknown[] = [];
      for await (const chunk of chunks()) for (const value of chunk) all.push(value);
      return all;
    },
  };
}

/** What is too much for one job goes in two: the limits are there for jobs, not for how many items happen to be in one. */
async function callInParts(
  client: Client,
  name: string,
  items: unknown[],
  terms: JobTerms,
  sizes: Sizes,
): Promise<unknown[]> {
  let mayBegin = true;
  const taken = (): void => void (mayBegin = terms.isIdempotent);
  const took = (ms: number, bytes: number): void => sizes.learn(items.length, ms, bytes);
  try {
    const results = await callInCluster(client, { name, args: items, terms, taken, took });
    // Whoever can write to the queue can say how long a list is: nothing is made of that length before it was compared.
    if (!Array.isArray(results) || results.length !== items.length) throw otherResults(name, items.length, results);
    return results;
  } catch (error) {
    const isTooLarge = error instanceof ClusterError && error.code === "MW_ERR_CLUSTER_TOO_LARGE";
    if (!isTooLarge || !mayBegin || items.length === 1) throw error;
  }
  const half = Math.ceil(items.length / 2);
  sizes.limit(half);
  const first = await callInParts(client, name, items.slice(0, half), terms, sizes);
  return [...first, ...(await callInParts(client, name, items.slice(half), terms, sizes))];
}

function isAsync(source: Source<unknown>): source is AsyncIterable<unknown> {
  return typeof source === "object" && Symbol.asyncIterator in source;
}

function* collect(source: Iterable<unknown>, sizes: Sizes): Generator<unknown[]> {
  let items: unknown[] = [];
  for (const item of source) {
    items.push(item);
    if (items.length < sizes.next) continue;
    yield items;
    items = [];
  }
  if (items.length > 0) yield items;
}

async function* collectAsync(source: AsyncIterable<unknown>, sizes: Sizes): AsyncGenerator<unknown[]> {
  let items: unknown[] = [];
  for await (const item of source) {
    items.push(item);
    if (items.length < sizes.next) continue;
    yield items;
    items = [];
  }
  if (items.length > 0) yield items;
}

/** Gives the items of chunks one by one. */
class ItemIterator implements AsyncIterator<unknown, undefined> {
  readonly #chunks: AsyncIterator<unknown[]>;
  #chunk: unknown[] = [];
  #at = 0;
  // Calls of next() wait for each other, so that the order is kept.
  #tail: Promise<unknown> = Promise.resolve();

  constructor(chunks: AsyncIterator<unknown[]>) {
    this.#chunks = chunks;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const before = this.#tail;
    const next = this.#nextAfter(before);
    this.#tail = next.catch(() => undefined);
    return next;
  }

  async #nextAfter(before: Promise<unknown>): Promise<IteratorResult<unknown, undefined>> {
    await before;
    while (this.#at >= this.#chunk.length) {
      const next = await this.#chunks.next();
      if (next.done === true) return { done: true, value: undefined };
      this.#chunk = next.value;
      this.#at = 0;
    }
    return { done: false, value: this.#chunk[this.#at++] };
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#chunk = [];
    await this.#chunks.return?.();
    return { done: true, value: undefined };
  }
}

function checkMap(source: Source<unknown>, options: PoolMapOptions): void {
  const what = "map in a cluster";
  const isObject = typeof source === "object" && source !== null;
  if (typeof source !== "string" && !(isObject && (Symbol.iterator in source || Symbol.asyncIterator in source)))
    throw badOption(what, "source", source, "an iterable or async iterable of items");
  checkNames(what, options, ["window", "chunk", "ordered"]);
  const { window, chunk } = options;
  const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;
  if (window !== undefined && window !== Infinity && !isCount(window))
    throw badOption(what, "window", window, "an integer >= 1, or Infinity");
  if (chunk !== undefined && !isCount(chunk)) throw badOption(what, "chunk", chunk, "an integer >= 1");
}
