// A queue whose newest item is next.

import type { QueueKind, Store } from "./queue-core.ts";
import { Queue, type QueueOptions } from "./queue.ts";

const LAST_IN_FIRST_OUT: QueueKind<never> = { name: "LifoQueue", makeStore: () => new Stack<never>() };

/**
 * A {@link Queue} that gives the newest item first.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.LifoQueue}
 *
 * @example
 * ```ts
 * import { LifoQueue } from "meanwhile";
 *
 * const history = new LifoQueue<string>({ maxSize: 10 });
 * await history.put("first");
 * await history.put("second");
 * console.log(await history.get()); //> second
 * ```
 */
export class LifoQueue<T> extends Queue<T> {
  /** @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `maxSize` is not an integer >= 1 or `Infinity` */
  constructor(options: QueueOptions) {
    super(options, LAST_IN_FIRST_OUT);
  }
}

class Stack<T> implements Store<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there is one, and it may be undefined itself
    return this.#items.pop() as T;
  }
}
