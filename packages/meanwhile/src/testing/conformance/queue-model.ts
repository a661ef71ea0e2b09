// What a queue is to the rules: its calls, its order, and a model of it.

import type { SequentialSpec } from "../sequential.ts";

/** A queue of numbers that holds so many at once. */
export interface QueueLike {
  /**
   * Adds an item, waiting for room.
   *
   * Cancellation: safe. A call that throws has not added it.
   */
  put(item: number): PromiseLike<unknown>;
  /**
   * Takes the next item, waiting for one.
   *
   * Cancellation: safe. A call that throws has not taken one.
   */
  get(): PromiseLike<number>;
  /** Adds an item if there is room; else throws, or returns false. */
  tryPut?(item: number): unknown;
  /** Takes an item if there is one; else throws, or returns undefined. */
  tryGet?(): number | undefined;
  /** Says that an item that was got has been dealt with. */
  taskDone?(): void;
  /** Ends the queue: waiting and later calls of `put` fail; `get` does when nothing is left. */
  close?(): void;
  /** What is to be seen from outside; the same whenever as many items were put as got, and nobody waits, but for numbers that only grow. */
  statistics?(): object;
}

/** In which order a queue gives its items: the oldest, the newest or the smallest first. */
export type QueueOrder = "oldest" | "newest" | "smallest";

/** Takes the item that comes next out of those that are queued, the oldest first. */
export function takeNext(
  items: readonly number[],
  order: QueueOrder,
): { readonly item: number; readonly rest: number[] } {
  const [oldest = Number.NaN] = items;
  const item = { oldest, newest: items.at(-1) ?? Number.NaN, smallest: Math.min(...items) }[order];
  const rest = items.toSpliced(order === "newest" ? items.length - 1 : items.indexOf(item), 1);
  return { item, rest };
}

/** Whether `tryPut` has added the item. */
export function tryPut(queue: QueueLike, item: number): boolean {
  try {
    return queue.tryPut?.(item) !== false;
  } catch {
    return false;
  }
}

/** What `tryGet` has taken; null if there was nothing. */
export function tryGet(queue: QueueLike): number | null {
  try {
    return queue.tryGet?.() ?? null;
  } catch {
    return null;
  }
}

type Call = "put first" | "put second" | "get" | "tryPut" | "tryGet";

/** The model: the items, the oldest first. */
export function queueSpec(
  create: (maxSize: number) => QueueLike,
  order: QueueOrder,
  maxSize: number,
): SequentialSpec<QueueLike, readonly number[], Call> {
  const sample = create(maxSize);
  const tries = sample.tryPut !== undefined && sample.tryGet !== undefined;
  return {
    create: () => create(maxSize),
    calls: ["put first", "put second", "get", ...(tries ? (["tryPut", "tryGet"] as const) : [])],
    perform: performOn,
    initial: [],
    step: (items, call, actor) => {
      const isGet = call === "get" || call === "tryGet";
      const cannot = isGet ? items.length === 0 : items.length >= maxSize;
      if (cannot) return call.startsWith("try") ? { state: items, result: isGet ? null : false } : null;
      if (!isGet) return { state: [...items, itemOf(call, actor)], result: true };
      const { item, rest } = takeNext(items, order);
      return { state: rest, result: item };
    },
  };
}

async function performOn(queue: QueueLike, call: Call, actor: number): Promise<unknown> {
  if (call === "get") return await queue.get();
  if (call === "tryGet") return tryGet(queue);
  if (call === "tryPut") return tryPut(queue, itemOf(call, actor));
  await queue.put(itemOf(call, actor));
  return true;
}

/** Different for each actor, so that it shows whose item was got. */
function itemOf(call: Call, actor: number): number {
  return 3 * actor + ["put first", "put second", "tryPut"].indexOf(call);
}
