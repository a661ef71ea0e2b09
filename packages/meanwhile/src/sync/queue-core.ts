// How items go from puts to gets, for queues of any order: who waits, who is next, what is counted. The order itself is that
// of a Store.
//
//   Queue, PriorityQueue and LifoQueue are one class with three stores. Subclasses that override how an item is kept, as in
//   asyncio, would make each of them part of the hand-off, which is where queues go wrong.

import { QueueClosedError, QueueEmptyError, QueueFullError, UsageError } from "../errors.ts";
import { type Abort, ParkingLot, suspend, type WaitTarget } from "../lowlevel.ts";
import { LinkedList } from "../util/linked-list.ts";
import { DONE } from "./at-checkpoint.ts";
import { Place } from "./place.ts";
import type { QueueStatistics } from "./queue.ts";
import { closedForGet, END, Getting, Iterating, type Taker } from "./taker.ts";

/** Keeps the items of a queue and says which is next. */
export interface Store<T> {
  readonly size: number;
  /** Throws for an item that it could not keep. Asked before a put waits. */
  check?(item: T): void;
  /** Keeps an item. If it throws, nothing has changed. */
  push(item: T): void;
  /** Takes out the next item; there is one. If it throws, nothing has changed. */
  shift(): T;
}

/** What makes one kind of queue. */
export interface QueueKind<T> {
  readonly name: string;
  readonly makeStore: () => Store<T>;
}

/** Through what an item was put; null for the queue itself. */
export type Source = object | null;

interface Offer<T> {
  readonly item: T;
  readonly source: Source;
}

/** The workings of a queue. Its calls are no checkpoints: those of the queue are. */
export class QueueCore<T> {
  readonly #kind: QueueKind<T>;
  readonly #maxSize: number;
  // Invariants: a waiting get implies no items; a waiting put implies a full queue; both imply it is not closed.
  #items: Store<T>;
  readonly #gets = new LinkedList<Taker<T>>();
  readonly #getTarget: WaitTarget;
  readonly #puts = new LinkedList<Place<void, Offer<T>>>();
  readonly #putTarget: WaitTarget;
  readonly #joins: ParkingLot;
  #unfinished = 0;
  #openProducers = 0;
  #closed = false;

  constructor(kind: QueueKind<T>, maxSize: number) {
    const { name } = kind;
    this.#kind = kind;
    this.#maxSize = maxSize;
    this.#items = kind.makeStore();
    this.#getTarget = { describe: () => `${name}.get (it is empty)` };
    this.#putTarget = { describe: () => `${name}.put (all ${maxSize} places are taken)` };
    this.#joins = new ParkingLot({ describe: () => `${name}.join (${this.#unfinished} items are unfinished)` });
  }

  get size(): number {
    return this.#items.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  put(item: T, source: Source): Promise<void> {
    this.#checkPut(item);
    if (this.#hasRoom()) {
      this.#accept(item);
      return DONE;
    }
    return suspend<void>((waiter) => {
      const place = new Place(waiter, { item, source });
      this.#puts.push(place);
      return () => void this.#puts.remove(place);
    }, this.#putTarget);
  }

  tryPut(item: T): void {
    this.#checkPut(item);
    if (!this.#hasRoom()) {
      throw new QueueFullError(`Cannot put: all ${this.#maxSize} places are taken; use put() to wait for room`);
    }
    this.#accept(item);
  }

  get(): Promise<T> {
    if (this.#items.size > 0) return Promise.resolve(this.#take());
    if (this.#closed) throw closedForGet();
    return suspend<T>((waiter) => this.#lineUp(new Getting(waiter)), this.#getTarget);
  }

  /** Like `get`, for a loop. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.size > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#closed) return Promise.resolve(END);
    return suspend<IteratorResult<T, undefined>>((waiter) => this.#lineUp(new Iterating(waiter)), this.#getTarget);
  }

  tryGet(): T {
    if (this.#items.size > 0) return this.#take();
    if (this.#closed) throw closedForGet();
    throw new QueueEmptyError("Cannot get: the queue is empty; use get() to wait for an item");
  }

  close(immediate: boolean): void {
    this.#closed = true;
    for (let place = this.#puts.shift(); place !== null; place = this.#puts.shift()) {
      place.waiter.failWith(closedForPut);
    }
    for (let taker = this.#gets.shift(); taker !== null; taker = this.#gets.shift()) taker.end();
    if (!immediate) return;
    const dropped = this.#items.size;
    this.#items = this.#kind.makeStore();
    this.#countDone(dropped);
  }

  openProducer(): void {
    if (this.#closed) {
      throw new QueueClosedError(
        "Cannot make a producer: the queue is closed; make all producers before the last open one is closed",
      );
    }
    this.#openProducers += 1;
  }

  /** Ends a source: its waiting puts fail. With the last producer the queue is closed. */
  closeProducer(source: Source, makeError: () => Error): void {
    let place = this.#puts.first;
    while (place !== null) {
      const { next } = place;
      if (place.cargo.source === source) {
        this.#puts.remove(place);
        place.waiter.failWith(makeError);
      }
      place = next;
    }
    this.#openProducers -= 1;
    if (this.#openProducers === 0) this.close(false);
  }

  taskDone(): void {
    if (this.#unfinished === 0) {
      throw new UsageError(
        "MW_ERR_NOTHING_UNFINISHED",
        "Cannot report one more item as done: taskDone() was called for each item that was put; call it once for each",
      );
    }
    this.#countDone(1);
  }

  join(): Promise<void> {
    return this.#unfinished === 0 ? DONE : this.#joins.park();
  }

  statistics(): QueueStatistics {
    return {
      size: this.#items.size,
      maxSize: this.#maxSize,
      unfinished: this.#unfinished,
      closed: this.#closed,
      producers: this.#openProducers,
      getsWaiting: this.#gets.size,
      putsWaiting: this.#puts.size,
    };
  }

  #lineUp(taker: Taker<T>): Abort {
    this.#gets.push(taker);
    return () => void this.#gets.remove(taker);
  }

  #checkPut(item: T): void {
    this.#items.check?.(item);
    if (this.#closed) throw closedForPut();
  }

  #hasRoom(): boolean {
    return this.#items.size < this.#maxSize;
  }

  // There is room: the item goes to the longest waiting get, or into the store.
  #accept(item: T): void {
    const taker = this.#gets.shift();
    if (taker === null) this.#items.push(item);
    else taker.take(item);
    this.#unfinished += 1;
  }

  // There is an item: taking it makes room for the longest waiting put.
  #take(): T {
    const item = this.#items.shift();
    for (let place = this.#puts.shift(); place !== null; place = this.#puts.shift()) {
      try {
        this.#accept(place.cargo.item);
      } catch (error) {
        // It cannot be compared with those in the store: its own put fails, and the next one has the room.
        place.waiter.fail(error);
        continue;
      }
      place.waiter.wake();
      break;
    }
    return item;
  }

  #countDone(count: number): void {
    this.#unfinished -= count;
    if (this.#unfinished === 0) this.#joins.unparkAll();
  }
}

function closedForPut(): QueueClosedError {
  return new QueueClosedError("Cannot put: the queue is closed; put everything before close()");
}
