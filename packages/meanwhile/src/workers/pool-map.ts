// Runs a function of the module on every item of a source, many items to a message.
//
// Built on the core's `map`: its items are chunks here. So cancellation, errors, order and leaving early are those of `map`.

import type { Source } from "../flow/items.ts";
import { map } from "../flow/map.ts";
import { enterCheckpoint } from "../lowlevel.ts";
import { isCount } from "../util/arguments.ts";
import { callInPool } from "./call.ts";
import { packNumbers } from "./each.ts";
import { ChunkErrors } from "./map-errors.ts";
import type { PoolCore } from "./pool-core.ts";
import { badOption } from "./settings.ts";

/** Options of the `map` of a pool. */
export interface PoolMapOptions {
  /**
   * How many items may be in work, or done and not yet read, beside the one that is handed over; a `chunk` larger than half of
   * it is made smaller. Default: as many as keep all workers busy, which for quick functions are tens of thousands.
   */
  readonly window?: number | undefined;
  /**
   * How many items go to a worker at once. Default: as many as take a few milliseconds, found out on the way; of an async
   * source, one.
   */
  readonly chunk?: number | undefined;
  /** Whether the results come in the order of the items; if not, as they are ready, chunk by chunk. Default: true. */
  readonly ordered?: boolean | undefined;
}

/** The results of the `map` of a pool. Each loop over it reads the source anew. */
export interface PoolResults<R> extends AsyncIterable<R> {
  /**
   * Waits for all results. Faster than a loop that collects them.
   *
   * Cancellation: reaches every call; it ends when all have ended.
   */
  toArray(): Promise<R[]>;
}

/** How much work a chunk is. */
const TARGET_MS = 4;
const LARGEST = 16_384;
/** How many chunks there are for each worker: one it works on, one it has, one on the way, one being read. */
const CHUNKS_PER_WORKER = 4;

/** Makes the results; nothing starts before the first is asked for. */
export function mapInPool(
  core: PoolCore,
  name: string,
  source: Source<unknown>,
  options: PoolMapOptions,
): PoolResults<unknown> {
  checkMap(source, options);
  const { ordered = true } = options;
  const chunks = (): AsyncIterable<ArrayLike<unknown>> => {
    const { size, concurrency } = plan(core, name, options);
    const errors = new ChunkErrors(core);
    const work = async ({ items, first }: Chunk): Promise<unknown> => {
      try {
        return await callInPool(core, name, [packNumbers(items)], true);
      } catch (error) {
        throw errors.of(error, first);
      }
    };
    const inChunks = isAsync(source)
      ? collectAsync(source, options.chunk === undefined ? 1 : size())
      : collect(source, size);
    return map(inChunks, work, { concurrency, ordered }) as AsyncIterable<ArrayLike<unknown>>;
  };
  return {
    [Symbol.asyncIterator]: () => new ItemIterator(chunks()[Symbol.asyncIterator]()),
    async toArray() {
      const all: unknown[] = [];
      for await (const chunk of chunks()) for (let i = 0; i < chunk.length; i++) all.push(chunk[i]);
      return all;
    },
  };
}

interface Plan {
  /** How many items the next chunk has. */
  readonly size: () => number;
  /** How many chunks are on the way. */
  readonly concurrency: number;
}

function plan(core: PoolCore, name: string, { window = Infinity, chunk }: PoolMapOptions): Plan {
  const { threads, concurrency: perWorker } = core.settings;
  const wanted = threads * perWorker * CHUNKS_PER_WORKER;
  // What is left of the chunk that is being read counts too: concurrency * size + size - 1 <= window.
  const concurrencyFor = (size: number): number => Math.max(1, Math.min(wanted, Math.floor((window + 1) / size) - 1));
  if (chunk !== undefined) {
    const size = Math.min(chunk, Math.floor((window + 1) / 2));
    return { size: () => size, concurrency: concurrencyFor(size) };
  }
  const largest = Math.max(1, Math.min(LARGEST, Math.floor((window + 1) / (wanted + 1))));
  let last = 1;
  const size = (): number => {
    const ms = core.costs.of(name);
    // Not all at once: a few quick items say little about the rest.
    last = ms === undefined ? 1 : Math.max(1, Math.min(largest, last * 4, Math.round(TARGET_MS / ms)));
    return last;
  };
  return { size, concurrency: concurrencyFor(largest) };
}

