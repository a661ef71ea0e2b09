// A queue whose smallest item is next.

import { UsageError } from "../errors.ts";
import { badArgument } from "../util/arguments.ts";
import { invariant } from "../util/invariant.ts";
import { show } from "../util/show.ts";
import type { Store } from "./queue-core.ts";
import { Queue, type QueueOptions } from "./queue.ts";

/** Says which of two items comes first: negative for `a`, positive for `b`, 0 for the one that was put first. */
export type Compare<T> = (a: T, b: T) => number;

/** Options of a {@link PriorityQueue}. `compare` can be left out where all items are numbers, strings, bigints or dates. */
export type PriorityQueueOptions<T> = QueueOptions &
  ([T] extends [number] | [string] | [bigint] | [Date]
    ? {
        /** Which of two items comes first. Default: the smaller one. */
        readonly compare?: Compare<T> | undefined;
      }
    : {
        /** Which of two items comes first. */
        readonly compare: Compare<T>;
      });

/**
 * A {@link Queue} that gives the smallest item first, and equal ones in the order they were put. All items in the queue
 * are of one type; what cannot be compared is refused when it is put. The order is that of the items when they were put:
 * changing one in the queue does not move it.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-queue.html#asyncio.PriorityQueue}
 *
 * @example
 * ```ts
 * import { PriorityQueue } from "meanwhile";
 *
 * interface Job { readonly name: string; readonly due: number }
 * const jobs = new PriorityQueue<Job>({ maxSize: 10, compare: (a, b) => a.due - b.due });
 * await jobs.put({ name: "report", due: 5 });
 * await jobs.put({ name: "backup", due: 2 });
 * console.log((await jobs.get()).name); //> backup
 * ```
 */
export class PriorityQueue<T> extends Queue<T> {
  /**
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `maxSize` is not an integer >= 1 or `Infinity`, or `compare` is
   * no function
   */
  constructor(options: PriorityQueueOptions<T>) {
    const compare: unknown = options?.compare;
    if (compare !== undefined && typeof compare !== "function") {
      throw badArgument("create PriorityQueue", "compare", compare, "a function that returns a number");
    }
    super(options, { name: "PriorityQueue", makeStore: () => new Heap<T>(options.compare) });
  }
}

interface Entry<T> {
  readonly item: T;
  /** How many were pushed before it. */
  readonly age: number;
}

// A binary heap. All comparing is done before anything is moved, so one that throws changes nothing.
class Heap<T> implements Store<T> {
  // Invariant: for i > 0 the entry at i does not come before the one at (i - 1) >> 1.
  readonly #entries: Array<Entry<T>> = [];
  readonly #compare: Compare<T> | undefined;
  #pushed = 0;

  constructor(compare: Compare<T> | undefined) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#entries.length;
  }

  check(item: T): void {
    if (this.#compare !== undefined) {
      checkOrder(this.#compare(item, item));
      return;
    }
    if (!isOrdered(item)) throw notOrdered(item);
    if (this.size === 0) return;
    const type = typeName(this.#at(0).item);
    if (typeName(item) !== type) throw otherType(item, type);
  }

  push(item: T): void {
    const entries = this.#entries;
    const entry: Entry<T> = { item, age: this.#pushed };
    const last = entries.length;
    let place = last;
    while (place > 0 && this.#comesFirst(entry, this.#at(parentOf(place)))) place = parentOf(place);
    for (let at = last; at > place; at = parentOf(at)) entries[at] = this.#at(parentOf(at));
    entries[place] = entry;
    this.#pushed += 1;
  }

  shift(): T {
    const entries = this.#entries;
    const { item } = this.#at(0);
    // The last entry fills the place that becomes free below the top; those on the way there move up.
    let moved = this.#at(entries.length - 1);
    for (let at = this.#placeFromTop(moved); at > 0; at = parentOf(at)) {
      const above = this.#at(at);
      entries[at] = moved;
      moved = above;
    }
    entries[0] = moved;
    entries.pop();
    return item;
  }

  // Where an entry belongs if it sinks from the top, with the last place gone.
  #placeFromTop(entry: Entry<T>): number {
    const size = this.#entries.length - 1;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) return place;
      if (child + 1 < size && this.#comesFirst(this.#at(child + 1), this.#at(child))) child += 1;
      if (this.#comesFirst(entry, this.#at(child))) return place;
      place = child;
    }
  }

  #at(place: number): Entry<T> {
    const entry = this.#entries[place];
    invariant(entry !== undefined, `the heap has no place ${place}`);
    return entry;
  }

  #comesFirst(a: Entry<T>, b: Entry<T>): boolean {
    const order = this.#compare === undefined ? compareOrdered(a.item, b.item) : this.#compare(a.item, b.item);
    checkOrder(order);
    return order === 0 ? a.age < b.age : order < 0;
  }
}

function parentOf(place: number): number {
  return (place - 1) >> 1;
}

// Both are of the same type, one of those below.
function compareOrdered<T>(a: T, b: T): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/** Whether `<` puts the item in order with others of its type. */
function isOrdered(item: unknown): boolean {
  const number = item instanceof Date ? item.getTime() : item;
  if (typeof number === "number") return !Number.isNaN(number);
  return typeof item === "string" || typeof item === "bigint";
}

function typeName(item: unknown): string {
  return item instanceof Date ? "Date" : typeof item;
}

function checkOrder(order: unknown): void {
  if (typeof order === "number" && !Number.isNaN(order)) return;
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot put the item: 'compare' returned ${show(order)}; return a number, negative if the first of the two comes first`,
  );
}

function notOrdered(item: unknown): UsageError {
  return new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot put ${show(item)}: it is not in order with others by itself; put numbers, strings, bigints or dates, or give the PriorityQueue a 'compare'`,
  );
}

function otherType(item: unknown, type: string): UsageError {
  return new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot put ${show(item)}: the items of this PriorityQueue are of the type ${type}; put items of one type, or give it a 'compare'`,
  );
}
