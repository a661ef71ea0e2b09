// The connections of a pool: who gets one, who waits, and when one goes.
//
//   take ──one is idle──▶ has it
//     └──none is──▶ waits in line ──one is given back, one is open──▶ has it
//                     │  │    └──an opening fails, his time is over, the pool is closed──▶ error
//                     │  └──cancelled──▶ leaves the line; what is being opened for him goes to another one
//                     └──more wait than are being opened, and there is room──▶ the pool begins an opening
//
//   opening (openings.ts) ──▶ to the longest waiter, or idle        without success the longest waiter has its error, or,
//                                                                   if the server has no room, waits for another one
//
// Of those that are idle the one used last comes first, so that the others can grow old and be closed.

import { now } from "meanwhile";
import { captureContext, type WaitTarget } from "meanwhile/lowlevel";

import { ConnectError, type ConnectionHolder } from "./errors.ts";
import { watch } from "./leaks.ts";
import type { Link } from "./link.ts";
import { Member, type Place } from "./member.ts";
import { type Opened, type Opening, Openings, outcomeOf } from "./openings.ts";
import { asSeenFromHere, noRoom, openingTimeout, poolClosed, poolTimeout } from "./pool-errors.ts";
import type { PoolSettled } from "./pool-options.ts";
import type { PoolStatistics } from "./statistics.ts";
import { Sweeper } from "./sweeper.ts";
import type { Trace } from "./trace.ts";
import { WaitingLine } from "./waiting-line.ts";

/** What the members of a pool need. */
export interface MembersOptions {
  readonly settled: PoolSettled;
  readonly trace: Trace;
  /** Opens a connection and calls `init` on it. */
  readonly open: () => Promise<Link>;
  /** Makes a connection ready for the next one, in time. False if it cannot be. Never throws. */
  readonly reset: (member: Member) => Promise<boolean>;
}

/** Why a connection goes. */
export type Reason = "broken" | "lost" | "idle" | "old" | "used-up" | "expired" | "reset-failed" | "closed" | "leaked";

const { performance } = globalThis;

