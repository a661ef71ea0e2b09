// What a loop over notifications reads from: a bounded queue between a connection and one reader.
//
//   fresh ──next, ready──▶ open ──return, end, failure──▶ over

import { suspend, type Waiter, type WaitTarget } from "meanwhile/lowlevel";

import { badArgument, checks } from "./checks.ts";
import { PostgresError } from "./errors.ts";
import type { LinkNotification } from "./link-events.ts";
import { checkNames, type OptionNames } from "./option-names.ts";

/** A message of NOTIFY, or that some may have been missed. */
export type NotificationEvent =
  /** Somebody has notified. */
  | {
      readonly kind: "notification";
      readonly channel: string;
      /** What came with it; `""` if nothing did. */
      readonly payload: string;
      /** The process id of the server process that notified. */
      readonly serverPid: number;
    }
  /** The connection was lost, and there is another one: what was notified in between has been missed. */
  | { readonly kind: "reconnected" }
  /** This loop was too slow for its queue: so many were dropped here. */
  | { readonly kind: "dropped"; readonly count: number };

/** Options of `listen`. */
export interface ListenOptions {
  /** How many notifications may wait for the loop; the newest are dropped beyond that, and the loop is told. Default: 10 000. */
  readonly maxQueued?: number | undefined;
}

const NAMES: OptionNames<ListenOptions> = { maxQueued: true };

/** Where notifications come from. */
export interface ListenerSource {
  /** Begins to listen, unless it does; resolves when the server has been told. */
  start(listener: Listener): Promise<void>;
  /** The reader has left. */
  stop(listener: Listener): void;
}

/** The server cuts a longer name, and would then notify under another one. */
const LONGEST_NAME_BYTES = 63;
const NOTHING: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * The notifications of one or more channels, for one `for await` loop. Leaving the loop, or the block of `await using`,
 * stops listening.
 *
 * @see {@link https://www.postgresql.org/docs/current/sql-listen.html}
 */
export class Listener implements AsyncIterableIterator<NotificationEvent, undefined>, AsyncDisposable {
  /** The channels it listens to. */
  readonly channels: readonly string[];
  readonly #source: ListenerSource;
  readonly #maxQueued: number;
  readonly #target: WaitTarget;
  #queue: NotificationEvent[] = [];
  #head = 0;
  #dropped = 0;
  #waiter: Waiter<void> | null = null;
  // Whether a call of next() has not come to its end.
  #isReading = false;
  // Set when it is over: how the loop ends.
  #end: (() => IteratorResult<never, undefined>) | null = null;

  /** @internal */
  constructor(channels: string | readonly string[], options: ListenOptions, source: ListenerSource) {
    checkNames("options", options, NAMES);
    const { maxQueued = 10_000 } = options;
    const list: readonly string[] = typeof channels === "string" ? [channels] : channels;
    if ((!Array.isArray(channels) && typeof channels !== "string") || list.length === 0) {
      throw badArgument("channels", channels, "the name of a channel, or several in an array");
    }
    for (const channel of list) checkChannel(channel);
    checks.count("maxQueued", maxQueued, 1);
    this.channels = [...new Set(list)];
    this.#maxQueued = maxQueued;
    this.#source = source;
    this.#target = { describe: () => `a notification of PostgreSQL on ${this.channels.join(", ")}`, foreign: true };
  }

  /**
   * Waits until the server has been told: from then on nothing is missed. The first `next` does the same.
   *
   * Cancellation: safe. What is heard meanwhile is kept for the next call.
   *
   * @throws {@link ConnectError} if there is no connection yet and none can be made
   * @throws {@link PostgresError} `MW_ERR_PG_CLOSED` if the pool or the connection is closed
   */
  async ready(): Promise<void> {
    if (this.#end === null) await this.#source.start(this);
    this.#end?.();
  }

  /**
   * Waits for the next event. `done` when the pool or the connection was closed.
   *
   * Cancellation: safe. A call that throws has taken nothing.
   *
   * @throws {@link ConnectError} if there is no connection yet and none can be made
   * @throws {@link ConnectionLostError} of a connection without a pool, if it is lost
   */
  async next(): Promise<IteratorResult<NotificationEvent, undefined>> {
    if (this.#isReading) {
      throw new PostgresError(
        "MW_ERR_PG_BUSY",
        "Cannot wait for a notification: another call of next() waits for it; read with one loop",
      );
    }
    this.#isReading = true;
    try {
      return await this.#next();
    } finally {
      this.#isReading = false;
    }
  }

  async #next(): Promise<IteratorResult<NotificationEvent, undefined>> {
    for (;;) {
      const event = this.#take();
      if (event !== undefined) return { done: false, value: event };
      if (this.#end !== null) return this.#end();
      await this.#source.start(this);
      if (this.#head < this.#queue.length || this.#end !== null) continue;
      await suspend<void>((waiter) => {
        this.#waiter = waiter;
        return () => void (this.#waiter = null);
      }, this.#target);
    }
  }

  /**
   * Stops listening. Called when a loop is left.
   *
   * Cancellation: safe. It waits for nothing.
   */
  async return(): Promise<IteratorResult<NotificationEvent, undefined>> {
    if (this.#end === null) this.#source.stop(this);
    this.finish(() => NOTHING);
    this.#queue = [];
    this.#head = 0;
    return NOTHING;
  }

  /**
   * The same as `return()`.
   *
   * Cancellation: safe. It waits for nothing.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @internal Something has come. */
  push(event: NotificationEvent): void {
    if (this.#end !== null) return;
    if (this.#queue.length - this.#head >= this.#maxQueued) {
      this.#dropped += 1;
      return;
    }
    const gap = this.#takeGap();
    if (gap !== undefined) this.#queue.push(gap);
    this.#queue.push(event);
    this.#wake();
  }

  /** @internal Nothing will come any more: with an error, or without. */
  finish(end: () => IteratorResult<never, undefined>): void {
    this.#end ??= end;
    this.#wake();
  }

  /** @internal The server does not listen any more: a call that waits has this error. The next one listens anew. */
  interrupt(makeError: () => unknown): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.failWith(makeError);
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.wake();
  }

  #take(): NotificationEvent | undefined {
    const event = this.#queue[this.#head];
    if (event === undefined) return this.#takeGap();
    this.#head += 1;
    if (this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return event;
  }

  #takeGap(): NotificationEvent | undefined {
    const count = this.#dropped;
    this.#dropped = 0;
    return count === 0 ? undefined : { kind: "dropped", count };
  }
}

/** How a loop ends whose source was closed. */
export const ended = (): IteratorResult<never, undefined> => NOTHING;

/** How a loop ends whose source has failed. */
export function failed(error: unknown): () => IteratorResult<never, undefined> {
  return () => {
    throw error;
  };
}

/** A notification as readers get it. */
export function eventOf({ channel, payload, processId }: LinkNotification): NotificationEvent {
  return { kind: "notification", channel, payload, serverPid: processId };
}

/** The name of a channel, which the server must not cut. */
export function checkChannel(channel: unknown): void {
  const isName = typeof channel === "string" && channel !== "" && !channel.includes("\0");
  if (isName && Buffer.byteLength(channel) <= LONGEST_NAME_BYTES) return;
  throw badArgument("channel", channel, `a name of 1 to ${LONGEST_NAME_BYTES} bytes`);
}
