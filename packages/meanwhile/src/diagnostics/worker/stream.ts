// One client that is told what happens, a line at a time. One that does not read is left alone, and later told the state
// anew: it costs a fixed amount of memory, and the program nothing.

import type { Writable } from "node:stream";

import type { Block, StreamMessage, Warning } from "../protocol.ts";
import { EventReader, newestEvent } from "./event-reader.ts";
import { round } from "./loop-delay.ts";
import type { DeltaBase, Listener, Observer } from "./observer.ts";

/** What a client wants to be told. */
export interface StreamOptions {
  readonly events: boolean;
  readonly stacks: boolean;
  /** The number of the event before the first that is told; null for the present. */
  readonly from: number | null;
  /** Milliseconds until it ends; null for never. */
  readonly forMs: number | null;
}

/** How much may lie unread before nothing more is written. */
const MOST_UNREAD = 4 * 1_024 * 1_024;

/** How often a client is told. */
const EVENTS_MS = 50;
const DELTA_MS = 250;

/** A client that reads nothing for so long is gone. */
const STUCK_MS = 60_000;

/** A stream, from its first line to its last. */
export class Stream implements Listener, Disposable {
  readonly #observer: Observer;
  readonly #response: Writable;
  readonly #options: StreamOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #startedAt: number;
  #reader: EventReader;
  #base: DeltaBase | null = null;
  // Whether it was left out of something, so that it needs the whole state again.
  #missed = false;
  #stuckSince: number | null = null;
  #isOver = false;

  constructor(observer: Observer, response: Writable, options: StreamOptions) {
    this.#observer = observer;
    this.#response = response;
    this.#options = options;
    const { memory, clock } = observer.options;
    this.#startedAt = clock();
    this.#reader = new EventReader(memory, options.from ?? newestEvent(memory));
  }

  /** Sends what is known, then what happens. */
  async start(): Promise<void> {
    this.#response.on("close", () => this[Symbol.dispose]());
    this.#write(this.#observer.hello());
    // Before the snapshot is made, which takes time: nothing that happens meanwhile may be left out.
    if (this.#options.from === null)
      this.#reader = new EventReader(this.#observer.options.memory, newestEvent(this.#observer.options.memory));
    await this.#sendState();
    if (this.#isOver) return;
    this.#observer.listeners.add(this);
    if (this.#options.events) this.#timers.push(setInterval(() => this.#sendEvents(), EVENTS_MS));
    this.#timers.push(setInterval(() => void this.#sendChanges(), DELTA_MS));
  }

  block(block: Block): void {
    this.#write({ type: "block", block });
  }

  warning(warning: Warning): void {
    this.#write({ type: "warning", warning });
  }

  /** Ends the stream in order. */
  end(): void {
    if (this.#isOver) return;
    if (this.#options.events) this.#sendEvents();
    // How the last ones have ended, and which of them were cancelled: the event tells of a scope only.
    if (this.#base !== null && !this.#missed) this.#write(this.#observer.delta(this.#base).message);
    this.#write({ type: "bye", atMs: round(this.#observer.options.clock()) });
    this[Symbol.dispose]();
    this.#response.end();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#observer.listeners.delete(this);
    for (const timer of this.#timers) clearInterval(timer);
  }

  async #sendState(): Promise<void> {
    // From the first event on means with all that have ended, too.
    const isWhole = this.#base === null && this.#options.from === 0;
    this.#base = { ...this.#observer.base(), ...(isWhole ? { ended: 0 } : {}) };
    this.#write(await this.#observer.snapshot({ stacks: this.#options.stacks, ended: false }));
  }

  #sendEvents(): void {
    // All there is, unless the client does not read.
    do {
      if (this.#isStuck()) return;
      const { gap, events } = this.#reader.read();
      if (gap !== null) {
        this.#write(gap);
        this.#missed = true;
      }
      if (events.length > 0) this.#write({ type: "events", events });
    } while (!this.#reader.isThrough);
  }

  async #sendChanges(): Promise<void> {
    const { forMs } = this.#options;
    if (forMs !== null && this.#observer.options.clock() - this.#startedAt >= forMs) return this.end();
    if (this.#isStuck() || this.#base === null) return;
    if (this.#missed) {
      this.#missed = false;
      await this.#sendState();
      return;
    }
    const { message, base } = this.#observer.delta(this.#base);
    this.#base = base;
    this.#write(message);
  }

  #write(message: StreamMessage): void {
    if (this.#isOver || this.#isStuck()) return;
    this.#response.write(`${JSON.stringify(message)}\n`);
  }

  #isStuck(): boolean {
    const now = this.#observer.options.clock();
    if (this.#response.writableLength <= MOST_UNREAD) {
      this.#stuckSince = null;
      return false;
    }
    this.#missed = true;
    this.#stuckSince ??= now;
    if (now - this.#stuckSince > STUCK_MS) this.#response.destroy();
    return true;
  }
}
