// Hands items from tasks to tasks, in order and with backpressure. How it does that is in queue-core.ts.

import { badArgument, isCount } from "../util/arguments.ts";
import { Deque } from "../util/deque.ts";
import { atCheckpoint } from "./at-checkpoint.ts";
import { QueueCore, type QueueKind } from "./queue-core.ts";
import { QueueProducer } from "./queue-producer.ts";

/** Options of a {@link Queue}. */
export interface QueueOptions {
  /** How many items may be queued before `put` waits; an integer >= 1, or `Infinity`. */
  readonly maxSize: number;
}

/** How a {@link Queue} is closed. */
export interface QueueCloseOptions {
  /** Whether what is queued is dropped, and counts as done. Default: false, it can still be got. */
  readonly immediate?: boolean | undefined;
}

/** A snapshot of a {@link Queue}. */
export interface QueueStatistics {
  /** How many items are queued. */
  readonly size: number;
  /** How many may be queued. */
  readonly maxSize: number;
  /** Items that were put and not yet reported by `taskDone`. */
  readonly unfinished: number;
  /** Whether the queue is closed. */
  readonly closed: boolean;
  /** How many producers are open. */
  readonly producers: number;
  /** How many tasks wait for an item. */
  readonly getsWaiting: number;
  /** How many tasks wait for room. */
  readonly putsWaiting: number;
}

const FIRST_IN_FIRST_OUT: QueueKind<never> = { name: "Queue", makeStore: () => new Deque<never>() };

/**
 * A first in, first out queue. `put` waits while it is full, `get` while it is empty. Once it is closed nothing can be
 * put; what is queued can still be got. Iterating gets items until the queue is closed and empty.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.Queue}
 *
 * @example
 * ```ts
 * import { gather, Queue } from "meanwhile";
 *
 * const queue = new Queue<number>({ maxSize: 2 });
 * await gather([
 *   async () => {
 *     for (const item of [1, 2, 3]) await queue.put(item);
 *     queue.close();
 *   },
 *   async () => {
 *     let sum = 0;
 *     for await (const item of queue) sum += item;
 *     console.log(sum); //> 6
 *   },
 * ]);
 * ```
 */
export class Queue<T> implements AsyncIterable<T> {
  readonly #core: QueueCore<T>;

  /** @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `maxSize` is not an integer >= 1 or `Infinity` */
  constructor(options: QueueOptions);
  /** @internal */
  constructor(options: QueueOptions, kind: QueueKind<T>);
  constructor(options: QueueOptions, kind: QueueKind<T> = FIRST_IN_FIRST_OUT) {
    const maxSize: unknown = options?.maxSize;
    if (maxSize !== Infinity && !isCount(maxSize, 1)) {
      throw badArgument(`create ${kind.name}`, "maxSize", maxSize, "an integer >= 1, or Infinity for no limit");
    }
    this.#core = new QueueCore(kind, maxSize);
  }

  /** How many items are queued. */
  get size(): number {
    return this.#core.size;
  }

  /** Whether the queue is closed. */
  get closed(): boolean {
    return this.#core.closed;
  }

  /**
   * Puts an item into the queue, waiting for room.
   *
   * Cancellation: safe. A call that throws has not put the item.
   *
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the queue is closed before there is room
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  put(item: T): Promise<void> {
    return atCheckpoint(() => this.#core.put(item, null));
  }

  /**
   * Puts an item into the queue if there is room.
   *
   * @throws {@link QueueFullError} `MW_ERR_QUEUE_FULL` if there is none
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the queue is closed
   */
  tryPut(item: T): void {
    this.#core.tryPut(item);
  }

  /**
   * Removes and returns the next item, waiting for one.
   *
   * Cancellation: safe. A call that throws has taken no item.
   *
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the queue is closed and empty
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  get(): Promise<T> {
    return atCheckpoint(() => this.#core.get());
  }

  /**
   * Removes and returns the next item if there is one.
   *
   * @throws {@link QueueEmptyError} `MW_ERR_QUEUE_EMPTY` if there is none
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if there is none and the queue is closed
   */
  tryGet(): T {
    return this.#core.tryGet();
  }

  /**
   * Closes the queue. Waiting and later puts throw `QueueClosedError`; gets do so once nothing is queued. Closing it
   * again changes nothing, but `immediate` then drops what is left.
   */
  close({ immediate = false }: QueueCloseOptions = {}): void {
    this.#core.close(immediate);
  }

  /**
   * Makes one of several sources of this queue. When the last open one has been closed, the queue closes itself: so
   * make them before the first is closed, or keep one open until all are made.
   *
   * `queue.put` can be used beside producers but keeps nothing open: once the last producer is closed it throws, as after
   * `close()`. Closing the queue ends the puts of all producers.
   *
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the queue is closed
   *
   * @example
   * ```ts
   * import { gather, Queue } from "meanwhile";
   *
   * const queue = new Queue<string>({ maxSize: 1 });
   * const producers = ["a", "b"].map((name) => ({ name, producer: queue.producer() }));
   * await gather([
   *   ...producers.map(({ name, producer }) => async () => {
   *     using open = producer; // closed at the end of the block
   *     await open.put(name);
   *   }),
   *   async () => {
   *     let all = "";
   *     for await (const item of queue) all += item;
   *     console.log(all); //> ab
   *   },
   * ]);
   * ```
   */
  producer(): QueueProducer<T> {
    return new QueueProducer<T>(this.#core);
  }

  /**
   * Says that an item got from the queue has been dealt with; `join` waits for as many as were put.
   *
   * @throws {@link UsageError} `MW_ERR_NOTHING_UNFINISHED` if called more often than items were put
   */
  taskDone(): void {
    this.#core.taskDone();
  }

  /**
   * Waits until `taskDone` was called for every item that was put.
   *
   * Cancellation: safe. Waiting changes nothing.
   *
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  join(): Promise<void> {
    return atCheckpoint(() => this.#core.join());
  }

  /** Gets items until the queue is closed and empty. Leaving the loop early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => atCheckpoint(() => this.#core.next()) };
  }

  /** A snapshot for dumps and tests. */
  statistics(): QueueStatistics {
    return this.#core.statistics();
  }
}
