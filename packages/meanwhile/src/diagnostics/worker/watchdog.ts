// Notices when the event loop of the program does not turn, and finds out why.
//
//   asking ──answered in time──▶ asking
//     └──late──▶ capturing ──▶ told, once it is still silent ──answered──▶ ended
//                    └─────────────────answered──────────────▶ ended, and told if it was long

import type { Block } from "../protocol.ts";
import { NUMBER, type SharedMemory, WORD } from "../shared-memory.ts";
import { blockMessage } from "./block-message.ts";
import type { Capture, NoCapture } from "./capture.ts";
import type { ProgramClock } from "./clock.ts";
import { KnownSites } from "./known-sites.ts";
import { type LoopDelay, round } from "./loop-delay.ts";
import { isOfProgram, type Ongoing } from "./ongoing-block.ts";

/** What the watchdog is given. */
export interface WatchdogOptions {
  readonly memory: SharedMemory;
  readonly clock: ProgramClock;
  readonly delay: LoopDelay;
  /** How long the loop may be silent. */
  readonly thresholdMs: number;
  /** Sends a ping with a number. */
  readonly ping: (number: number) => void;
  /** Looks at what the program does. */
  readonly capture: (whenOver: Promise<void>) => Promise<Capture | NoCapture>;
  /** Which task ran longest between two moments, if that was recorded. */
  readonly whoRan: (from: number, until: number) => Block["task"];
  /** A block has begun, was captured or has ended. */
  readonly onBlock: (block: Block) => void;
  /** A block is to be told to people. */
  readonly onReport: (block: Block) => void;
}

/** A silence this long is told without a stack: native code is running, and can be looked at only when it returns. */
const NATIVE_MS = 600;

/** After a look that has seen nothing of the program, the next one comes after this, and as long as it had gone on by then. */
const NEXT_LOOK_MS = 250;

/** How late our own timers may be: more, and this thread or the machine has slept too. */
const OWN_LATENESS_MS = 30;

