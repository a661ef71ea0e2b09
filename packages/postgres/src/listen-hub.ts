// The one connection on which a pool listens, whatever the number of its listeners.
//
//   stopped ──first listener──▶ connecting ──▶ listening ──lost──▶ resting ──▶ connecting …
//      ▲                            │              │                  │
//      └──it fails the first time───┴──the last listener leaves, close┘
//
// It is nobody's task: it runs in the context the pool was made in, as long as somebody listens.

import { exponential, isCancelled, now, sleep, timeout } from "meanwhile";
import { captureContext, type Waiter, type WaitTarget, suspend, wakeAt } from "meanwhile/lowlevel";

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
  #told: ReadonlySet<string> = new Set();
  // Whether a connection has listened: from then on one that is lost is replaced, however long that takes.
  #hasServed = false;
  #isServing = false;
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
      this.#inContext(() => this.#serve()).catch(nothing);
    }
    this.#wake();
    while (this.#listeners.has(listener) && !listener.channels.every((channel) => this.#told.has(channel))) {
      await this.#line.wait(Infinity);
    }
  }

  stop(listener: Listener): void {
    this.#listeners.delete(listener);
    this.#wake();
  }

  /** Ends every loop, and the connection. */
  close(): void {
    this.#isClosed = true;
    this.#endAll(ended);
    this.#link?.destroy();
    this.#wake();
  }

  /** Never rejects: what goes wrong goes to the listeners. */
  async #serve(): Promise<void> {
    this.#hasServed = false;
    try {
      for (let attempt = 1; this.#listeners.size > 0; attempt++) {
        try {
          this.#link = await this.#open();
          await this.#listen(this.#link, this.#hasServed);
          attempt = 1;
        } catch (error) {
          if (isCancelled(error)) throw madeInCancelledScope();
          if (!this.#hasServed) throw error;
        } finally {
          this.#letGo();
        }
        if (this.#listeners.size > 0) await sleep(REST(attempt, undefined));
      }
    } catch (error) {
      this.#endAll(failed(isCancelled(error) ? madeInCancelledScope() : error));
    } finally {
      this.#isServing = false;
    }
  }

  /** Keeps the server told of what is listened to, until nobody listens, or the connection is lost. */
  async #listen(link: Link, isAgain: boolean): Promise<void> {
    link.keepAlive(true);
    link.onLost = () => this.#wake();
    link.onNotification = (notification) => {
      for (const listener of this.#listeners) {
        if (listener.channels.includes(notification.channel)) listener.push(eventOf(notification));
      }
    };
    let isNews = isAgain;
    while (this.#listeners.size > 0 && link.status !== "broken") {
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
    this.#told = new Set();
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

/** The pool lives in the scope it was made in. */
function madeInCancelledScope(): PostgresError {
  const what = "the scope in which the pool was made was cancelled; make the pool outside of it";
  return new PostgresError("MW_ERR_PG_CLOSED", `Cannot listen: ${what}`);
}
