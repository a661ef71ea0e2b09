// Hands items from tasks to tasks, in order and with backpressure.
// Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { QueueClosedError, QueueEmptyError, QueueFullError, UsageError } from "../errors.ts";
import { enterCheckpoint, ParkingLot } from "../lowlevel.ts";
import { Deque } from "../util/deque.ts";
import { show } from "../util/show.ts";

/** Options of a {@link Queue}. */
export interface QueueOptions {
  /** How many items may be queued before `put` waits; an integer >= 1, or `Infinity`. */
  readonly maxSize: number;
}

/** A snapshot of a {@link Queue}. */
export interface QueueStatistics {
  /** How many items are queued. */
  readonly size: number;
  /** How many may be queued. */
  readonly maxSize: number;
  /** Items that were put and not yet reported by `taskDone`. */
  readonly unfinished: number;
  /** Whether `close` was called. */
  readonly closed: boolean;
  /** How many tasks wait for an item. */
  readonly getsWaiting: number;
  /** How many tasks wait for room. */
  readonly putsWaiting: number;
}

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
  // Invariants: a waiting get implies no items; a waiting put implies a full queue; both imply it is not closed.
  readonly #items = new Deque<T>();
  readonly #maxSize: number;
  readonly #gets = new ParkingLot<T>({ describe: () => "Queue.get (it is empty)" });
  readonly #puts = new ParkingLot<void, readonly [T]>({
    describe: () => `Queue.put (all ${this.#maxSize} places are taken)`,
  });
  readonly #joins = new ParkingLot({ describe: () => `Queue.join (${this.#unfinished} items are unfinished)` });
  #unfinished = 0;
  #closed = false;

  /** @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `maxSize` is not an integer >= 1 or `Infinity` */
  constructor(options: QueueOptions) {
    const maxSize: unknown = options?.maxSize;
    if (typeof maxSize !== "number" || !(maxSize === Infinity || (Number.isInteger(maxSize) && maxSize >= 1))) {
      throw new UsageError(
        "MW_ERR_INVALID_ARGUMENT",
        `Cannot create Queue: 'maxSize' is ${show(maxSize)}; pass an integer >= 1, or Infinity for no limit`,
      );
    }
    this.#maxSize = maxSize;
  }

  /** How many items are queued. */
  get size(): number {
    return this.#items.size;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Appends an item, waiting for room.
   *
   * Cancellation: a call that throws has not put the item.
   *
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the queue is closed before there is room
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  async put(item: T): Promise<void> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    if (this.#closed) throw closedForPut();
    if (this.#hasRoom()) this.#accept(item);
    else await this.#puts.park([item]); // whoever makes room takes the item along
  }

  /**
   * Appends an item if there is room.
   *
   * @throws {@link QueueFullError} `MW_ERR_QUEUE_FULL` if there is none
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the queue is closed
   */
  tryPut(item: T): void {
    if (this.#closed) throw closedForPut();
    if (!this.#hasRoom()) {
      throw new QueueFullError(`Cannot put: all ${this.#maxSize} places are taken; use put() to wait for room`);
    }
    this.#accept(item);
  }

  /**
   * Removes and returns the oldest item, waiting for one.
   *
   * Cancellation: a call that throws has taken no item.
   *
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the queue is closed and empty
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  async get(): Promise<T> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    if (this.#items.size > 0) return this.#take();
    if (this.#closed) throw closedForGet();
    return this.#gets.park();
  }

  /**
   * Removes and returns the oldest item if there is one.
   *
   * @throws {@link QueueEmptyError} `MW_ERR_QUEUE_EMPTY` if there is none
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if there is none and the queue is closed
   */
  tryGet(): T {
    if (this.#items.size > 0) return this.#take();
    if (this.#closed) throw closedForGet();
    throw new QueueEmptyError("Cannot get: the queue is empty; use get() to wait for an item");
  }

  /**
   * Closes the queue. Waiting and later puts throw `QueueClosedError`; gets do so once nothing is queued. Closing it
   * again changes nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#puts.failAll(closedForPut);
    this.#gets.failAll(closedForGet);
  }

  /**
   * Says that an item got from the queue has been dealt with; `join` waits for as many as were put.
   *
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if called more often than items were put
   */
  taskDone(): void {
    if (this.#unfinished === 0) {
      throw new UsageError(
        "MW_ERR_INVALID_ARGUMENT",
        "Cannot report one more item as done: taskDone() was called for each item that was put; call it once for each",
      );
    }
    this.#unfinished -= 1;
    if (this.#unfinished === 0) this.#joins.unparkAll();
  }

  /**
   * Waits until `taskDone` was called for every item that was put.
   *
   * Cancellation: nothing can be lost.
   *
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  async join(): Promise<void> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    if (this.#unfinished > 0) await this.#joins.park();
  }

  /** Gets items until the queue is closed and empty. Leaving the loop early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: async () => {
        try {
          return { done: false, value: await this.get() };
        } catch (error) {
          if (error instanceof QueueClosedError) return { done: true, value: undefined };
          throw error;
        }
      },
    };
  }

  /** A snapshot for dumps and tests. */
  statistics(): QueueStatistics {
    return {
      size: this.#items.size,
      maxSize: this.#maxSize,
      unfinished: this.#unfinished,
      closed: this.#closed,
      getsWaiting: this.#gets.size,
      putsWaiting: this.#puts.size,
    };
  }

  #hasRoom(): boolean {
    return this.#items.size < this.#maxSize;
  }

  // There is room: the item goes to the longest waiting get, or into the queue.
  #accept(item: T): void {
    this.#unfinished += 1;
    if (!this.#gets.unpark(item)) this.#items.push(item);
  }

  // There is an item: taking it makes room for the longest waiting put.
  #take(): T {
    const item = this.#items.shift();
    const waiting = this.#puts.peek();
    if (waiting !== undefined) {
      this.#accept(waiting[0]);
      this.#puts.unpark();
    }
    return item;
  }
}

function closedForPut(): QueueClosedError {
  return new QueueClosedError("Cannot put: the queue is closed; put everything before close()");
}

function closedForGet(): QueueClosedError {
  return new QueueClosedError("Cannot get: the queue is closed and empty; iterate with for await to stop there");
}
