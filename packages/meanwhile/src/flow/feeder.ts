// Pulls items from a source and runs a function on them, a few at a time: what `map` and `forEach` share.
//
// One task pulls, so that a wait of the source is cancelled and joined like that of a job, and so that a long list of
// short jobs passes a checkpoint for each item: it cannot starve timers and sockets.

import { UsageError } from "../errors.ts";
import {
  CapturedContext,
  Children,
  enterCheckpoint,
  ParkingLot,
  type SignalOption,
  type TaskNode,
  throwIfCancelled,
} from "../lowlevel.ts";
import { show } from "../util/show.ts";
import { type Items, openSource, type Source } from "./items.ts";
import { checkConcurrency, type JobHandler, tellHandler } from "./jobs.ts";

/** What `map` and `forEach` call for each item; `index` counts the items from 0. */
export type ItemFunction<T, R> = (item: T, index: number) => R | PromiseLike<R>;

/** Options of `forEach`. */
export interface ForEachOptions extends SignalOption {
  /** How many items may be in work at once; an integer >= 1, or `Infinity`. Required. */
  readonly concurrency: number;
}

/** What is fed: a source, a function for its items, and how many at once. */
export interface Feed<T> {
  readonly call: string;
  readonly source: Source<T>;
  readonly fn: ItemFunction<T, unknown>;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
}

/** Checks the arguments of `map` and `forEach`, before anything is started. */
export function checkFeed<T>(
  call: string,
  source: Source<T>,
  fn: ItemFunction<T, unknown>,
  options: ForEachOptions,
): Feed<T> {
  checkConcurrency(call, options?.concurrency);
  if (!isSource(source)) {
    throw new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot ${call} ${show(source)}; pass an iterable of items`);
  }
  if (typeof fn !== "function") {
    throw new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot ${call} with ${show(fn)}; pass a function of an item`);
  }
  return { call, source, fn, concurrency: options.concurrency, signal: options.signal };
}

function isSource(value: unknown): value is Source<unknown> {
  if (typeof value === "string") return true;
  return typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** What becomes of the jobs. */
export interface FeedHandler extends JobHandler {
  /** Nothing runs any more, and nothing will. */
  finished(): void;
}

/** The number of the task that pulls; those of the jobs count from 0. */
const PULLING = -1;

/** Runs a function on the items of a source, in tasks below one scope. */
export class Feeder<T> {
  readonly children: Children;
  /** Whether items were left out, or ended without a result, because the call was cancelled. */
  incomplete = false;
  readonly #feed: Feed<T>;
  readonly #handler: FeedHandler;
  readonly #room: ParkingLot;
  #free: number;

  /** @param handler - told how each job ended; it gives the place back, now or later, with {@link freePlace} */
  constructor(feed: Feed<T>, handler: FeedHandler) {
    this.#feed = feed;
    this.#handler = handler;
    this.#free = feed.concurrency;
    this.#room = new ParkingLot({ describe: () => `one of the ${feed.concurrency} jobs of ${feed.call}` });
    this.children = new Children(feed.call, (task) => this.#ended(task), feed.signal);
  }

  /** Starts pulling, now. */
  start(): void {
    this.children.create(() => this.#pullAll(), `source of ${this.#feed.call}`, PULLING).start();
  }

  /** Cancels what is running; nothing more is pulled. */
  stop(reason: string): void {
    this.children.cancel(reason);
  }

  /** One more job may be started. */
  freePlace(): void {
    this.#free += 1;
    this.#room.unpark();
  }

  async #pullAll(): Promise<void> {
    const items = openSource(this.#feed.source);
    try {
      await this.#startAll(items);
    } catch (error) {
      // What the source throws while it cleans up goes before the cancellation that made it.
      await items.close();
      throw error;
    }
  }

  async #startAll(items: Items<T>): Promise<void> {
    const { fn } = this.#feed;
    const context = new CapturedContext();
    const name = fn.name === "" ? undefined : fn.name;
    for (let index = 0; ; index++) {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      if (this.#free === 0) await this.#room.park();
      const pulled = items.next();
      const { done, value } = pulled instanceof Promise ? await pulled : pulled;
      if (done === true) return;
      throwIfCancelled(); // while it was pulled
      this.#free -= 1;
      this.children.create(() => fn(value, index), name, index).start(context);
    }
  }

  #ended(task: TaskNode): void {
    if (task.index !== PULLING || task.state.kind !== "succeeded") {
      if (!tellHandler(this.#handler, task, this.children)) this.incomplete = true;
    }
    // The pulling task lives longer than the last item, so nothing can follow the last task.
    if (this.children.alive > 1) return;
    this.children.close();
    this.#handler.finished();
  }
}
