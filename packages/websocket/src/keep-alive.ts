// Pings idle connections, and finds those whose peer is gone: all with the same settings share two lists and one timer.
//
//   resting ──interval──▶ pinged ──pong──▶ resting
//                           └──timeout──▶ dead, or pinged again if there is a sign of life
//
// Each list is in the order of its deadlines, as everybody in it waits equally long. The timer keeps no process alive.

import { LoopWatch } from "meanwhile/lowlevel";

import { inRootContext } from "./root-context.ts";

/** One connection, as the keep-alive sees it. */
export interface Pulse {
  /** Sends a ping. */
  ping(): void;
  /** How many bytes have come. */
  bytesRead(): number;
  /** How many bytes wait in this process, as the peer does not take them. */
  bytesStuck(): number;
  /** How many bytes have left this process. */
  bytesFlushed(): number;
  /** Whether this side does not read: then no pong can come. */
  isPaused(): boolean;
  /** How often it has begun to read again. */
  resumes(): number;
  /** The peer did not answer. The event loop was blocked for so long meanwhile. */
  dead(blockedMs: number): void;
}

const { setTimeout, clearTimeout, performance } = globalThis;

const LONGEST_TIMER_MS = 2_147_483_647;
/** Whoever is due so soon is served together; a part of the shorter of the two times. */
const TOGETHER = 40;

/** What a connection does with its keep-alive. */
export interface KeptAlive {
  /** A pong has come that was asked for. */
  pong(): void;
  stop(): void;
}

/** Who serves the hearts with the same settings. */
interface Keeper {
  pong(heart: Heart): void;
  remove(heart: Heart): void;
}

/** A connection that is kept alive. */
class Heart implements KeptAlive {
  readonly pulse: Pulse;
  /** When its time has come. */
  at = 0;
  group: Keeper | null = null;
  #readAtPing = 0;
  #resumesAtPing = 0;
  // Infinity if nothing was stuck: then what leaves says nothing of the peer.
  #flushedAtPing = Infinity;
  #blockedAtPing = 0;
  #wasBlocked = false;

  constructor(pulse: Pulse) {
    this.pulse = pulse;
  }

  ping(blockedMs: number): void {
    const { pulse } = this;
    this.#readAtPing = pulse.bytesRead();
    this.#resumesAtPing = pulse.resumes();
    this.#flushedAtPing = pulse.bytesStuck() > 0 ? pulse.bytesFlushed() : Infinity;
    this.#blockedAtPing = blockedMs;
    this.#wasBlocked = false;
    pulse.ping();
  }

  pong(): void {
    this.group?.pong(this);
  }

  stop(): void {
    this.group?.remove(this);
  }

  /** Its pong is overdue. Null if it may live nonetheless; else for how long the event loop was blocked. */
  judge(blockedMs: number): number | null {
    const blocked = blockedMs - this.#blockedAtPing;
    if (this.#isAlive()) {
      this.ping(blockedMs);
      return null;
    }
    // The pong may have come while nobody could read it: one more chance, with the same ping.
    if (blocked > 0 && !this.#wasBlocked) {
      this.#wasBlocked = true;
      return null;
    }
    return blocked;
  }

  #isAlive(): boolean {
    const { pulse } = this;
    // What could not come while it was not read may be on its way.
    if (pulse.isPaused() || pulse.resumes() > this.#resumesAtPing) return true;
    return pulse.bytesRead() > this.#readAtPing || pulse.bytesFlushed() > this.#flushedAtPing;
  }
}

class KeepAliveGroup implements Keeper {
  readonly #key: string;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #slackMs: number;
  // Invariant: a heart is in at most one of the two, and each is in the order of `at`.
  readonly #resting = new Set<Heart>();
  readonly #pinged = new Set<Heart>();
  #watch: LoopWatch | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(key: string, intervalMs: number, timeoutMs: number) {
    this.#key = key;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    this.#slackMs = Math.min(intervalMs, timeoutMs) / TOGETHER;
  }

  add(heart: Heart): void {
    heart.at = performance.now() + this.#intervalMs;
    this.#resting.add(heart);
    this.#arm();
  }

  /** Its pong has come. */
  pong(heart: Heart): void {
    if (!this.#pinged.delete(heart)) return;
    this.add(heart);
    this.#watchWhilePinged();
  }

  remove(heart: Heart): void {
    this.#resting.delete(heart);
    this.#pinged.delete(heart);
    this.#watchWhilePinged();
    if (this.#resting.size > 0 || this.#pinged.size > 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (groups.get(this.#key) === this) groups.delete(this.#key);
  }

  #arm(): void {
    if (this.#timer !== null) return;
    const [resting] = this.#resting;
    const [pinged] = this.#pinged;
    const at = Math.min(resting?.at ?? Infinity, pinged?.at ?? Infinity);
    if (at === Infinity) return;
    const ms = Math.min(Math.max(at - performance.now(), 1), LONGEST_TIMER_MS);
    this.#timer = inRootContext(() => setTimeout(this.#onTimer, ms).unref());
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    const now = performance.now();
    this.#judgeOverdue(now);
    this.#pingRested(now);
    this.#watchWhilePinged();
    this.#arm();
  };

  #judgeOverdue(now: number): void {
    const blockedMs = this.#watch?.blockedMs ?? 0;
    for (const heart of this.#pinged) {
      if (heart.at > now) break;
      this.#pinged.delete(heart);
      const verdict = heart.judge(blockedMs);
      if (verdict === null) this.#expectPong(heart, now);
      else heart.pulse.dead(verdict);
    }
  }

  #pingRested(now: number): void {
    for (const heart of this.#resting) {
      if (heart.at > now + this.#slackMs) break;
      this.#resting.delete(heart);
      this.#watch ??= new LoopWatch();
      heart.ping(this.#watch.blockedMs);
      if (this.#timeoutMs === Infinity) this.add(heart);
      else this.#expectPong(heart, now);
    }
  }

  #expectPong(heart: Heart, now: number): void {
    heart.at = now + this.#timeoutMs;
    this.#pinged.add(heart);
  }

  #watchWhilePinged(): void {
    if (this.#pinged.size > 0) return;
    this.#watch?.stop();
    this.#watch = null;
  }
}

// By their settings; a group is in here exactly while it has a heart.
const groups = new Map<string, KeepAliveGroup>();

/** Begins to ping a connection. Null if it is not to be pinged. */
export function keepAlive(pulse: Pulse, intervalMs: number, timeoutMs: number): KeptAlive | null {
  if (intervalMs === Infinity) return null;
  const key = `${intervalMs}/${timeoutMs}`;
  const group = groups.get(key) ?? new KeepAliveGroup(key, intervalMs, timeoutMs);
  groups.set(key, group);
  const heart = new Heart(pulse);
  group.add(heart);
  heart.group = group;
  return heart;
}
