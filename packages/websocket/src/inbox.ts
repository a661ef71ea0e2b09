// The messages that have come and are not received yet: a bounded queue between the socket and one reader.
//
//   reading ──high messages, or as many bytes as the longest may have──▶ paused ──low messages──▶ reading
//
// What one piece of 64 KiB brings is all queued, as it is in memory already.

import { currentScopeNode, suspension, type Waiter, type WaitTarget } from "meanwhile/lowlevel";

import { isCleanEnd } from "./close-codes.ts";
import type { Ending } from "./ending.ts";
import { WebSocketError } from "./errors.ts";
import type { Message } from "./message.ts";

/** How the peer is slowed down. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** How much may wait. */
export interface InboxLimits {
  readonly high: number;
  readonly low: number;
  readonly maxMessageBytes: number;
}

/** What a loop over messages is told. */
export type LoopResult = IteratorResult<Message, undefined>;

const DONE: LoopResult = { done: true, value: undefined };

/** How many of the longest messages are kept when the connection is gone and nobody can be slowed down any more. */
const MOST_AFTER_END = 4;

export class Inbox {
  readonly #limits: InboxLimits;
  readonly #flow: Flow;
  readonly #ending: Ending;
  readonly #target: WaitTarget;
  // Invariant: while somebody waits, nothing is queued.
  // Woken with a message, or, if a loop waits, with what its next() returns: without another promise in between.
  #waiter: Waiter<Message | LoopResult> | null = null;
  #isLoopWaiting = false;
  #messages: Message[] = [];
  #head = 0;
  #bytes = 0;
  #isPaused = false;
  // Whether what comes is dropped: this side has closed the connection.
  #isStopped = false;
  // Whether the socket is gone, and only what was read from it comes.
  #isCut = false;
  // Whether a message was dropped since: then so is all that comes after it, as nobody could tell that one is missing.
  #isLossy = false;

  constructor(what: string, limits: InboxLimits, flow: Flow, ending: Ending) {
    this.#limits = limits;
    this.#flow = flow;
    this.#ending = ending;
    this.#target = { describe: () => `a message of ${what}`, foreign: true };
  }

  /** How many messages wait. */
  get size(): number {
    return this.#messages.length - this.#head;
  }

  /** Whether nothing is read from the peer. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /**
   * The next message.
   *
   * Cancellation: safe. A call that throws has taken nothing.
   */
  take(): Promise<Message> {
    if (this.size > 0) return Promise.resolve(this.#shift());
    this.#refuseSecond();
    if (this.#ending.info !== null) throw this.#ending.error("receive");
    this.#isLoopWaiting = false;
    return this.#wait();
  }

  /** The same for a loop: done where the connection is over without an error. Cancellation: safe. */
  next(): Promise<LoopResult> {
    if (this.size > 0) return Promise.resolve({ done: false, value: this.#shift() });
    this.#refuseSecond();
    const { info } = this.#ending;
    if (info !== null) {
      if (isCleanEnd(info)) return Promise.resolve(DONE);
      throw this.#ending.error("receive");
    }
    this.#isLoopWaiting = true;
    return this.#wait();
  }

  /** A message has come. */
  push(message: Message): void {
    if (this.#isStopped || this.#isLossy) return;
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter !== null && waiter.wake(this.#isLoopWaiting ? { done: false, value: message } : message)) return;
    if (this.#isCut && this.#bytes > MOST_AFTER_END * this.#limits.maxMessageBytes) {
      this.#isLossy = true;
      this.#ending.noteLoss();
      return;
    }
    this.#messages.push(message);
    this.#bytes += message.length;
    if (!this.#isPaused && !this.#isCut && this.#isFull()) {
      this.#isPaused = true;
      this.#flow.pause();
    }
  }

  /** What comes from now on is dropped: the peer must be read to its close frame. */
  stop(): void {
    this.#isStopped = true;
    this.#goOn();
  }

  /** The socket is gone: there is nobody to be slowed down. */
  cut(): void {
    this.#isCut = true;
    this.#goOn();
  }

  /** The connection is over: whoever waits is told. */
  end(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter === null) return;
    const { info } = this.#ending;
    if (this.#isLoopWaiting && info !== null && isCleanEnd(info)) waiter.wake(DONE);
    else waiter.failWith(() => this.#ending.error("receive"));
  }

  #wait<T extends Message | LoopResult>(): Promise<T> {
    const { promise, waiter } = suspension<T>(currentScopeNode(), this.#target);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- #isLoopWaiting says which of the two it is
    this.#waiter = waiter as Waiter<Message | LoopResult>;
    waiter.abort = this.#leave;
    return promise;
  }

  readonly #leave = (): void => {
    this.#waiter = null;
  };

  #refuseSecond(): void {
    if (this.#waiter === null) return;
    const name = this.#waiter.scope?.task?.name ?? "main";
    throw new WebSocketError(
      "MW_ERR_WS_BUSY",
      `Cannot receive: the task "${name}" waits for a message of this connection; receive in one task, and hand out from there`,
    );
  }

  #shift(): Message {
    const message = this.#messages[this.#head] ?? "";
    this.#head += 1;
    this.#bytes -= message.length;
    if (this.#head * 2 > this.#messages.length) {
      this.#messages.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#isPaused && this.#hasRoom()) this.#goOn();
    return message;
  }

  #isFull(): boolean {
    return this.size >= this.#limits.high || this.#bytes >= this.#limits.maxMessageBytes;
  }

  #hasRoom(): boolean {
    return this.size <= this.#limits.low && this.#bytes * 2 <= this.#limits.maxMessageBytes;
  }

  #goOn(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#flow.resume();
  }
}