export class Members {
  // Invariant: while somebody waits none is idle, and for each who waits one is being opened unless size >= maxSize, or the
  // server has no room.
  readonly #line: WaitingLine<Member>;
  readonly #emptiness: WaitingLine<true>;
  /** The one used last at the end. */
  readonly #idle: Member[] = [];
  readonly #all = new Set<Member>();
  readonly #openings: Openings;
  /** Those that are saying goodbye to the server: they still count there. */
  readonly #closing = new Set<Promise<void>>();
  readonly #options: MembersOptions;
  readonly #settled: PoolSettled;
  readonly #inContext = captureContext();
  readonly #sweeper = new Sweeper(this.#inContext, () => this.#sweep());
  readonly #watcher = new Sweeper(this.#inContext, () => this.#watch());
  // Looks again whether the server has room.
  readonly #prober = new Sweeper(this.#inContext, () => this.#probe());
  // What it said when it had none; null if it is believed to have some.
  #serverIsFull: ConnectError | null = null;
  #opened = 0;
  #lost = 0;
  #acquired = 0;
  #timedOut = 0;
  isClosed = false;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#settled = options.settled;
    const holders: WaitTarget["holders"] = () =>
      Array.from(this.#all, ({ task }) => task).filter((task) => task !== null);
    this.#openings = new Openings({
      open: options.open,
      onEnd: (opened, opening) => this.#onOpened(opened, opening),
    });
    const describe = (): string => `a connection of the pool (${this.#inUse()})`;
    this.#line = new WaitingLine({ describe, holders, foreign: true });
    const describeEnd = (): string => `${this.size} connections to be given back to a pool that is closed`;
    this.#emptiness = new WaitingLine({ describe: describeEnd, holders, foreign: true });
  }

  /** How many connections there are, or are about to be. */
  get size(): number {
    return this.#all.size + this.#openings.size + this.#closing.size;
  }

  /** Takes an idle connection, if there is one. */
  tryTake(place: Place): Member | null {
    for (let member = this.#idle.pop(); member !== undefined; member = this.#idle.pop()) {
      member.holdAt(place);
      const reason = this.#reasonToGo(member, member.since);
      if (reason === null) {
        this.#acquired += 1;
        return member;
      }
      this.discard(member, reason);
    }
    return null;
  }

  /** Takes a connection: an idle one, or the first that is given back or open. A caller that is cancelled has none. */
  async take(place: Place, timeoutMs: number): Promise<Member> {
    if (this.isClosed) throw poolClosed();
    const deadline = now() + timeoutMs;
    let member = this.tryTake(place);
    for (let isFirst = false; member === null; isFirst = true) {
      const waiting = this.#line.wait(deadline, isFirst);
      this.#openWhatIsNeeded();
      const given = await waiting;
      if (given === undefined) throw this.#timeout(timeoutMs);
      if (given.link.status === "idle") {
        given.holdAt(place);
        this.#acquired += 1;
        member = given;
      } else {
        // It was lost since it was given. The others have waited less.
        this.discard(given, "broken");
      }
    }
    return member;
  }

  /** Jobs that wait until there are `count` connections, one each. */
  growing(count: number): Array<() => Promise<void>> {
    if (this.isClosed) return [];
    const isRoomFor = this.#settled.maxSize - this.size + this.#openings.size;
    const openings = this.#openings.atLeast(Math.max(0, Math.min(count - this.#all.size, isRoomFor)));
    return openings.map((opening) => async () => {
      const { link, error } = await outcomeOf(opening);
      if (link === null) throw asSeenFromHere(error);
    });
  }

  /**
   * A user gets this object for his connection. If he has it for long, it is noticed when he forgets it: to watch each for
   * the short time that most are held would be a sixth of what it costs to acquire one (bench/README.md, `postgres-acquire`).
   */
  lend(member: Member, borrower: object): void {
    member.borrower = borrower;
    this.#watcher.wakeAt(member.since + UNWATCHED_MS);
  }

  /** Gives a connection back; what it returns has to be awaited, if it is anything. It never throws. */
  giveBack(member: Member): Promise<void> | undefined {
    if (member.state !== "held") return undefined;
    const { status, transaction } = member.link;
    const { reset } = this.#settled;
    const isReady =
      status === "idle" && transaction === "none" && (reset === false || (reset === "auto" && !member.isTouched));
    if (!isReady && status !== "broken") return this.#reset(member);
    this.#recycle(member);
    return undefined;
  }

  /** Closes a connection, at once unless nothing is wrong with it; its room is for one who waits. */
  discard(member: Member, reason: Reason): void {
    if (member.state === "gone") return;
    const { link } = member;
    if (member.state === "idle") this.#idle.splice(this.#idle.indexOf(member), 1);
    member.leave("gone");
    this.#all.delete(member);
    this.#serverIsFull = null;
    link.onLost = null;
    const { trace } = this.#options;
    if (trace.isOn) trace.tell({ kind: "disconnected", serverPid: link.pid, reason });
    if (link.status === "idle" && reason !== "reset-failed") this.#sayGoodbye(link);
    else link.destroy();
    this.#roomIsFree();
  }

  /** None of those there are now is given out again. */
  expire(): void {
    for (const member of this.#all) {
      member.isExpired = true;
      if (member.state === "idle") this.discard(member, "expired");
    }
  }

  /** Refuses whoever waits, and closes what nobody holds; what is given back from now on is closed as well. */
  startClosing(): void {
    this.isClosed = true;
    this.#sweeper.stop();
    this.#watcher.stop();
    this.#prober.stop();
    this.#line.refuseAll(poolClosed);
    this.#openings.close();
    for (const member of this.#idle.toReversed()) this.discard(member, "closed");
    this.#roomIsFree();
  }

  /** Waits until there is no connection any more, or the time is over. */
  async whenEmpty(timeoutMs: number): Promise<void> {
    if (this.size > 0) await this.#emptiness.wait(now() + timeoutMs);
  }

  /** Ends every connection, whoever holds it. */
  terminate(): void {
    for (const member of this.#all) {
      member.link.destroy();
      this.discard(member, "closed");
    }
  }

  /** Where those were acquired that are held now, other than by a call of the pool. */
  placesOfBlocks(): Place[] {
    const held = [...this.#all].filter(({ state, place }) => state === "held" && typeof place !== "string");
    return held.map(({ place }) => place);
  }

  /** Whether every connection is in the hands of this one task. */
  isHeldOnlyBy(task: Member["task"]): boolean {
    return task !== null && this.#openings.size === 0 && [...this.#all].every((member) => member.task === task);
  }

  /** Who holds connections, the longest first. */
  holders(): ConnectionHolder[] {
    const at = performance.now();
    const held = [...this.#all].filter(({ state }) => state === "held" || state === "resetting");
    return held.toSorted((a, b) => a.since - b.since).map((member) => member.holder(at));
  }

  statistics(listening: number): PoolStatistics {
    const count = (state: Member["state"]): number => [...this.#all].filter((member) => member.state === state).length;
    const present = { maxSize: this.#settled.maxSize, size: this.size, opening: this.#openings.size, listening };
    const states = { idle: count("idle"), held: count("held"), resetting: count("resetting") };
    const ever = { opened: this.#opened, lost: this.#lost, acquired: this.#acquired, timedOut: this.#timedOut };
    return { ...present, ...states, waiting: this.#line.length, ...ever, holders: this.holders() };
  }

  /** Begins as many openings as there are who wait, and room. */
  #openWhatIsNeeded(): void {
    if (this.isClosed || this.#serverIsFull !== null) return;
    while (this.#openings.size < this.#line.length && this.size < this.#settled.maxSize) this.#openings.begin();
  }

  /** A connection is open, for the longest waiter, or for later; or it cannot be opened. */
  #onOpened({ link, error }: Opened, { isAwaited, begunAt }: Opening): void {
    if (link === null) {
      if (!isAwaited) this.#failed(error, begunAt);
    } else {
      const member = new Member(link);
      this.#all.add(member);
      link.onLost = () => this.#onLost(member);
      this.#opened += 1;
      this.#handOver(member, performance.now());
    }
    this.#roomIsFree();
  }

  /**
   * The longest waiter has the error, unless he came after the opening had begun: it is about a time that may be over, and
   * another one is begun for him. If the server has no room he waits for one of those there are.
   */
  #failed(error: unknown, begunAt: number): void {
    if (this.isClosed || !isForWantOfRoom(error)) {
      if (this.#line.hasOneSince(begunAt)) this.#line.refuse(() => asSeenFromHere(error));
      return;
    }
    this.#serverIsFull = this.size === 0 ? null : error;
    if (this.size === 0) return this.#line.refuseAll(() => asSeenFromHere(error));
    this.#prober.wakeAt(performance.now() + PROBE_MS);
  }

  #probe(): null {
    this.#serverIsFull = null;
    this.#roomIsFree();
    return null;
  }

  #timeout(timeoutMs: number): Error {
    this.#timedOut += 1;
    const { maxSize } = this.#settled;
    const holders = this.holders();
    if (this.#serverIsFull !== null) return noRoom(timeoutMs, holders, this.#serverIsFull);
    const opening = this.#openings.size;
    const isFull = this.size >= maxSize && holders.length > 0;
    if (opening > 0 && !isFull) return openingTimeout(timeoutMs, holders);
    return poolTimeout(timeoutMs, { maxSize, opening }, holders);
  }

  #inUse(): string {
    const { size } = this.#openings;
    const inUse = `${this.#all.size} of ${this.#settled.maxSize} are in use`;
    return size === 0 ? inUse : `${inUse}, ${size} ${size === 1 ? "is" : "are"} being opened`;
  }

  async #reset(member: Member): Promise<void> {
    member.state = "resetting";
    const isReady = await this.#options.reset(member);
    if (member.state !== "resetting") return;
    if (isReady) this.#recycle(member);
    else this.discard(member, "reset-failed");
  }

  /** A connection is free: for the longest waiter, or for later. */
  #recycle(member: Member): void {
    const at = performance.now();
    const { trace } = this.#options;
    if (trace.isOn) trace.tell({ kind: "released", serverPid: member.link.pid, durationMs: at - member.since });
    member.isTouched = false;
    this.#handOver(member, at);
  }

  #handOver(member: Member, at: number): void {
    const reason = this.#reasonToGo(member, at);
    if (reason !== null) return this.discard(member, reason);
    if (this.#line.give(member)) return;
    member.leave("idle", at);
    this.#idle.push(member);
    this.#sweeper.wakeAt(at + this.#settled.maxIdleMs);
  }

  #reasonToGo({ link, isExpired, uses, openedAt }: Member, at: number): Reason | null {
    const { maxQueries, maxLifetimeMs } = this.#settled;
    if (link.status !== "idle") return "broken";
    if (this.isClosed) return "closed";
    if (isExpired) return "expired";
    if (uses > maxQueries) return "used-up";
    return at - openedAt >= maxLifetimeMs ? "old" : null;
  }

  /** There may be room for one more. */
  #roomIsFree(): void {
    if (this.isClosed) {
      if (this.size === 0) while (this.#emptiness.give(true));
      return;
    }
    this.#openWhatIsNeeded();
  }

  #sayGoodbye(link: Link): void {
    const closing = this.#inContext(() => link.close()).catch(() => link.destroy());
    this.#closing.add(closing);
    const forget = (): void => {
      this.#closing.delete(closing);
      this.#roomIsFree();
    };
    closing.then(forget, forget);
  }

  #onLost(member: Member): void {
    this.#lost += 1;
    // Whoever holds it is told by his next call.
    if (member.state === "idle") this.discard(member, "lost");
  }

  #watch(): null {
    for (const member of this.#all) {
      const { borrower } = member;
      if (borrower === null) continue;
      // Held by the registry alone from here on, and only weakly.
      member.borrower = null;
      watch(borrower, { member, members: this, trace: this.#options.trace });
    }
    return null;
  }

  /** Closes what nobody has used for long, down to `minSize`. Returns when to look again; null if nothing is idle. */
  #sweep(): number | null {
    const at = performance.now();
    const { maxIdleMs, minSize } = this.#settled;
    // The one that was used longest ago is the first.
    for (const member of this.#idle.slice()) {
      if (this.#reasonToGo(member, at) !== null) this.discard(member, "old");
      else if (at - member.since >= maxIdleMs && this.#all.size > minSize) this.discard(member, "idle");
    }
    const [oldest] = this.#idle;
    if (oldest === undefined) return null;
    const due = oldest.since + maxIdleMs;
    return due > at ? due : at + LEAST_REST_MS;
  }
}

/** What a server says that has as many connections as it may have. */
const TOO_MANY = "53300";

function isForWantOfRoom(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError)) return false;
  const { cause } = error;
  // The second is said where the line of those who knock at a Unix socket is full.
  return error.sqlstate === TOO_MANY || (cause instanceof Error && "code" in cause && cause.code === "EAGAIN");
}

/** After how long it is asked again. */
const PROBE_MS = 200;
/** For how long a connection is lent before it is looked whether its user has forgotten it. */
const UNWATCHED_MS = 1_000;
/** How long the sweeper rests when all that is due is kept by `minSize`. */
const LEAST_REST_MS = 1_000;
