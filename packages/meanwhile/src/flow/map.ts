// Runs a function on every item of a source, a few at a time: for its results, or for its effects.

import { enterCheckpoint } from "../lowlevel.ts";
import { checkFeed, type Feed, type ForEachOptions, type ItemFunction, openWork } from "./feeder.ts";
import type { Source } from "./items.ts";
import type { JobHandler, Work } from "./job-runner.ts";
import { ResultIterator } from "./result-iterator.ts";
import { type Part, SuppressedErrors } from "./suppressed.ts";

/** Options of {@link map}. */
export interface MapOptions extends ForEachOptions {
  /** Whether the results come in the order of the items; if not, as they are ready. Default: true. */
  readonly ordered?: boolean | undefined;
}

/**
 * Calls `fn` for every item of an iterable or async iterable, at most `concurrency` at a time, and waits for all. Items
 * are pulled as places become free, so the source may be endless and memory stays flat. The first failure, of a call
 * or of the source, cancels the rest; when all has cleaned up, that error is thrown as it is. Later errors are reported
 * together, by one warning `MW_WARN_SUPPRESSED`; one of the source, by one of its own.
 *
 * A source that is left early is told so: its `return` is called and waited for; a stream of Node's is destroyed. An
 * async generator that waits for a foreign promise ends only after that: wrap the promise in `cancellable`.
 *
 * Cancellation: reaches every call and the source; `forEach` ends when all have cleaned up. If all succeed in spite of
 * it, `forEach` succeeds. An item that an async source still gives is not lost: its call starts, and is cancelled at its
 * first wait.
 *
 * @param fn - called with the item and its number, from 0
 * @throws the error of the first call that fails, or of the source; `TaskCancelledError` if somebody else cancelled one
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, or by the given `signal`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` without a `concurrency`, for a bad source or function
 * @see {@link https://tc39.es/proposal-async-iterator-helpers/}
 *
 * @example
 * ```ts
 * import { forEach, sleep } from "meanwhile";
 *
 * let total = 0;
 * await forEach(
 *   [1, 2, 3, 4],
 *   async (item) => {
 *     await sleep(1);
 *     total += item;
 *   },
 *   { concurrency: 2 },
 * );
 * console.log(total); //> 10
 * ```
 */
export async function forEach<T>(
  source: Source<T>,
  fn: ItemFunction<T, unknown>,
  options: ForEachOptions,
): Promise<void> {
  const feed = checkFeed("forEach", source, fn, options);
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  const effects = new Effects(feed);
  effects.work.start();
  await effects.work.children.join();
  effects.throwIfFailed();
}

class Effects<T> implements JobHandler {
  readonly work: Work;
  // Errors beside the one that is thrown.
  readonly #late = new SuppressedErrors("forEach");
  #failure: { readonly error: unknown } | null = null;

  constructor(feed: Feed<T>) {
    this.work = openWork(feed, this, false);
  }

  succeeded(): void {}

  failed(_index: number, error: unknown, part: Part): void {
    if (this.#failure === null) {
      this.#failure = { error };
      this.work.stop("another job of forEach failed");
    } else if (error !== this.#failure.error) this.#late.add(error, part);
  }

  throwIfFailed(): void {
    this.#late.report();
    if (this.#failure !== null) throw this.#failure.error;
    const cancelled = this.work.incomplete ? this.work.children.cancelledError() : null;
    if (cancelled !== null) throw cancelled;
  }
}

/**
 * Calls `fn` for every item of an iterable or async iterable, at most `concurrency` at a time, and gives the results one
 * by one, in the order of the items or as they are ready. An item is pulled only when there is a place for it, and a
 * place is free again when its result was taken: a slow reader slows the source down, and memory stays flat.
 *
 * Nothing starts before the first result is asked for. From then on everything belongs to the scope of that call, which
 * cancels it when it ends. Leaving the loop early cancels what is running and waits for its cleanup; errors that come
 * up then are reported by the warning `MW_WARN_SUPPRESSED`. Each loop over the result reads the source anew.
 *
 * The first failure, of a call or of the source, cancels the rest and drops the results that were not taken; when all
 * has cleaned up, `next` throws that error as it is.
 *
 * Cancellation: reaches every call and the source, if it is that of the scope of the loop; `next` throws when all have
 * cleaned up. In a scope of its own, like that of a `timeout`, only that one `next` is cancelled: no result is lost. An
 * item that an async source still gives is not lost: its call starts, and is cancelled at its first wait.
 *
 * @param fn - called with the item and its number, from 0
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` without a `concurrency`, for a bad source or function
 * @see {@link https://tc39.es/proposal-async-iterator-helpers/}
 *
 * @example
 * ```ts
 * import { map, sleep } from "meanwhile";
 *
 * const lengths = map(
 *   ["one", "three", "eleven"],
 *   async (word) => {
 *     await sleep(1);
 *     return word.length;
 *   },
 *   { concurrency: 2 },
 * );
 * for await (const length of lengths) console.log(length); //> 3
 * //> 5
 * //> 6
 * ```
 */
export function map<T, R>(source: Source<T>, fn: ItemFunction<T, R>, options: MapOptions): AsyncIterable<R>;
export function map(
  source: Source<unknown>,
  fn: ItemFunction<unknown, unknown>,
  options: MapOptions,
): AsyncIterable<unknown> {
  const feed = checkFeed("map", source, fn, options);
  const { ordered = true } = options;
  const open = (handler: JobHandler): Work => openWork(feed, handler, true);
  return { [Symbol.asyncIterator]: () => new ResultIterator({ call: "map", ordered, open }) };
}