/** Looks after one event loop. */
export class Watchdog implements Disposable {
  readonly #options: WatchdogOptions;
  readonly #tick: NodeJS.Timeout;
  readonly #intervalMs: number;
  readonly #sites = new KnownSites();
  #lastTick: number;
  #pings = 0;
  // When the newest ping was sent; moved on by the time that this thread has slept.
  #pingAt = 0;
  #lastPongAt = 0;
  #lastIdle = 0;
  #ongoing: Ongoing | null = null;
  #blocks = 0;
  // Before that it loads its modules, which blocks the loop, too, and nobody can mend it.
  #hasStarted = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#intervalMs = Math.min(250, Math.max(5, options.thresholdMs / 4));
    this.#lastTick = options.clock();
    this.#lastPongAt = this.#lastTick;
    this.#tick = setInterval(() => this.#look(), this.#intervalMs);
    this.#send();
  }

  /** The block that goes on; null if the loop turns. */
  get ongoing(): Block | null {
    return this.#ongoing === null ? null : this.#blockOf(this.#ongoing, this.#options.clock(), true);
  }

  /** Whether the program has answered lately, so that it can be asked. */
  get turns(): boolean {
    return this.#answered() || this.#options.clock() - this.#pingAt < this.#options.thresholdMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#tick);
    this.#ongoing?.over.resolve();
  }

  #answered(): boolean {
    return Atomics.load(this.#options.memory.header, WORD.pong) === this.#pings;
  }

  #send(): void {
    this.#pings = (this.#pings + 1) | 0;
    this.#pingAt = this.#options.clock();
    this.#options.ping(this.#pings);
  }

  #look(): void {
    const now = this.#options.clock();
    const lateness = now - this.#lastTick - this.#intervalMs;
    this.#lastTick = now;
    // The machine was suspended, or there was no core for us: then there was none for the program either.
    if (lateness > OWN_LATENESS_MS && this.#ongoing === null) this.#pingAt += lateness;
    if (this.#answered()) {
      this.#received(now);
      this.#send();
    } else if (this.#ongoing !== null) this.#goOn(this.#ongoing, now);
    else if (now - this.#pingAt >= this.#options.thresholdMs) this.#begin(now);
  }

  #received(now: number): void {
    const { numbers } = this.#options.memory;
    const pongAt = numbers[NUMBER.pongAt] as number;
    const idle = numbers[NUMBER.pongIdle] as number;
    this.#options.delay.add(now, pongAt - this.#pingAt);
    // Silent, and idle all the time: nobody ran there, the machine had no core for it.
    const busy = pongAt - this.#lastPongAt - (idle - this.#lastIdle);
    this.#lastPongAt = pongAt;
    this.#lastIdle = idle;
    if (this.#ongoing === null) return;
    const ongoing = this.#ongoing;
    this.#ongoing = null;
    ongoing.over.resolve();
    this.#end(ongoing, pongAt, busy);
  }

  #begin(now: number): void {
    this.#ongoing = {
      id: (this.#blocks += 1),
      startedAt: this.#pingAt,
      over: Promise.withResolvers(),
      stack: [],
      inside: null,
      task: null,
      isProgram: false,
      isLoading: false,
      noStack: undefined,
      repeated: 0,
      unseen: 0,
      looking: false,
      lookedAt: now,
      told: false,
      toldEarly: false,
    };
    if (this.#sites.mayLook(now)) void this.#capture(this.#ongoing);
    else this.#ongoing.noStack = "limited";
  }

  async #capture(ongoing: Ongoing): Promise<void> {
    ongoing.looking = true;
    const found = await this.#options.capture(ongoing.over.promise);
    ongoing.looking = false;
    ongoing.lookedAt = this.#options.clock();
    if (typeof found === "string") ongoing.noStack ??= found;
    else Object.assign(ongoing, found, { noStack: found.stack.length === 0 ? "over" : undefined });
    this.#rateSite(ongoing);
    if (this.#ongoing === ongoing) this.#goOn(ongoing, ongoing.lookedAt);
  }

  // Whether this place was told lately.
  #rateSite(ongoing: Ongoing): void {
    const [top] = ongoing.stack;
    if (top === undefined) return;
    const rated = this.#sites.rate(top, this.#options.clock());
    if (rated === null) ongoing.told = true;
    else Object.assign(ongoing, rated);
  }

  #isStart(ongoing: Ongoing, now: number): boolean {
    const { memory, thresholdMs } = this.#options;
    this.#hasStarted ||= isOfProgram(ongoing, now, thresholdMs) || memory.header[WORD.started] === 1;
    return !this.#hasStarted;
  }

  #goOn(ongoing: Ongoing, now: number): void {
    if (this.#isStart(ongoing, now) || ongoing.isLoading) return this.#lookAgain(ongoing, now);
    if (ongoing.told || ongoing.noStack === "debugger" || ongoing.noStack === "limited") return;
    if (ongoing.looking) {
      if (ongoing.toldEarly || now - ongoing.startedAt < NATIVE_MS) return;
      ongoing.toldEarly = true;
    } else {
      if (ongoing.noStack === "over") return this.#lookAgain(ongoing, now);
      // Not sure yet that it is not just over.
      if (now - ongoing.lookedAt < this.#intervalMs) return;
      ongoing.told = true;
    }
    const block = this.#blockOf(ongoing, now, true);
    this.#options.onBlock(block);
    this.#options.onReport(block);
  }

  // What it does now may be another thing.
  #lookAgain(ongoing: Ongoing, now: number): void {
    const { looking, isProgram, noStack, startedAt, lookedAt } = ongoing;
    if (looking || isProgram || (noStack !== undefined && noStack !== "over")) return;
    if (now - lookedAt >= Math.max(NEXT_LOOK_MS, lookedAt - startedAt)) void this.#capture(ongoing);
  }

  #end(ongoing: Ongoing, pongAt: number, busy: number): void {
    if (
      ongoing.noStack === "debugger" ||
      ongoing.isLoading ||
      this.#isStart(ongoing, pongAt) ||
      busy < 0.8 * this.#options.thresholdMs
    )
      return;
    ongoing.task ??= this.#options.whoRan(ongoing.startedAt, pongAt);
    const block = this.#blockOf(ongoing, pongAt, false);
    this.#options.onBlock(block);
    const isKnown = ongoing.stack.length > 0 || ongoing.noStack === "failed";
    if (!ongoing.told && isKnown) this.#options.onReport(block);
  }

  #blockOf(ongoing: Ongoing, now: number, isOngoing: boolean): Block {
    const { id, startedAt, task, stack, repeated, unseen, inside } = ongoing;
    const noStack = ongoing.looking ? "native" : ongoing.noStack;
    const durationMs = round(now - startedAt);
    const known = { startedAtMs: round(startedAt), durationMs, ongoing: isOngoing, task, stack, repeated };
    const message = blockMessage(known, { inside, unseen });
    return { id, ...known, message, ...(stack.length > 0 || noStack === undefined ? {} : { noStack }) };
  }
}
