// The one connection on which a pool listens, whatever the number of its listeners.
//
//   stopped ──first listener──▶ connecting ──▶ listening ──lost──▶ resting ──▶ connecting …
//      ▲                            │              │                  │
//      └──it fails the first time───┴──the last listener leaves, close┘
//
// It is nobody's task (detached.ts): it runs as long as somebody listens, wherever the pool was made.

import { exponential, isCancelled, now, sleep, timeout } from "meanwhile";
import { type CancelScope, captureContext, type Waiter, type WaitTarget, suspend, wakeAt } from "meanwhile/lowlevel";

import { detached } from "./detached.ts";
import { PostgresError } from "./errors.ts";
import type { Link } from "./link.ts";
import { ended, eventOf, failed, type Listener, type ListenerSource } from "./listener.ts";
import { quoteName } from "./sql.ts";
import { command } from "./statements.ts";
import type { Trace } from "./trace.ts";
import { WaitingLine } from "./waiting-line.ts";

/** After so long without a change the server is asked whether it is there. */
const HEARTBEAT_MS = 30_000;
/** How long the server may take for an answer. */
const ANSWER_MS = 10_000;
const REST: ReturnType<typeof exponential> = exponential({ baseMs: 100, maxMs: 30_000 });

const NOTHING: ReadonlySet<string> = new Set();
const TOLD: WaitTarget = { describe: () => "the server to listen to a channel", foreign: true };
const CHANGE: WaitTarget = { describe: () => "a change of what a pool listens to", foreign: true };

export class ListenHub implements ListenerSource {
  readonly #listeners = new Set<Listener>();
  /** Those who wait until the server has been told of all their channels. */
  readonly #line = new WaitingLine<true>(TOLD);
  readonly #open: () => Promise<Link>;
  readonly #trace: Trace;
  readonly #inContext = captureContext();
  #link: Link | null = null;
  // What the server has been told of, on #link.
  #told: ReadonlySet<string> = NOTHING;
  // Whether a connection has listened: from then on one that is lost is replaced, however long that takes.
  #hasServed = false;
  #isServing = false;
  // Whether all had left at some time: who has come since then has missed nothing.
  #wasDeserted = false;
  // What it runs in while it serves.
  #scope: CancelScope | null = null;
  #isClosed = false;
  #waiter: Waiter<void> | null = null;

  constructor(open: () => Promise<Link>, trace: Trace) {
    this.#open = open;
    this.#trace = trace;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#link === null ? 0 : 1;
  }

  async start(listener: Listener): Promise<void> {
    if (this.#isClosed)
      throw new PostgresError("MW_ERR_PG_CLOSED", "Cannot listen: the pool is closed; make another one");
    this.#listeners.add(listener);
    if (!this.#isServing) {
      this.#isServing = true;
      this.#inContext(() => detached((scope) => this.#serve(scope))).catch(nothing);
    }
    this.#wake();
    while (this.#listeners.has(listener) && !listener.channels.every((channel) => this.#told.has(channel))) {
      await this.#line.wait(Infinity);
    }
  }

  stop(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#wasDeserted = true;
    this.#wake();
  }

  /** Ends every loop, and the connection. */
  close(): void {
    this.#isClosed = true;
    this.#endAll(ended);
    this.#link?.destroy();
    this.#scope?.cancel();
  }

  /** What goes wrong goes to the listeners. */
  async #serve(scope: CancelScope): Promise<void> {
    this.#scope = scope;
    this.#hasServed = false;
    try {
      for (let attempt = 1; this.#listeners.size > 0; attempt++) {
        if (this.#wasDeserted) this.#hasServed = false;
        this.#wasDeserted = false;
        try {
          this.#link = await this.#open();
          await this.#listen(this.#link, this.#hasServed);
          attempt = 1;
        } catch (error) {
          if (!this.#hasServed || isCancelled(error)) throw error;
        } finally {
          this.#letGo();
        }
        if (this.#listeners.size > 0 && !this.#wasDeserted) await sleep(REST(attempt, undefined));
      }
    } catch (error) {
      this.#endAll(failed(error));
    } finally {
      this.#isServing = false;
      this.#scope = null;
    }
  }

  /** Keeps the server told of what is listened to, until nobody listens, or the connection is lost. */
  async #listen(link: Link, isAgain: boolean): Promise<void> {
    link.keepAlive(true);
    link.onLost = () => {
      this.#told = NOTHING;
      this.#wake();
    };
    link.onNotification = (notification) => {
      for (const listener of this.#listeners) {
        if (listener.channels.includes(notification.channel)) listener.push(eventOf(notification));
      }
    };
    let isNews = isAgain;
    while (this.#listeners.size > 0 && link.status !== "broken") {
      this.#wasDeserted = false;
      const wanted = new Set(Array.from(this.#listeners).flatMap(({ channels }) => channels));
      const text = difference(this.#told, wanted);
      if (text !== "") {
        await timeout(ANSWER_MS, () => link.run(command(text)));
        this.#told = wanted;
        this.#hasServed = true;
        if (isNews) this.#tellReconnected(link);
        isNews = false;
        // Each looks whether it is for him.
        for (let count = this.#line.length; count > 0; count--) this.#line.give(true);
      } else if (!(await this.#change())) await timeout(ANSWER_MS, () => link.run(command("select 1")));
    }
    // At once: who comes from here on must not take it for a connection that listens.
    this.#told = NOTHING;
  }

  #tellReconnected(link: Link): void {
    this.#trace.tell({ kind: "listen-reconnected", serverPid: link.pid });
    for (const listener of this.#listeners) listener.push({ kind: "reconnected" });
  }

  /** Waits for a listener that comes or goes, or the loss of the connection. False if there was none for long. */
  async #change(): Promise<boolean> {
    await suspend<void>((waiter) => {
      this.#waiter = waiter;
      wakeAt(waiter, now() + HEARTBEAT_MS);
      return () => void (this.#waiter = null);
    }, CHANGE);
    // Whoever wakes the waiter takes it away; only the deadline leaves it here.
    const isChanged = this.#waiter === null;
    this.#waiter = null;
    return isChanged;
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.wake();
  }

  #letGo(): void {
    const link = this.#link;
    this.#link = null;
    this.#told = NOTHING;
    if (link === null) return;
    link.onLost = null;
    link.onNotification = null;
    if (link.status === "idle") link.close().catch(nothing);
    else link.destroy();
  }

  #endAll(end: () => IteratorResult<never, undefined>): void {
    for (const listener of this.#listeners) listener.finish(end);
    this.#listeners.clear();
    for (let count = this.#line.length; count > 0; count--) this.#line.give(true);
  }
}

// Neither rejects.
function nothing(): void {}

/** The statements that make of what the server was told what is wanted. */
function difference(told: ReadonlySet<string>, wanted: ReadonlySet<string>): string {
  const more = [...wanted].filter((channel) => !told.has(channel)).map((channel) => `listen ${quoteName([channel])}`);
  const less = [...told].filter((channel) => !wanted.has(channel)).map((channel) => `unlisten ${quoteName([channel])}`);
  return [...more, ...less].join("; ");
}
