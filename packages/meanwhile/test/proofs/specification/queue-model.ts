// A model of queues of every order.

import { leaveLine } from "./permit-models.ts";
import type { End, ThingModel } from "./two-steps.ts";

interface Items {
  items: number[];
  /** Those who wait for room, with what they bring. */
  readonly puts: Array<{ readonly actor: number; readonly item: number }>;
  /** Those who wait for an item. */
  readonly gets: number[];
  readonly joins: number[];
  unfinished: number;
  closed: boolean;
}

/** Calls of a queue; a number is put. */
export type QueueOp =
  | number
  | { readonly try: number }
  | "get"
  | "tryGet"
  | "close"
  | "drop"
  | "done"
  | "join"
  | "size";

/** Takes the next item out. */
export type Order = (items: number[]) => number | undefined;

/** First in, first out. */
export const fifo: Order = (items) => items.shift();

/** Last in, first out. */
export const lifo: Order = (items) => items.pop();

/** The smallest, whenever it was put: equal numbers cannot be told apart. */
export const smallest: Order = (items) => items.splice(items.indexOf(Math.min(...items)), 1)[0];

const CLOSED = "MW_ERR_QUEUE_CLOSED";

class QueueModel {
  readonly #state: Items;
  readonly #end: End;
  readonly #order: Order;
  readonly #maxSize: number;

  constructor(state: Items, end: End, order: Order, maxSize: number) {
    this.#state = state;
    this.#end = end;
    this.#order = order;
    this.#maxSize = maxSize;
  }

  ask(op: QueueOp, actor: number): void {
    if (typeof op === "number") this.#put(op, actor, true);
    else if (typeof op === "object") this.#put(op.try, actor, false);
    else if (op === "get" || op === "tryGet") this.#get(actor, op === "get");
    else if (op === "close" || op === "drop") this.#close(actor, op === "drop");
    else if (op === "done") this.#done(actor);
    else if (op === "size") this.#end(actor, this.#state.items.length);
    else if (this.#state.unfinished === 0) this.#end(actor, null);
    else this.#state.joins.push(actor);
  }

  #put(item: number, actor: number, waits: boolean): void {
    const { closed, items, puts } = this.#state;
    if (closed) this.#end(actor, CLOSED);
    else if (items.length < this.#maxSize) {
      this.#accept(item);
      this.#end(actor, null);
    } else if (waits) puts.push({ actor, item });
    else this.#end(actor, "MW_ERR_QUEUE_FULL");
  }

  #accept(item: number): void {
    const taker = this.#state.gets.shift();
    if (taker === undefined) this.#state.items.push(item);
    else this.#end(taker, item);
    this.#state.unfinished += 1;
  }

  #get(actor: number, waits: boolean): void {
    const { closed, items, puts, gets } = this.#state;
    if (items.length > 0) {
      this.#end(actor, this.#order(items));
      const put = puts.shift();
      if (put === undefined) return;
      this.#accept(put.item);
      this.#end(put.actor, null);
    } else if (closed) this.#end(actor, CLOSED);
    else if (waits) gets.push(actor);
    else this.#end(actor, "MW_ERR_QUEUE_EMPTY");
  }

  #close(actor: number, drops: boolean): void {
    const state = this.#state;
    state.closed = true;
    for (const put of state.puts.splice(0)) this.#end(put.actor, CLOSED);
    for (const taker of state.gets.splice(0)) this.#end(taker, CLOSED);
    if (drops) this.#finish(state.items.splice(0).length);
    this.#end(actor, null);
  }

  #done(actor: number): void {
    if (this.#state.unfinished === 0) this.#end(actor, "MW_ERR_NOTHING_UNFINISHED");
    else {
      this.#finish(1);
      this.#end(actor, null);
    }
  }

  #finish(count: number): void {
    const state = this.#state;
    state.unfinished -= count;
    if (state.unfinished === 0) for (const actor of state.joins.splice(0)) this.#end(actor, null);
  }

  withdraw(actor: number): void {
    const { puts, gets, joins } = this.#state;
    const put = puts.findIndex((each) => each.actor === actor);
    if (put !== -1) puts.splice(put, 1);
    if (put !== -1 || leaveLine(gets, actor) || leaveLine(joins, actor)) this.#end(actor, "cancelled");
  }
}

/** A queue of an order. */
export function queueOf(order: Order, maxSize: number): ThingModel<Items, QueueOp> {
  return {
    initial: { items: [], puts: [], gets: [], joins: [], unfinished: 0, closed: false },
    ask: (state, op, actor, end) => new QueueModel(state, end, order, maxSize).ask(op, actor),
    withdraw: (state, actor, end) => new QueueModel(state, end, order, maxSize).withdraw(actor),
  };
}