function isAsync(source: Source<unknown>): source is AsyncIterable<unknown> {
  return typeof source === "object" && Symbol.asyncIterator in source;
}

/** Items that go to a worker together. */
interface Chunk {
  readonly items: unknown[];
  /** The number of the first one. */
  readonly first: number;
}

function* collect(source: Iterable<unknown>, size: () => number): Generator<Chunk> {
  let items: unknown[] = [];
  let first = 0;
  let wanted = size();
  for (const item of source) {
    items.push(item);
    if (items.length < wanted) continue;
    yield { items, first };
    first += items.length;
    items = [];
    wanted = size();
  }
  if (items.length > 0) yield { items, first };
}

async function* collectAsync(source: AsyncIterable<unknown>, size: number): AsyncGenerator<Chunk> {
  let items: unknown[] = [];
  let first = 0;
  for await (const item of source) {
    items.push(item);
    if (items.length < size) continue;
    yield { items, first };
    first += items.length;
    items = [];
  }
  if (items.length > 0) yield { items, first };
}

/** Gives the items of chunks one by one. */
class ItemIterator implements AsyncIterator<unknown, undefined> {
  readonly #chunks: AsyncIterator<ArrayLike<unknown>>;
  #chunk: ArrayLike<unknown> = [];
  #at = 0;
  // Calls of next() that found no item wait for each other, so that the order is kept.
  #tail: Promise<unknown> | null = null;

  constructor(chunks: AsyncIterator<ArrayLike<unknown>>) {
    this.#chunks = chunks;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#tail !== null || this.#at >= this.#chunk.length) return this.#nextChunk();
    try {
      const turn = enterCheckpoint();
      if (turn !== null) {
        return turn.then(
          () => this.next(),
          (error: unknown) => this.#refused(error),
        );
      }
    } catch (error) {
      return this.#refused(error);
    }
    return Promise.resolve({ done: false, value: this.#chunk[this.#at++] });
  }

  async #nextChunk(): Promise<IteratorResult<unknown, undefined>> {
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    try {
      if (before !== null) await before;
      while (this.#at >= this.#chunk.length) {
        const next = await this.#chunks.next();
        if (next.done === true) return { done: true, value: undefined };
        this.#chunk = next.value;
        this.#at = 0;
      }
      return { done: false, value: this.#chunk[this.#at++] };
    } finally {
      if (this.#tail === promise) this.#tail = null;
      resolve();
    }
  }

  // Cancelled with items in hand: what is on the way has to be told as well, and waited for.
  async #refused(error: unknown): Promise<never> {
    await this.#chunks.next();
    throw error;
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#chunk = [];
    await this.#chunks.return?.();
    return { done: true, value: undefined };
  }
}

function checkMap(source: Source<unknown>, { window, chunk }: PoolMapOptions): void {
  const isObject = typeof source === "object" && source !== null;
  if (typeof source !== "string" && !(isObject && (Symbol.iterator in source || Symbol.asyncIterator in source))) {
    throw badOption("map in a pool", "source", source, "an iterable or async iterable of items");
  }
  if (window !== undefined && window !== Infinity && !isCount(window, 1)) {
    throw badOption("map in a pool", "window", window, "an integer >= 1, or Infinity");
  }
  if (chunk !== undefined && !isCount(chunk, 1)) throw badOption("map in a pool", "chunk", chunk, "an integer >= 1");
}
